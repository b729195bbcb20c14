"""EGNN of distances alone, the network for molecules (Satorras et al. 2021, arXiv:2102.09844, sec. 5.3)."""

import functools
import math

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph

from symjax.graphs import edge_vectors
from symjax.laws import Law
from symjax.layers.graph import EGNN_INIT, EGNNEdges, InvariantEGNNLayer
from symjax.math import cosine_envelope, safe_norm
from symjax.models.atoms.parts import atom_laws, embed_charges, layered_atoms, require_options, require_scalars


def egnn_edges(graph: jraph.GraphsTuple, *, cutoff: float | None) -> EGNNEdges:
    """Return the squared edge lengths, and the envelope (cos(pi r / rc) + 1) / 2, or ones where there is no cutoff."""
    vectors = jnp.asarray(edge_vectors(graph))
    squared = jnp.sum(vectors**2, axis=-1)
    if cutoff is None:
        return EGNNEdges(squared, jnp.ones_like(squared))
    return EGNNEdges(squared, cosine_envelope(safe_norm(vectors), cutoff=cutoff))


class InvariantEGNN(nn.Module):
    """Embed the species, pass messages of squared distances with attention, and read scalars off each atom.

    Energies have one continuous derivative at the cutoff, so that forces are continuous. The published network joins
    all atoms of a molecule and has no envelope: `envelope=False` is that. Messages are divided by the root of
    `average_neighbours`, which the paper leaves to the weights.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: What is computed for each atom, even scalars, e.g. "1x0e".
        channels: Features of an atom, and of a message.
        layers: Number of interactions.
        attention: Multiply each message by a number between 0 and 1 that it says itself.
        node_attributes: Let every update read the element of the atom.
        envelope: Take messages smoothly to zero at the cutoff; without, forces jump there.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 128
    layers: int = 7
    attention: bool = True
    node_attributes: bool = False
    envelope: bool = True
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=1, layers=1)
        require_scalars(self.outputs, "distances")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions leave the outputs alone; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = egnn_edges(graph, cutoff=self.cutoff if self.envelope else None)
        edges = edges._replace(envelope=edges.envelope / math.sqrt(self.average_neighbours))
        dtype, outputs = edges.squared.dtype, e3nn.Irreps(self.outputs)
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), dtype)
        element = jax.nn.one_hot(graph.nodes.species, self.species, dtype=dtype) if self.node_attributes else None
        dense = functools.partial(nn.Dense, kernel_init=EGNN_INIT, param_dtype=dtype)
        hidden, readout = dense(self.channels, name="hidden"), dense(outputs.dim, name="readout")
        layers = [
            InvariantEGNNLayer(self.channels, self.attention, name=f"layer_{layer}") for layer in range(self.layers)
        ]
        return layered_atoms(
            lambda state: embed_charges(table[state.nodes], graph, self.charges),
            [functools.partial(layer, attributes=element) for layer in layers],
            lambda h: e3nn.IrrepsArray(outputs, readout(jax.nn.silu(hidden(h)))),
            edges,
            graph,
        )
