"""PaiNN, a potential of scalars and vectors (Schütt et al. 2021, arXiv:2102.03150)."""

import functools
import math

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import edge_vectors
from symjax.laws import Law
from symjax.layers.graph import PaiNNEdges, PaiNNLayer, PaiNNNodes
from symjax.math import bessel_basis, cosine_envelope, safe_divide, safe_norm
from symjax.models.atoms.parts import atom_laws, embed_charges, layered_atoms, require_options


def painn_edges(graph: jraph.GraphsTuple, *, cutoff: float, count: int) -> PaiNNEdges:
    """Return unit vectors to the senders, sin(n pi r / rc) / r for n = 1..count, and (cos(pi r / rc) + 1) / 2."""
    vectors = jnp.asarray(edge_vectors(graph))
    lengths = safe_norm(vectors)
    basis = math.sqrt(cutoff / 2) * bessel_basis(lengths, cutoff=cutoff, count=count)
    return PaiNNEdges(safe_divide(vectors, lengths[:, None]), basis, cosine_envelope(lengths, cutoff=cutoff))


class PaiNN(nn.Module):
    """Embed the species, pass scalars and vectors between atoms, and read outputs off each atom by a perceptron.

    Energies have one continuous derivative at the cutoff, so that forces are continuous. Filters are divided by the
    root of `average_neighbours`, which the paper leaves to the weights. Vectors ("1x1o") are a linear map of the
    vectors of an atom, each times a number that its scalars say.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: What is computed for each atom, even scalars and vectors, e.g. "1x0e" or "1x0e + 1x1o".
        channels: Scalars of an atom, and vectors.
        layers: Number of interactions.
        radial_basis: Number of Bessel functions.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 128
    layers: int = 3
    radial_basis: int = 20
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=2, layers=1, radial_basis=1)
        if not {str(ir) for _, ir in e3nn.Irreps(self.outputs)} <= {"0e", "1o"}:
            raise ValueError(
                f"expected outputs of even scalars and vectors, such as 1x0e + 1x1o, got {self.outputs}; take a model "
                "of irreps, such as nequip"
            )

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs as their irreps say; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = painn_edges(graph, cutoff=self.cutoff, count=self.radial_basis)
        edges = edges._replace(envelope=edges.envelope / math.sqrt(self.average_neighbours))
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), edges.radial.dtype)
        scalars = embed_charges(table[graph.nodes.species], graph, self.charges)
        still = PaiNNNodes(scalars, jnp.zeros((*scalars.shape, 3), scalars.dtype))
        layers = [PaiNNLayer(name=f"layer_{layer}") for layer in range(self.layers)]
        return layered_atoms(lambda _: still, layers, self._read, edges, graph)

    def _read(self, nodes: PaiNNNodes) -> e3nn.IrrepsArray:
        """Return scalars of a perceptron, and vectors that are mixed linearly and scaled by it."""
        irreps, (s, v) = e3nn.Irreps(self.outputs), nodes
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=s.dtype)
        parts = [irreps.count(e3nn.Irrep(0, 1)), irreps.count(e3nn.Irrep(1, -1))]
        told = dense(sum(parts), name="readout")(jax.nn.silu(dense(self.channels // 2, name="hidden")(s)))
        scalars, scales = told[:, : parts[0]], told[:, parts[0] :]
        if not parts[1]:
            return e3nn.IrrepsArray(irreps, scalars)
        mixed = dense(parts[1], use_bias=False, name="readout_vectors")(v.swapaxes(-1, -2)).swapaxes(-1, -2)
        return _in_order(irreps, scalars, mixed * scales[..., None])


def _in_order(irreps: e3nn.Irreps, scalars: Float[Array, "n s"], vectors: Float[Array, "n v 3"]) -> e3nn.IrrepsArray:
    """Return scalars and vectors in the order of the irreps."""
    chunks, left = [], {0: scalars[..., None], 1: vectors}
    for multiplicity, ir in irreps:
        chunks.append(left[ir.l][:, :multiplicity])
        left[ir.l] = left[ir.l][:, multiplicity:]
    return e3nn.from_chunks(irreps, chunks, scalars.shape[:1], scalars.dtype)
