"""The layer of MACE: a convolution, products of what was heard, a connection (arXiv:2206.07697, eqs. 8-11)."""

from collections.abc import Callable

import e3nn_jax as e3nn
import flax.linen as nn
import jraph
from jaxtyping import Array, Float

from symjax.laws import Law
from symjax.layers.irreps.contraction import SymmetricContraction, contractions
from symjax.layers.irreps.interaction import InteractionNodes, RadialWeights, interaction_laws
from symjax.layers.irreps.linear import IrrepsLinear
from symjax.layers.irreps.tensor_product import tensor_product_conv, tensor_product_paths


def mace_layer(
    up: Callable,
    weigh: Callable,
    density: Callable,
    contract: Callable,
    connect: Callable,
    keep: e3nn.Irreps,
    graph: jraph.GraphsTuple,
) -> jraph.GraphsTuple:
    """Exchange one round of messages and multiply what each node heard with itself.

        A_i = density(z_i, sum_j R(r_ij) (up(h_j) (x) Y(r_ij))),    h_i <- contract(z_i, A_i) + connect(z_i, h_i)

    Args:
        up: linear map of the features before they are sent.
        weigh: radial bases [e, b] and a width to path weights [e, width]; zero where the basis is, at the cutoff.
        density: linear map of the summed messages, one number of channels for every irrep.
        contract: symmetric contraction and a linear map.
        connect: linear map of the node's own features; zero in the first layer.
        keep: irreps of the messages worth computing.
        graph: nodes are `InteractionNodes`, edges `InteractionEdges`, receivers in rising order.
    """
    (h, species), (harmonics, radial) = graph.nodes, graph.edges
    sent = up(h)
    paths = tensor_product_paths(sent.irreps, harmonics.irreps, keep)
    weights = weigh(radial, sum(path.target.mul for path in paths))
    ends = {"senders": graph.senders, "receivers": graph.receivers}
    heard = density(species, tensor_product_conv(sent, harmonics, weights, paths=paths, **ends))
    return graph._replace(nodes=InteractionNodes(contract(species, heard) + connect(species, h), species))


class MACELayer(nn.Module):
    """`mace_layer` with its own weights.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; irreps that no product reaches are left out.
        density_irreps: Irreps of A, e.g. "32x0e + 32x1o + 32x2e", all with one number of channels.
        species: Number of species, each with its own contraction and connection.
        average_neighbours: Mean number of edges that a node receives, by which messages are divided.
        correlation: The largest number of factors in products; one more than it is the body order of a layer.
        connected: Whether the features of a node are added; else A has weights for each species, as in a first layer.
        radial_widths: Hidden layers of the radial network.
    """

    irreps: str
    density_irreps: str
    species: int
    average_neighbours: float
    correlation: int
    connected: bool
    radial_widths: tuple[int, ...] = (64, 64, 64)

    def _density(self, graph: jraph.GraphsTuple) -> e3nn.Irreps:
        """Return the irreps of A that the messages reach."""
        features, harmonics = graph.nodes.features.irreps, graph.edges.harmonics.irreps
        wanted = e3nn.Irreps(self.density_irreps)
        reached = {path.target.ir for path in tensor_product_paths(features, harmonics, wanted)}
        return wanted.filter(lambda part: part.ir in reached)

    def output_irreps(self, graph: jraph.GraphsTuple) -> e3nn.Irreps:
        """Return the wanted irreps that products of messages reach, and the connected ones."""
        wanted = e3nn.Irreps(self.irreps)
        reached = {found.target for found in contractions(self._density(graph), wanted, self.correlation)}
        own = {ir for _, ir in graph.nodes.features.irreps} if self.connected else set()
        return wanted.filter(lambda part: part.ir in reached | own)

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Rotations and reflections turn features and harmonics; the numbering of the nodes means nothing."""
        return interaction_laws(graph, self.output_irreps(graph))

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
        """Return the graph with new features."""
        features, dense = graph.nodes.features.irreps, self._density(graph)
        irreps = str(self.output_irreps(graph))
        mix = IrrepsLinear(str(dense), name="density")
        by_species = IrrepsLinear(str(dense), self.species, name="density_of_species")
        contract = SymmetricContraction(irreps, self.correlation, self.species, name="contraction")
        linear = IrrepsLinear(irreps, name="linear")
        connect = IrrepsLinear(irreps, self.species, name="connect")

        def weigh(basis: Float[Array, "e b"], width: int) -> Float[Array, "e w"]:
            widths = (*self.radial_widths, width)
            return RadialWeights(widths, name="radial")(basis) / self.average_neighbours

        def density(species: Array, heard: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
            mixed = mix(heard)
            return mixed if self.connected else by_species(mixed, species)

        def connection(species: Array, h: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
            return connect(h, species) if self.connected else e3nn.zeros(irreps, h.shape[:1], h.dtype)

        return mace_layer(
            IrrepsLinear(str(features), name="up"),
            weigh,
            density,
            lambda species, heard: linear(contract(InteractionNodes(heard, species))),
            connection,
            dense,
            graph,
        )
