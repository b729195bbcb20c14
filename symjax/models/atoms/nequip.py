"""NequIP, an E(3)-equivariant interatomic potential (Batzner et al. 2022, arXiv:2101.03164)."""

from collections.abc import Callable, Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jraph

from symjax.laws import Law
from symjax.layers.irreps import Interaction, InteractionEdges, InteractionNodes, IrrepsLinear
from symjax.models.atoms.parts import atom_laws, embed_charges, embed_edges, require_options


def nequip_atoms(
    embed: Callable,
    interactions: Sequence[Callable],
    readout: Callable,
    edges: InteractionEdges,
    graph: jraph.GraphsTuple,
) -> e3nn.IrrepsArray:
    """Return readout(h) for each atom, where h starts as embed(species) and goes through the interactions in turn.

    Args:
        embed: species [n] to features [n, irreps].
        interactions: such as `interaction`, from graphs of `InteractionNodes` and `InteractionEdges` to the same.
        readout: features [n, irreps] to outputs [n, irreps].
        edges: from `nequip_edges`.
        graph: nodes are `AtomNodes`, receivers in rising order.
    """
    species = graph.nodes.species
    state = graph._replace(nodes=InteractionNodes(embed(species), species), edges=edges)
    for interact in interactions:
        state = interact(state)
    return readout(state.nodes.features)


def nequip_edges(graph: jraph.GraphsTuple, *, cutoff: float, count: int, lmax: int) -> InteractionEdges:
    """Return the spherical harmonics of the edges up to degree lmax, and the radial basis of `embed_edges`."""
    edges = embed_edges(graph, cutoff=cutoff, count=count)
    degrees = e3nn.Irreps.spherical_harmonics(lmax)
    with jax.default_matmul_precision("highest"):  # coarser products on accelerators would break the symmetry
        harmonics = e3nn.spherical_harmonics(degrees, edges.vectors, normalize=True, normalization="component")
    return InteractionEdges(harmonics, edges.radial)


class NequIP(nn.Module):
    """Embed the species, pass interactions between irreps features, and read the outputs of each atom off linearly.

    The last interaction only computes the irreps of the outputs, because nothing else reaches them. The paper reads out
    with two linear maps in a row; one linear map is the same family.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps that are computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        channels: Multiplicity of every irrep.
        lmax: Largest degree of features and harmonics.
        parity: Also keep irreps of unnatural parity (pseudoscalars, pseudovectors, ...).
        layers: Number of interactions.
        radial_basis: Number of Bessel functions.
        radial_widths: Hidden layers of the radial networks.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 32
    lmax: int = 2
    parity: bool = False
    layers: int = 3
    radial_basis: int = 8
    radial_widths: tuple[int, ...] = (64, 64)
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=1, lmax=0, layers=1, radial_basis=1)
        if lacking := {ir for _, ir in e3nn.Irreps(self.outputs)} - self._reached():
            names = ", ".join(map(str, sorted(lacking)))
            raise ValueError(
                f"expected outputs that the layers reach, got {self.outputs}, where nothing leads to {names}; "
                "take more layers, a higher lmax, or parity"
            )

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs of each atom as their irreps say; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = nequip_edges(graph, cutoff=self.cutoff, count=self.radial_basis, lmax=self.lmax)
        shape, dtype = (self.species, self.channels), edges.radial.dtype
        table = self.param("embedding", nn.initializers.normal(1.0), shape, dtype)
        outputs = sorted({ir for _, ir in e3nn.Irreps(self.outputs)})
        stages = [self._hidden()] * (self.layers - 1) + [outputs]
        return nequip_atoms(
            lambda species: e3nn.IrrepsArray(f"{self.channels}x0e", embed_charges(table[species], graph, self.charges)),
            [self._interaction(layer, irreps) for layer, irreps in enumerate(stages)],
            IrrepsLinear(self.outputs, name="readout"),
            edges,
            graph,
        )

    def _interaction(self, layer: int, irreps: Sequence[e3nn.Irrep]) -> Interaction:
        wanted = "+".join(f"{self.channels}x{ir}" for ir in irreps)
        return Interaction(wanted, self.species, self.average_neighbours, self.radial_widths, name=f"layer_{layer}")

    def _harmonics(self) -> list[e3nn.Irrep]:
        return [e3nn.Irrep(degree, (-1) ** degree) for degree in range(self.lmax + 1)]

    def _hidden(self) -> list[e3nn.Irrep]:
        natural = self._harmonics()
        return natural + [e3nn.Irrep(ir.l, -ir.p) for ir in natural if self.parity]

    def _reached(self) -> set[e3nn.Irrep]:
        """Return the irreps that products with the harmonics make of scalars in so many layers."""
        reached = {e3nn.Irrep(0, 1)}
        for _ in range(self.layers):
            kept = reached & {*self._hidden()}
            reached = {ir for left in kept for right in self._harmonics() for ir in left * right}
        return reached
