"""SchNet, a potential of distances alone (Schütt et al. 2017, arXiv:1706.08566)."""

import functools
import math

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
import jraph

from symjax.graphs import edge_vectors
from symjax.laws import Law
from symjax.layers.graph import SchNetEdges, SchNetLayer, shifted_softplus
from symjax.math import cosine_envelope, gaussian_basis, safe_norm
from symjax.models.atoms.parts import atom_laws, embed_charges, layered_atoms, require_options, require_scalars


def schnet_edges(graph: jraph.GraphsTuple, *, cutoff: float, count: int) -> SchNetEdges:
    """Return `count` Gaussians of the edge lengths on [0, rc], and the envelope (cos(pi r / rc) + 1) / 2."""
    lengths = safe_norm(jnp.asarray(edge_vectors(graph)))
    return SchNetEdges(gaussian_basis(lengths, cutoff=cutoff, count=count), cosine_envelope(lengths, cutoff=cutoff))


class SchNet(nn.Module):
    """Embed the species, convolve with filters of the distance, and read scalars off each atom by a perceptron.

    Energies have one continuous derivative at the cutoff, so that forces are continuous. Filters are divided by the
    root of `average_neighbours`, which the paper leaves to the weights.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: What is computed for each atom, even scalars, e.g. "1x0e".
        channels: Features of an atom.
        filters: Channels of a convolution.
        layers: Number of interactions.
        radial_basis: Number of Gaussians.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 128
    filters: int = 128
    layers: int = 3
    radial_basis: int = 50
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=2, filters=1, layers=1, radial_basis=2)
        require_scalars(self.outputs, "distances")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions leave the outputs alone; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = schnet_edges(graph, cutoff=self.cutoff, count=self.radial_basis)
        edges = edges._replace(envelope=edges.envelope / math.sqrt(self.average_neighbours))
        dtype, outputs = edges.radial.dtype, e3nn.Irreps(self.outputs)
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), dtype)
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=dtype)
        hidden, readout = dense(self.channels // 2, name="hidden"), dense(outputs.dim, name="readout")
        return layered_atoms(
            lambda state: embed_charges(table[state.nodes], graph, self.charges),
            [SchNetLayer(self.filters, name=f"layer_{layer}") for layer in range(self.layers)],
            lambda h: e3nn.IrrepsArray(outputs, readout(shifted_softplus(hidden(h)))),
            edges,
            graph,
        )
