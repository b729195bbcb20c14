"""NequIP, an E(3)-equivariant interatomic potential (Batzner et al. 2022, arXiv:2101.03164)."""

import math

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph

from symjax.graphs import ATOMS, edge_vectors
from symjax.groups import E, S
from symjax.laws import Equivariance, Law
from symjax.layers.irreps import Interaction, InteractionEdges, InteractionNodes, IrrepsLinear
from symjax.math.radial import bessel_basis, poly_envelope
from symjax.math.safe import safe_norm
from symjax.reps import Relabelling, Trivial


class NequIP(nn.Module):
    """Embed the species, pass interactions between irreps features, and read an energy off the scalars of each atom.

    The radial basis sqrt(2) sin(n pi r / rc) / r is Bessel's, of unit mean square at 1 Å, times a polynomial envelope.
    The last interaction only computes scalars, because nothing else reaches the energy. The paper reads out with two
    linear maps in a row; one linear map is the same family.

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
    outputs: str = "1x0e"
    radial_basis: int = 8
    radial_widths: tuple[int, ...] = (64, 64)

    def __post_init__(self):
        super().__post_init__()
        for name, least in {"species": 1, "channels": 1, "lmax": 0, "layers": 1, "radial_basis": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"expected {name} of at least {least}, got {getattr(self, name)}")
        for name in ("cutoff", "average_neighbours"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected a positive {name}, got {getattr(self, name)}")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions leave the energy alone, and so does the numbering of the atoms."""
        n = graph.nodes.species.shape[0]
        return Equivariance(E(3), ATOMS, Trivial()), Equivariance(S(n), Relabelling(), Trivial())

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return atoms."""
        edges, species = self._embed_edges(graph), graph.nodes.species
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), edges.radial.dtype)
        scalars = f"{self.channels}x0e"
        graph = graph._replace(nodes=InteractionNodes(e3nn.IrrepsArray(scalars, table[species]), species), edges=edges)
        for layer, irreps in enumerate([self._hidden_irreps()] * (self.layers - 1) + [scalars]):
            graph = Interaction(
                irreps, self.species, self.average_neighbours, self.radial_widths, name=f"layer_{layer}"
            )(graph)
        return IrrepsLinear(self.outputs, name="readout")(graph.nodes.features)

    def _hidden_irreps(self) -> str:
        natural = [e3nn.Irrep(degree, (-1) ** degree) for degree in range(self.lmax + 1)]
        unnatural = [e3nn.Irrep(ir.l, -ir.p) for ir in natural if self.parity]
        return "+".join(f"{self.channels}x{ir}" for ir in natural + unnatural)

    def _embed_edges(self, graph: jraph.GraphsTuple) -> InteractionEdges:
        vectors = jnp.asarray(edge_vectors(graph))
        lengths = safe_norm(vectors)
        basis = math.sqrt(self.cutoff) * bessel_basis(lengths, cutoff=self.cutoff, count=self.radial_basis)
        envelope = poly_envelope(lengths, cutoff=self.cutoff)
        degrees = e3nn.Irreps.spherical_harmonics(self.lmax)
        with jax.default_matmul_precision("highest"):  # coarser products on accelerators would break the symmetry
            harmonics = e3nn.spherical_harmonics(degrees, vectors, normalize=True, normalization="component")
        return InteractionEdges(harmonics, basis * envelope[:, None])
