"""The layer of Allegro: tensors of edges times the environment of their atom (arXiv:2204.05249, eqs. 10-17)."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.groups import O, S
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.interaction import RadialWeights
from symjax.layers.irreps.linear import from_blocks, irreps_blocks
from symjax.layers.irreps.tensor_product import ProductPath, tensor_product_paths
from symjax.math import segment_sum
from symjax.reps import Irreps, OnGraph, Relabelling, Tree, Trivial


class AllegroEdges(NamedTuple):
    """What is known of an edge from j to i: invariants, tensors of u channels, and how i sees j.

    Attributes:
        scalars: what all layers so far have made, side by side.
        weights: of the harmonics in the environment of i, u channels of each irrep after another.
        tensors: u channels of each irrep.
        harmonics: every multiplicity 1.
    """

    scalars: Float[Array, "e s"]
    weights: Float[Array, "e w"]
    tensors: e3nn.IrrepsArray
    harmonics: e3nn.IrrepsArray


def weigh_harmonics(weights: Float[Array, "e w"], harmonics: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
    """Return w[e, l, u] Y[e, l m] as u channels of each irrep of the harmonics."""
    count = len(harmonics.irreps)
    blocks = jnp.split(weights[:, None], count, axis=2)
    weighted = [y * w for y, w in zip(irreps_blocks(harmonics), blocks, strict=True)]
    irreps = e3nn.Irreps(" + ".join(f"{weights.shape[1] // count}x{ir}" for _, ir in harmonics.irreps))
    return from_blocks(irreps, weighted, harmonics)


def multiply_environments(
    weights: Float[Array, "p u"],
    tensors: e3nn.IrrepsArray,
    environments: e3nn.IrrepsArray,
    receivers: Int[Array, " e"],
    paths: tuple[ProductPath, ...],
) -> e3nn.IrrepsArray:
    """Return sum_p W[p, u] (V[e, u] (x) A[i(e), u])[p] for each irrep that some path leads to, channel by channel.

        V'[e, u, k] = sum_p W[p, u] sum_{a, b} C^p[a, b, k] V[e, u, a] A[i(e), u, b]

    C are the Clebsch-Gordan coefficients with "component" normalisation. Coefficients, weights and environment make one
    matrix for each atom and channel, which serves all of its edges. As many products of single components as there are
    coefficients that are not zero are no faster in training, and take twice as long to compile.

    Args:
        weights: W, one a path and channel.
        tensors: V [e, irreps], u channels of each irrep.
        environments: A [n, irreps], u channels of each irrep.
        receivers: node i of each edge.
        paths: from `tensor_product_paths`.

    Raises:
        ValueError: If the weights are not one a path and channel, or multiplicities differ.
    """
    channels = {mul for mul, _ in (*tensors.irreps, *environments.irreps)} | {weights.shape[1]}
    if len(channels) != 1 or len(weights) != len(paths):
        raise ValueError(
            f"expected irreps of one number of channels and as many weights for each of {len(paths)} paths, got "
            f"{tensors.irreps}, {environments.irreps} and weights {weights.shape}"
        )
    targets, einsum = product_irreps(paths), functools.partial(jnp.einsum, precision=Precision.HIGHEST)
    v, a = (jnp.concatenate(irreps_blocks(x), axis=1) for x in (tensors, environments))
    table = _coefficients(str(tensors.irreps), str(environments.irreps), paths).astype(v.dtype)
    matrices = einsum("abku,nbu->naku", einsum("pabk,pu->abku", table, weights), a)
    product = jnp.sum(matrices[receivers] * v[:, :, None], axis=1)
    ends = np.cumsum([ir.dim for _, ir in targets])[:-1]
    return from_blocks(targets, jnp.split(product, ends, axis=1), tensors)


def product_irreps(paths: Sequence[ProductPath]) -> e3nn.Irreps:
    """Return the targets of paths, each once, in rising order."""
    return e3nn.Irreps([(mul, ir) for ir, mul in sorted({(path.target.ir, path.target.mul) for path in paths})])


@functools.cache
def _coefficients(left: str, right: str, paths: tuple[ProductPath, ...]) -> Float[np.ndarray, "p a b k"]:
    """Return the coefficients of each path among the components of one channel."""
    sources, factors, targets = (
        e3nn.Irreps([(1, ir) for _, ir in irreps])
        for irreps in (e3nn.Irreps(left), e3nn.Irreps(right), product_irreps(paths))
    )
    table = np.zeros((len(paths), sources.dim, factors.dim, targets.dim))
    for own, path in zip(table, paths, strict=True):
        target = next(place for place, (_, ir) in enumerate(targets) if ir == path.target.ir)
        degrees = [list(sources)[path.source].ir.l, list(factors)[path.harmonic].ir.l, path.target.ir.l]
        block = e3nn.clebsch_gordan(*degrees) * math.sqrt(path.target.ir.dim)
        places = sources.slices()[path.source], factors.slices()[path.harmonic], targets.slices()[target]
        own[places] = block
    return table


def allegro_layer(
    multiply: Callable, mix: Callable, average_neighbours: float, graph: jraph.GraphsTuple
) -> jraph.GraphsTuple:
    """Let the tensors of each edge meet what its atom sees, and invariants take up the scalars of their product.

        A_i = sum_j w_ij Y_ij / sqrt(average_neighbours),    V_ij <- multiply(V_ij, A_i)
        t_ij, w_ij = mix(s_ij, V_ij),    s_ij <- (s_ij, t_ij)

    Nothing is sent from j: what an atom knows comes from its own edges, however many layers there are.

    Args:
        multiply: tensors [e, irreps], environments [n, irreps] and receivers [e] to tensors [e, irreps].
        mix: invariants [e, s] and the even scalars among the tensors [e, u] to further invariants and new weights.
        average_neighbours: mean number of edges that a node receives.
        graph: edges are `AllegroEdges`, receivers in rising order; only the number of the nodes is read.
    """
    edges, n = graph.edges, jax.tree.leaves(graph.nodes)[0].shape[0]
    seen = weigh_harmonics(edges.weights / math.sqrt(average_neighbours), edges.harmonics)
    array = segment_sum(seen.array, graph.receivers, n, indices_are_sorted=True)
    tensors = multiply(edges.tensors, e3nn.IrrepsArray(seen.irreps, array), graph.receivers)
    scalars, weights = mix(edges.scalars, tensors.filter("0e").array)
    both = jnp.concatenate([edges.scalars, scalars], axis=1)
    return graph._replace(edges=AllegroEdges(both, weights, tensors, edges.harmonics))


class AllegroLayer(nn.Module):
    """`allegro_layer` with its own weights.

    Attributes:
        irreps: Of the tensors that are wanted, e.g. "0e + 1o"; multiplicities are ignored, and what no product reaches
            is left out.
        average_neighbours: Mean number of edges that a node receives; sums over them are divided by its square root.
        scalars: Number of invariants that are added to those of an edge.
        hidden: Hidden layers of the perceptron that makes them.
        last: Whether no layer follows that would need weights of the harmonics.
    """

    irreps: str
    average_neighbours: float
    scalars: int = 64
    hidden: tuple[int, ...] = (64,)
    last: bool = False

    def _paths(self, edges: AllegroEdges) -> tuple[ProductPath, ...]:
        return tensor_product_paths(edges.tensors.irreps, edges.harmonics.irreps, e3nn.Irreps(self.irreps))

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn tensors and harmonics; the numbering of the nodes means nothing."""
        edges = graph.edges

        def rep(tensors: e3nn.Irreps) -> OnGraph:
            turned = [Irreps(str(irreps)) for irreps in (tensors, edges.harmonics.irreps)]
            return OnGraph(edges=Tree(AllegroEdges._make((Trivial(), Trivial(), *turned))), name=str(tensors))

        n = jax.tree.leaves(graph.nodes)[0].shape[0]
        return (
            Equivariance(O(3), rep(edges.tensors.irreps), rep(product_irreps(self._paths(edges)))),
            Equivariance(S(n), Relabelling(), Relabelling()),
        )

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with further invariants, new weights and new tensors."""
        paths, width = self._paths(graph.edges), 0 if self.last else graph.edges.weights.shape[1]
        counts = [sum(other.target == path.target for other in paths) for path in paths]
        shape = len(paths), graph.edges.tensors.irreps[0].mul
        normal = self.param("products", nn.initializers.normal(1.0), shape, graph.edges.scalars.dtype)
        weights = normal / np.sqrt(counts).astype(normal.dtype)[:, None]

        def mix(s: Float[Array, "e s"], own: Float[Array, "e u"]) -> tuple[Float[Array, "e t"], Float[Array, "e w"]]:
            told = RadialWeights((*self.hidden, self.scalars + width), name="mix")(jnp.concatenate([s, own], axis=1))
            return told[:, : self.scalars], told[:, self.scalars :]

        def multiply(tensors: e3nn.IrrepsArray, seen: e3nn.IrrepsArray, receivers: Array) -> e3nn.IrrepsArray:
            return multiply_environments(weights, tensors, seen, receivers, paths)

        return allegro_layer(multiply, mix, self.average_neighbours, graph)
