"""MACE, higher-order equivariant messages (Batatia et al. 2022, arXiv:2206.07697)."""

from collections.abc import Callable, Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
import jraph

from symjax.laws import Law
from symjax.layers.irreps import (
    InteractionEdges,
    InteractionNodes,
    IrrepsLinear,
    MACELayer,
    scaled_silu,
)
from symjax.models.atoms.nequip import nequip_edges
from symjax.models.atoms.parts import SCALARS, atom_laws, embed_charges, require_options

MOST_FACTORS = 6


def mace_atoms(
    embed: Callable,
    layers: Sequence[Callable],
    readouts: Sequence[Callable],
    edges: InteractionEdges,
    graph: jraph.GraphsTuple,
) -> e3nn.IrrepsArray:
    """Return the sum of readout_t(h_t) over the layers t for each atom, where h_0 = embed(species).

    Args:
        embed: species [n] to features [n, irreps].
        layers: such as `mace_layer`, from graphs of `InteractionNodes` and `InteractionEdges` to the same.
        readouts: features [n, irreps] to outputs [n, irreps], one for each layer.
        edges: harmonics and radial basis.
        graph: nodes are `AtomNodes`, receivers in rising order.
    """
    species = graph.nodes.species
    state = graph._replace(nodes=InteractionNodes(embed(species), species), edges=edges)
    outputs = []
    for layer, readout in zip(layers, readouts, strict=True):
        state = layer(state)
        outputs.append(readout(state.nodes.features))
    return sum(outputs[1:], start=outputs[0])


class MACE(nn.Module):
    """Embed the species, let messages multiply each other, and add what is read off each layer.

    Features of the first layer come from the species alone, the others are connected to those before them; each layer
    is read out linearly and the last by a perceptron, whose scalars are all that it keeps beside the outputs.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps that are computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        channels: Multiplicity of every irrep.
        lmax: Largest degree of the harmonics and of the products' factors.
        hidden_lmax: Largest degree of the features between layers.
        parity: Also keep irreps of unnatural parity (pseudoscalars, pseudovectors, ...).
        correlation: The largest number of factors in a product.
        layers: Number of rounds of messages.
        radial_basis: Number of Bessel functions.
        radial_widths: Hidden layers of the radial networks.
        readout: Hidden scalars of the last readout.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 64
    lmax: int = 3
    hidden_lmax: int = 1
    parity: bool = False
    correlation: int = 3
    layers: int = 2
    radial_basis: int = 8
    radial_widths: tuple[int, ...] = (64, 64, 64)
    readout: int = 16
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=1, lmax=0, hidden_lmax=0, correlation=1, layers=1, radial_basis=1, readout=1)
        if self.correlation > MOST_FACTORS or self.hidden_lmax > self.lmax:
            raise ValueError(
                f"expected a correlation of at most {MOST_FACTORS} and a hidden_lmax of at most lmax, got "
                f"{self.correlation}, {self.hidden_lmax} and {self.lmax}"
            )

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs as their irreps say; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        dtype = jnp.asarray(graph.nodes.positions).dtype
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), dtype)
        last, harmonics = self.layers - 1, e3nn.Irreps.spherical_harmonics(self.lmax)
        return mace_atoms(
            lambda species: e3nn.IrrepsArray(f"{self.channels}x0e", embed_charges(table[species], graph, self.charges)),
            [self._layer(layer) for layer in range(self.layers)],
            [*(IrrepsLinear(self.outputs, name=f"readout_{layer}") for layer in range(last)), self._read_last],
            nequip_edges(graph, harmonics, cutoff=self.cutoff, count=self.radial_basis),
            graph,
        )

    def _layer(self, layer: int) -> MACELayer:
        hidden = self._channels(self.hidden_lmax) if layer < self.layers - 1 else self._last()
        return MACELayer(
            str(hidden),
            str(self._channels(self.lmax)),
            self.species,
            self.average_neighbours,
            self.correlation,
            layer > 0,
            self.radial_widths,
            name=f"layer_{layer}",
        )

    def _read_last(self, h: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
        """Return even scalars by a perceptron of the scalars, and the other outputs linearly."""
        outputs, scalars = e3nn.Irreps(self.outputs), h.filter(SCALARS)
        hidden = scaled_silu(IrrepsLinear(f"{self.readout}x0e", name="hidden")(scalars).array)
        both = e3nn.concatenate([e3nn.IrrepsArray(f"{self.readout}x0e", hidden), h.filter(drop=SCALARS)])
        return IrrepsLinear(str(outputs), name=f"readout_{self.layers - 1}")(both)

    def _channels(self, lmax: int) -> e3nn.Irreps:
        natural = [ir for _, ir in e3nn.Irreps.spherical_harmonics(lmax)]
        kept = natural + [e3nn.Irrep(ir.l, -ir.p) for ir in natural if self.parity]
        return e3nn.Irreps([(self.channels, ir) for ir in kept])

    def _last(self) -> e3nn.Irreps:
        """Return even scalars and the irreps of the outputs."""
        kept = sorted({e3nn.Irrep(0, 1)} | {ir for _, ir in e3nn.Irreps(self.outputs)})
        return e3nn.Irreps([(self.channels, ir) for ir in kept])
