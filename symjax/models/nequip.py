"""NequIP, an E(3)-equivariant interatomic potential (Batzner et al. 2022, arXiv:2101.03164)."""

import math

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jraph
from jaxtyping import Array, Float

from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes, edge_vectors, graph_index
from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.layers.interaction import Interaction, InteractionEdges, InteractionNodes
from symjax.math.radial import bessel_basis, poly_envelope
from symjax.math.safe import safe_norm
from symjax.math.segment import segment_sum
from symjax.reps import OnGraph, Points, Relabelling, Tree, Trivial, Vectors

ATOM_REPS = OnGraph(
    nodes=Tree(AtomNodes(positions=Points(), species=Trivial())),
    edges=Tree(AtomEdges(shifts=Vectors())),
    globals=Tree(AtomGlobals(cell=Vectors())),
)


class NequIP(nn.Module):
    """Embed the species, pass `layers` interactions on irreps features, and read one energy off the scalars of an atom.

    The radial basis is Bessel times a polynomial envelope, scaled to unit mean square over the ball of the cutoff. The
    last interaction only computes scalars, because nothing else reaches the energy. The paper reads out with two linear
    maps in a row; one linear map is the same family.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        channels: Multiplicity of every irrep.
        lmax: Largest degree of features and harmonics.
        parity: Also keep irreps of unnatural parity (pseudoscalars, pseudovectors, ...).
        layers: Number of interactions.
        radial_basis: Number of Bessel functions.
        radial_widths: Hidden layers of the radial networks.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    channels: int = 32
    lmax: int = 2
    parity: bool = False
    layers: int = 3
    radial_basis: int = 8
    radial_widths: tuple[int, ...] = (64, 64)

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions leave the energy alone, and so does the numbering of the atoms."""
        n = graph.nodes.species.shape[0]
        return Equivariance(E(3), ATOM_REPS, Trivial()), Equivariance(S(n), Relabelling(), Trivial())

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> Float[Array, " g"]:
        """Return the energy of every graph, in the unit of the labels it is trained on."""
        energies = self._atom_energies(graph)
        return segment_sum(energies, graph_index(graph), graph.n_node.shape[0], indices_are_sorted=True)

    def _atom_energies(self, graph: jraph.GraphsTuple) -> Float[Array, " n"]:
        edges = self._embed_edges(graph)
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), edges.radial.dtype)
        species = graph.nodes.species
        features = e3nn.IrrepsArray(f"{self.channels}x0e", table[species])
        graph = graph._replace(nodes=InteractionNodes(features, species), edges=edges)
        for layer in range(self.layers):
            irreps = self._hidden_irreps() if layer < self.layers - 1 else f"{self.channels}x0e"
            block = Interaction(irreps, self.species, self.average_neighbours, self.radial_widths, name=f"layer_{layer}")
            graph = block(graph)
        return e3nn.flax.Linear("0e", name="readout")(graph.nodes.features).array[:, 0]

    def _hidden_irreps(self) -> str:
        natural = [f"{self.channels}x{l}{'oe'[l % 2 == 0]}" for l in range(self.lmax + 1)]
        unnatural = [f"{self.channels}x{l}{'eo'[l % 2 == 0]}" for l in range(self.lmax + 1)]
        return "+".join(natural + unnatural * self.parity)

    def _embed_edges(self, graph: jraph.GraphsTuple) -> InteractionEdges:
        vectors = edge_vectors(graph)
        lengths = safe_norm(vectors)
        unit = math.sqrt(self.cutoff**3 / 3)
        basis = unit * bessel_basis(lengths, cutoff=self.cutoff, count=self.radial_basis)
        envelope = poly_envelope(lengths, cutoff=self.cutoff)
        harmonics = e3nn.spherical_harmonics(e3nn.Irreps.spherical_harmonics(self.lmax), vectors, True, "component")
        return InteractionEdges(harmonics, basis * jax.numpy.expand_dims(envelope, -1))
