"""EquiformerV2, a graph attention transformer on SO(2) convolutions (Liao et al. 2024, arXiv:2306.12059)."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Literal

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import edge_vectors
from symjax.laws import Law
from symjax.layers.irreps import (
    DegreeNorm,
    DegreesLinear,
    FramedEdges,
    Kind,
    RadialProfile,
    S2Activation,
    Shared,
    SO2Attention,
    Wigner,
    drop_graphs,
    equiformer_block,
    from_frames,
)
from symjax.math import frames, gaussian_basis, poly_envelope, require_rates, safe_norm, segment_sum, wigner_matrices
from symjax.models.atoms.equiformer import MANY, Blocks
from symjax.models.atoms.parts import atom_laws, embed_charges, layered_atoms, require_options

SHARED: Mapping[str, Shared] = {"separable": "above", "merged": "all"}  # degrees that a norm divides alike

Norm = Literal["separable", "merged"]


class EquiformerV2(nn.Module):
    """Embed species and degrees, let atoms attend to each other, and read outputs off each atom.

    The defaults are the paper's for OC20. Unlike there, an envelope takes edges away at the cutoff with two
    derivatives, inside the softmax and at the values; frames are differentiated, and depend on no random angle; and
    the first sum over edges is divided by the root of `average_neighbours`. Silu on a grid keeps rotations only
    roughly (see `S2Activation`); activation="product" and norm="merged" are in the manner of the third version (Liao
    et al. 2026, arXiv:2604.09130), and exact.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps of natural parity (even l even, odd l odd) computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        channels: Multiplicity of each degree.
        lmax: Largest degree of the features.
        mmax: Largest order in the frames of edges.
        layers: Number of attentions, each followed by a perceptron.
        hidden: Channels of messages.
        heads: Number of heads.
        alpha: Invariants of a head, from which its attention is made.
        value: Channels of a head.
        perceptron: Hidden channels of the perceptrons.
        activation: "silu" on a grid, or the exact "product" of the third version.
        norm: "separable", or "merged" of the third version.
        resolution: Points of a grid in each direction.
        radial_basis: Number of Gaussian functions of the distance, two steps wide.
        radial_widths: Hidden layers of the radial networks.
        edge_channels: Features of edges from the species at either end.
        reflections: Whether energies are those of mirror images by construction; not so in the paper.
        charges: Read the total charge and the spin multiplicity of a structure.
        drop_path: Probability in training that a structure goes without one half of a block.
        alpha_drop: Share of the attention that is dropped in training.
    """

    species: int
    average_neighbours: float
    cutoff: float = 12.0
    outputs: str = "1x0e"
    channels: int = 128
    lmax: int = 6
    mmax: int = 2
    layers: int = 12
    hidden: int = 64
    heads: int = 8
    alpha: int = 64
    value: int = 16
    perceptron: int = 128
    activation: Kind = "silu"
    norm: Norm = "separable"
    resolution: int = 18
    radial_basis: int = 600
    radial_widths: tuple[int, ...] = (128, 128)
    edge_channels: int = 128
    reflections: bool = False
    charges: bool = False
    drop_path: float = 0.0
    alpha_drop: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        require_rates(self.drop_path, self.alpha_drop)
        counts = ("channels", "layers", "hidden", "heads", "alpha", "value", "perceptron", "edge_channels")
        require_options(self, lmax=0, mmax=0, radial_basis=2, **dict.fromkeys(counts, 1))
        if self.mmax > self.lmax:
            raise ValueError(f"expected an mmax of at most lmax, {self.lmax}, got {self.mmax}")
        for _, ir in e3nn.Irreps(self.outputs):
            if ir.p != (-1) ** ir.l or ir.l > self.lmax:
                raise ValueError(
                    f"expected outputs of natural parity up to l = {self.lmax}, such as 1x0e + 1x1o, got {ir}; take "
                    "nequip for others, or a larger lmax"
                )
        self._activation()

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs as their irreps say; the numbering of the atoms means nothing.

        With silus on grids the former holds as far as each of the two activations of a layer does, at most.
        """
        turned, renumbered = atom_laws(graph, self.outputs, reflections=self.reflections)
        missed = self._activation().tolerance
        tolerance = None if missed is None else min(1.0, 2 * self.layers * missed)
        return dataclasses.replace(turned, tolerance=tolerance), renumbered

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = self._edges(graph)
        wigner = wigner_matrices(self.lmax, frames(edges.vectors), m_max=self.mmax)
        if self.layers < MANY:
            blocks = [self._block()(name=f"layer_{layer}") for layer in range(self.layers)]
        else:
            blocks = [Blocks(self._block(), self.layers, name="layers")]
        layers = [functools.partial(block, wigner=wigner) for block in blocks]
        return layered_atoms(functools.partial(self._embed, graph, wigner), layers, self._read, edges, graph)

    def _block(self) -> Callable[..., nn.Module]:
        attention = (self.hidden, self.heads, self.alpha, self.value, self.activation, self.resolution)
        attend = functools.partial(
            SO2Attention, self.channels, self.mmax, *attention, self.radial_widths, self.reflections, self.alpha_drop
        )
        return functools.partial(_Block, SHARED[self.norm], attend, self._perceptron(self.channels), self.drop_path)

    def _perceptron(self, features: int) -> Callable[..., nn.Module]:
        return functools.partial(_Perceptron, self._activation(), self.perceptron, features)

    def _edges(self, graph: jraph.GraphsTuple) -> FramedEdges:
        """Return vectors, a basis of lengths beside features of both ends, and the envelope."""
        vectors = jnp.asarray(edge_vectors(graph))
        lengths, species = safe_norm(vectors), graph.nodes.species
        basis = gaussian_basis(lengths, cutoff=self.cutoff, count=self.radial_basis, width=2.0)
        ends = [
            self._table(f"{end}_species", self.edge_channels, vectors)[species[places]]
            for end, places in (("sender", graph.senders), ("receiver", graph.receivers))
        ]
        return FramedEdges(vectors, jnp.concatenate([basis, *ends], axis=1), poly_envelope(lengths, cutoff=self.cutoff))

    def _embed(self, graph: jraph.GraphsTuple, wigner: Wigner, state: jraph.GraphsTuple) -> Float[Array, "n k c"]:
        """Return the species as scalars, and all degrees of a sum over edges of functions that point along them."""
        edges, species = state.edges, state.nodes
        radial = RadialProfile((*self.radial_widths, (self.lmax + 1) * self.channels), name="degree")(edges.features)
        components = radial.reshape(len(radial), self.lmax + 1, self.channels) * edges.envelope[:, None, None]
        middle = [rows.shape[1] // 2 for rows in wigner]  # m = 0
        along = from_frames([rows[:, [m]] for rows, m in zip(wigner, middle, strict=True)], components)
        heard = segment_sum(along, graph.receivers, len(species), indices_are_sorted=True)
        scalars = embed_charges(self._table("embedding", self.channels, components)[species], graph, self.charges)
        return (heard / self.average_neighbours**0.5).at[:, 0].add(scalars)

    def _read(self, x: Float[Array, "n k c"]) -> e3nn.IrrepsArray:
        """Return the outputs: the degrees that they name, of a perceptron."""
        irreps = e3nn.Irreps(self.outputs)
        width = max(irreps.count(ir) for _, ir in irreps)
        y = self._perceptron(width)(name="readout")(DegreeNorm(SHARED[self.norm], name="norm")(x))
        chunks, used = [], {ir: 0 for _, ir in irreps}
        for multiplicity, ir in irreps:
            part = y[:, ir.l**2 : (ir.l + 1) ** 2, used[ir] : used[ir] + multiplicity]
            chunks.append(jnp.swapaxes(part, 1, 2))
            used[ir] += multiplicity
        return e3nn.from_chunks(irreps, chunks, x.shape[:1], x.dtype)

    def _table(self, name: str, width: int, like: Array) -> Float[Array, "s c"]:
        return self.param(name, nn.initializers.normal(1.0), (self.species, width), like.dtype)

    def _activation(self) -> S2Activation:
        return S2Activation(self.activation, self.lmax, None, self.resolution)


class _Perceptron(nn.Module):
    """A linear map, an activation on the sphere (at "silu" a perceptron of every point), and another map."""

    activate: S2Activation
    hidden: int
    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "n k c"]) -> Float[Array, "n k o"]:
        width = self.hidden
        gates = nn.Dense(width, param_dtype=x.dtype, name="gates")(x[:, 0])
        hidden = DegreesLinear(self.activate.width(width), name="first")(x)
        if self.activate.kind == "silu":
            point = functools.partial(nn.Dense, width, use_bias=False, param_dtype=x.dtype)
            layers = [point(name="point_0"), jax.nn.silu, point(name="point_1"), jax.nn.silu, point(name="point_2")]
            hidden = self.activate(hidden, gates, nn.Sequential(layers))
        else:
            hidden = self.activate(hidden, gates)
        return DegreesLinear(self.features, name="second")(hidden)


class _Block(nn.Module):
    """`equiformer_block` with an attention and a perceptron, both made here."""

    shared: Shared
    attention: Callable[..., nn.Module]
    perceptron: Callable[..., nn.Module]
    drop_path: float

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, wigner: Wigner) -> jraph.GraphsTuple:
        norms = DegreeNorm(self.shared, name="norm_attention"), DegreeNorm(self.shared, name="norm_perceptron")
        attend = functools.partial(self.attention(name="attention"), wigner=wigner)
        drop = functools.partial(drop_graphs, self, self.drop_path, graph)
        return equiformer_block(norms, attend, self.perceptron(name="perceptron"), lambda y: y, graph, drop)
