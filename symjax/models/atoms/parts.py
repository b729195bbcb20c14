"""What every model of atoms shares: its laws, the check of its options, the embeddings of edges and of charges."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symjax.graphs import ATOMS, edge_vectors, graph_index
from symjax.groups import SE, E, S
from symjax.laws import Equivariance
from symjax.math import bessel_basis, poly_envelope, safe_norm, xplor_envelope
from symjax.reps import Axis, Irreps, Relabelling

MOST = {"lmax": 11, "layers": 100}
MOST_OF_ALL = 10**6
SCALARS = e3nn.Irreps("0e")


class EmbeddedEdges(NamedTuple):
    """Vectors r_ij and lengths in Å, and a radial basis that vanishes at the cutoff with two derivatives."""

    vectors: Float[Array, "e 3"]
    lengths: Float[Array, " e"]
    radial: Float[Array, "e b"]


def embed_edges(
    graph: jraph.GraphsTuple,
    *,
    cutoff: float,
    count: int,
    roots: Float[Array, " count"] | None = None,
    onset: float | None = None,
) -> EmbeddedEdges:
    """Return the edges of a graph of atoms with sqrt(2) sin(n pi r / rc) / r u(r), n = 1..count, and u of 1 at r = 0.

    The sines are Bessel functions of unit mean square at 1 Å, or have trained `roots`. The envelope u is
    `poly_envelope`, or with an `onset` in Å `xplor_envelope`, which has but one continuous derivative.
    """
    vectors = jnp.asarray(edge_vectors(graph))
    lengths = safe_norm(vectors)
    basis = math.sqrt(cutoff) * bessel_basis(lengths, cutoff=cutoff, count=count, roots=roots)
    if onset is None:
        envelope = poly_envelope(lengths, cutoff=cutoff)
    else:
        envelope = xplor_envelope(lengths, cutoff=cutoff, onset=onset)
    return EmbeddedEdges(vectors, lengths, basis * envelope[:, None])


class ChargeEmbedding(nn.Module):
    """What charge q and multiplicity m of a structure give to the features of its atoms, zero in neutral singlets.

        silu((q, m - 1) W_0) W_1

    Attributes:
        channels: Features of an atom.
    """

    channels: int

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, dtype: DTypeLike) -> Float[Array, "n c"]:
        """Return the features, in the precision asked for."""
        normal, scaled = nn.initializers.normal(1.0), nn.initializers.lecun_normal()
        first = self.param("kernel_0", normal, (2, self.channels), dtype)
        second = self.param("kernel_1", scaled, (self.channels, self.channels), dtype)
        states = jnp.stack([graph.globals.charge, graph.globals.spin - 1], axis=-1)
        return (jax.nn.silu(states @ first) @ second)[graph_index(graph)]


def embed_charges(features: Float[Array, "n c"], graph: jraph.GraphsTuple, charges: bool) -> Float[Array, "n c"]:
    """Return the features of the species with those of a `ChargeEmbedding` of the calling module, where it has one."""
    if not charges:
        return features
    return features + ChargeEmbedding(features.shape[-1], name="charges")(graph, features.dtype)


def layered_atoms(
    embed: Callable, layers: Sequence[Callable], readout: Callable, edges: Any, graph: jraph.GraphsTuple
) -> e3nn.IrrepsArray:
    """Return readout(x) for each atom, where x starts as what `embed` makes and goes through the layers in turn.

    Args:
        embed: graph of species [n] and `edges` to the first nodes x.
        layers: such as `schnet_layer`, from graphs of nodes and `edges` to the same.
        readout: nodes to outputs [n, irreps].
        edges: what the layers read of them.
        graph: nodes are `AtomNodes`, receivers in rising order.
    """
    state = graph._replace(nodes=graph.nodes.species, edges=edges)
    state = state._replace(nodes=embed(state))
    for layer in layers:
        state = layer(state)
    return readout(state.nodes)


def atom_laws(graph: jraph.GraphsTuple, outputs: str, *, reflections: bool = True) -> tuple[Equivariance, Equivariance]:
    """Motions turn the outputs of each atom as their irreps say; the numbering of the atoms means nothing.

    Raises:
        ValueError: If the graph is a batch: its atoms may only be renumbered within each structure.
    """
    if graph.n_node.shape != (1,):
        raise ValueError(
            f"expected the graph of one structure, got a batch of {graph.n_node.shape[0]}; pass one of them"
        )
    n = graph.nodes.species.shape[0]
    motions = E(3) if reflections else SE(3)
    return Equivariance(motions, ATOMS, Irreps(outputs)), Equivariance(S(n), Relabelling("atoms"), Axis(0))


def require_options(model: Any, **least: int) -> None:
    """Refuse options that no model of atoms can have; `least` names further counts and the least value of each.

    Raises:
        ValueError: If a count is too small, or so large that shapes overflow or the coefficients of products take
            minutes, the cutoff or the mean number of neighbours is not positive, or the outputs are no irreps.
    """
    for field in dataclasses.fields(model):
        value, most = getattr(model, field.name), MOST.get(field.name, MOST_OF_ALL)
        items = value if isinstance(value, tuple) else (value,)
        counts = [item for item in items if type(item) is int]
        if excess := [count for count in counts if count > most]:
            raise ValueError(f"expected {field.name} of at most {most}, got {excess[0]}")
        if len(items) > MOST["layers"] or (isinstance(value, tuple) and min(counts, default=1) < 1):
            raise ValueError(
                f"expected {field.name} of at most {MOST['layers']} numbers of at least 1, got {value!r:.60}"
            )
    for name, bound in {"species": 1, **least}.items():
        if getattr(model, name) < bound:
            raise ValueError(f"expected {name} of at least {bound}, got {getattr(model, name)}")
    for name in ("cutoff", "average_neighbours"):
        if not 0 < getattr(model, name) < math.inf:
            raise ValueError(f"expected a positive {name}, got {getattr(model, name)}")
    if not e3nn.Irreps(model.outputs):
        raise ValueError(f"expected outputs of at least one irrep, such as 1x0e, got {model.outputs!r}")


def require_irreps(name: str, text: str) -> None:
    """Refuse an option that should be the irreps of features.

    Raises:
        ValueError: They are none, or of too large a degree or number.
    """
    try:
        irreps = e3nn.Irreps(text)
    except ValueError:
        irreps = e3nn.Irreps()
    if not irreps.dim or irreps.lmax > MOST["lmax"] or irreps.dim > MOST_OF_ALL:
        raise ValueError(f"expected {name} such as 64x0e+32x1o, got {text!r:.60}")


def require_scalars(outputs: str, made_of: str) -> None:
    """Refuse outputs that turn, of a model whose atoms have scalars alone.

    Raises:
        ValueError: They are not even scalars; the sentence says what the model sees.
    """
    if not e3nn.Irreps(outputs).is_scalar():
        raise ValueError(
            f"expected outputs of even scalars, such as 1x0e, as {made_of} make nothing else, got {outputs}; take a "
            "model of irreps"
        )
