"""NequIP, an E(3)-equivariant interatomic potential (Batzner et al. 2022, arXiv:2101.03164)."""

from collections.abc import Callable, Sequence
from typing import Literal

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.laws import Law
from symjax.layers.irreps import Interaction, InteractionEdges, InteractionNodes, IrrepsLinear
from symjax.math import bessel_roots
from symjax.models.atoms.parts import atom_laws, embed_charges, embed_edges, require_irreps, require_options


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


def nequip_edges(
    graph: jraph.GraphsTuple,
    harmonics: e3nn.Irreps,
    *,
    cutoff: float,
    count: int,
    roots: Float[Array, " count"] | None = None,
    onset: float | None = None,
) -> InteractionEdges:
    """Return the spherical harmonics of the edges, of degrees 0, 1, ..., and the radial basis of `embed_edges`.

    Harmonics that are called even turn as their irreps say all the same; a reflection would show that they are not.
    """
    edges = embed_edges(graph, cutoff=cutoff, count=count, roots=roots, onset=onset)
    degrees = e3nn.Irreps.spherical_harmonics(harmonics.lmax)
    with jax.default_matmul_precision("highest"):  # coarser products on accelerators would break the symmetry
        values = e3nn.spherical_harmonics(degrees, edges.vectors, normalize=True, normalization="component")
    return InteractionEdges(e3nn.IrrepsArray(harmonics, values.array), edges.radial)


class NequIP(nn.Module):
    """Embed the species, pass interactions between irreps features, and read the outputs of each atom off linearly.

    The last interaction only computes the irreps of the outputs, because nothing else reaches them. The paper reads out
    with two linear maps in a row; one linear map is the same family. So is any constant factor of the radial basis or
    of an activation, which the next weights take in.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps that are computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        channels: Multiplicity of every irrep.
        lmax: Largest degree of features and harmonics.
        parity: Also keep irreps of unnatural parity (pseudoscalars, pseudovectors, ...).
        reflections: Whether mirror images have equal energies; if not, all irreps are even, and the law is SE(3).
        layers: Number of interactions.
        hidden_irreps: Features after each layer but the last, e.g. "64x0e+32x1o+16x2e"; none: from channels and lmax.
        self_connection: Whether each species has weights of its own for its features, or all share linear ones.
        radial_basis: Number of Bessel functions.
        trainable_bessel: Train the roots of the Bessel functions.
        radial_widths: Hidden layers of the radial networks.
        xplor_onset: Å from where XPLOR's switching leads to zero, with one derivative; None: a polynomial, with two.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 32
    lmax: int = 2
    parity: bool = False
    reflections: bool = True
    layers: int = 3
    hidden_irreps: tuple[str, ...] = ()
    self_connection: Literal["species", "linear"] = "species"
    radial_basis: int = 8
    trainable_bessel: bool = False
    radial_widths: tuple[int, ...] = (64, 64)
    xplor_onset: float | None = None
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        require_options(self, channels=1, lmax=0, layers=1, radial_basis=1)
        self._require_irreps()
        if self.xplor_onset is not None and not 0 <= self.xplor_onset < self.cutoff:
            raise ValueError(f"expected an xplor_onset from 0 to the cutoff of {self.cutoff}, got {self.xplor_onset}")
        if lacking := {ir for _, ir in e3nn.Irreps(self.outputs)} - self._reached():
            names = ", ".join(map(str, sorted(lacking)))
            raise ValueError(
                f"expected outputs that the layers reach, got {self.outputs}, where nothing leads to {names}; "
                "take more layers, a higher lmax, or parity"
            )

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs of each atom as their irreps say; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs, reflections=self.reflections)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        dtype = jnp.asarray(graph.nodes.positions).dtype
        roots = self._roots(dtype) if self.trainable_bessel else None
        radial = {"cutoff": self.cutoff, "count": self.radial_basis, "roots": roots, "onset": self.xplor_onset}
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), dtype)
        outputs = sorted({ir for _, ir in e3nn.Irreps(self.outputs)})
        stages = [*self._hidden(), e3nn.Irreps([(self.channels, ir) for ir in outputs])]
        return nequip_atoms(
            lambda species: e3nn.IrrepsArray(f"{self.channels}x0e", embed_charges(table[species], graph, self.charges)),
            [self._interaction(layer, irreps) for layer, irreps in enumerate(stages)],
            IrrepsLinear(self.outputs, name="readout"),
            nequip_edges(graph, self._harmonics(), **radial),
            graph,
        )

    def _roots(self, dtype: jnp.dtype) -> Float[Array, " b"]:
        return self.param("roots", lambda _: bessel_roots(cutoff=self.cutoff, count=self.radial_basis, dtype=dtype))

    def _interaction(self, layer: int, irreps: e3nn.Irreps) -> Interaction:
        species = self.species if self.self_connection == "species" else None
        return Interaction(str(irreps), species, self.average_neighbours, self.radial_widths, name=f"layer_{layer}")

    def _harmonics(self) -> e3nn.Irreps:
        parity = -1 if self.reflections else 1
        return e3nn.Irreps([(1, e3nn.Irrep(degree, parity**degree)) for degree in range(self.lmax + 1)])

    def _hidden(self) -> list[e3nn.Irreps]:
        """Return the features after each layer but the last."""
        if self.hidden_irreps:
            return [e3nn.Irreps(irreps) for irreps in self.hidden_irreps]
        natural = [ir for _, ir in self._harmonics()]
        kept = natural + [e3nn.Irrep(ir.l, -ir.p) for ir in natural if self.parity]
        return [e3nn.Irreps([(self.channels, ir) for ir in kept])] * (self.layers - 1)

    def _reached(self) -> set[e3nn.Irrep]:
        """Return the irreps that products with the harmonics make of scalars in so many layers."""
        features = {e3nn.Irrep(0, 1)}
        for kept in self._hidden():
            features = self._products(features) & {ir for _, ir in kept}
        return self._products(features)

    def _products(self, features: set[e3nn.Irrep]) -> set[e3nn.Irrep]:
        return {ir for left in features for _, right in self._harmonics() for ir in left * right}

    def _require_irreps(self) -> None:
        """Refuse hidden irreps that are none or too large, or are not as many as the layers but the last.

        Raises:
            ValueError: They are.
        """
        if self.hidden_irreps and len(self.hidden_irreps) != self.layers - 1:
            raise ValueError(
                f"expected hidden_irreps for each of {self.layers} layers but the last, got {len(self.hidden_irreps)}"
            )
        for text in self.hidden_irreps:
            require_irreps("hidden_irreps", text)
