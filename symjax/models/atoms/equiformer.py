"""Equiformer, an equivariant graph attention transformer (Liao and Smidt 2023, arXiv:2206.11990)."""

import functools
from collections.abc import Callable
from typing import Any

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph

from symjax.graphs import edge_vectors
from symjax.laws import Law
from symjax.layers.irreps import (
    AttentionEdges,
    EquiformerBlock,
    IrrepsLayerNorm,
    IrrepsLinear,
    Messages,
    RadialProfile,
    scaled_silu,
    tensor_product_conv,
    tensor_product_paths,
)
from symjax.math import exp_normal_basis, poly_envelope, require_rates, safe_norm
from symjax.models.atoms.parts import SCALARS, atom_laws, embed_charges, layered_atoms, require_irreps, require_options

MANY = 6  # layers: from so many on, one is compiled for all, and activations are made again on the way back


class Blocks(nn.Module):
    """Many blocks as one loop, whose activations are made again on the way back; parameters have an axis of blocks.

    Attributes:
        block: Makes a module from graphs to graphs whose nodes are of the same kind.
        count: How many.
    """

    block: Callable[..., nn.Module]
    count: int

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple, **given: Any) -> jraph.GraphsTuple:
        """Return the graph with the nodes of the last block, each of which is given the rest."""

        def step(block: nn.Module, nodes: Any, _: None) -> tuple[Any, None]:
            return _plain(block(graph._replace(nodes=nodes), **given).nodes), None

        many = nn.scan(
            nn.remat(step),
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            length=self.count,
        )
        return graph._replace(nodes=many(self.block(name="block"), _plain(graph.nodes), None)[0])


def _plain(nodes: Any) -> Any:
    """Return the same nodes without the notes of what is zero, which would differ from block to block."""
    return e3nn.IrrepsArray(nodes.irreps, nodes.array) if isinstance(nodes, e3nn.IrrepsArray) else nodes


def equiformer_edges(graph: jraph.GraphsTuple, harmonics: e3nn.Irreps, *, cutoff: float, count: int) -> AttentionEdges:
    """Return harmonics of the edges, TorchMD-NET's basis of exp(-5 r / rc), and the envelope of the cutoff."""
    vectors = jnp.asarray(edge_vectors(graph))
    lengths = safe_norm(vectors)
    degrees = e3nn.Irreps.spherical_harmonics(harmonics.lmax)
    with jax.default_matmul_precision("highest"):  # coarser products on accelerators would break the symmetry
        values = e3nn.spherical_harmonics(degrees, vectors, normalize=True, normalization="component")
    radial = exp_normal_basis(lengths, cutoff=cutoff, count=count, decay=5 / cutoff)
    return AttentionEdges(e3nn.IrrepsArray(harmonics, values.array), radial, poly_envelope(lengths, cutoff=cutoff))


class Equiformer(nn.Module):
    """Embed species and what surrounds each atom, attend to neighbours in blocks, and read the outputs of each atom.

    Energies have two continuous derivatives at the cutoff, where those of the reference jump: see `attention_weights`.
    By default mirror images have equal energies; the irreps of the paper, "128x0e+64x1e+32x2e", go with
    `reflections=False`. The published potentials do without dropout.

    With those irreps, 100 species and the other defaults there are 3,426,945 parameters. The 3,500,609 of the reference
    are these, 128 of a bias of the species, and 73,536 of products with vectors and tensors in its first sum over
    neighbours, which are zero there.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: Irreps that are computed for each atom, e.g. "1x0e" or "1x0e + 1x1o".
        irreps: Features of an atom.
        head_irreps: Values of an attention head.
        mid_irreps: Hidden layers of the perceptrons.
        features: Channels after the last block, of every irrep of the outputs and of even scalars.
        lmax: Largest degree of the harmonics.
        reflections: Whether mirror images have equal energies; if not, all irreps are even, and the law is SE(3).
        heads: How many attention heads.
        messages: How scores and values are made; see `EquiformerAttention`.
        layers: Number of blocks.
        radial_basis: Number of radial functions.
        radial_widths: Hidden layers of the radial networks.
        charges: Read the total charge and the spin multiplicity of a structure.
        drop_path: Probability in training that a structure goes without one half of a block.
        alpha_drop: Share of the attention weights that are dropped in training.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    irreps: str = "128x0e+64x1o+32x2e"
    head_irreps: str = "32x0e+16x1o+8x2e"
    mid_irreps: str = "384x0e+192x1o+96x2e"
    features: int = 512
    lmax: int = 2
    reflections: bool = True
    heads: int = 4
    messages: Messages = "nonlinear"
    layers: int = 6
    radial_basis: int = 32
    radial_widths: tuple[int, ...] = (64, 64)
    charges: bool = False
    drop_path: float = 0.0
    alpha_drop: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        require_rates(self.drop_path, self.alpha_drop)
        require_options(self, features=1, lmax=0, heads=1, layers=1, radial_basis=2)
        for name in ("irreps", "head_irreps", "mid_irreps"):
            text = getattr(self, name)
            require_irreps(name, text)
            if e3nn.Irrep(0, 1) not in e3nn.Irreps(text):
                raise ValueError(f"expected {name} with even scalars, such as 64x0e+32x1o, got {text!r:.60}")
        if lacking := {ir for _, ir in e3nn.Irreps(self.outputs)} - {ir for _, ir in e3nn.Irreps(self.irreps)}:
            names = ", ".join(map(str, sorted(lacking)))
            raise ValueError(f"expected outputs that the irreps {self.irreps} have, got {self.outputs}; add {names}")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions turn the outputs of each atom as their irreps say; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs, reflections=self.reflections)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        edges = equiformer_edges(graph, self._harmonics(), cutoff=self.cutoff, count=self.radial_basis)
        last = sorted({e3nn.Irrep(0, 1)} | {ir for _, ir in e3nn.Irreps(self.outputs)})
        final = self._block(e3nn.Irreps([(self.features, ir) for ir in last]))(name=f"layer_{self.layers - 1}")
        return layered_atoms(
            lambda state: self._embed(state, graph),
            [*self._equal_blocks(), final],
            self._read,
            edges,
            graph,
        )

    def _harmonics(self) -> e3nn.Irreps:
        parity = -1 if self.reflections else 1
        return e3nn.Irreps([(1, e3nn.Irrep(degree, parity**degree)) for degree in range(self.lmax + 1)])

    def _equal_blocks(self) -> list[nn.Module]:
        """Return all blocks but the last."""
        block, count = self._block(e3nn.Irreps(self.irreps)), self.layers - 1
        if self.layers < MANY:
            return [block(name=f"layer_{layer}") for layer in range(count)]
        return [Blocks(block, count, name="layers")]

    def _block(self, irreps: e3nn.Irreps) -> Callable[..., EquiformerBlock]:
        options = (self.head_irreps, self.mid_irreps, self.heads, self.messages, self.radial_widths)
        rates = (self.drop_path, self.alpha_drop)
        return functools.partial(EquiformerBlock, str(irreps), *options, *rates)

    def _embed(self, state: jraph.GraphsTuple, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return a vector of the species, and a sum over neighbours of harmonics times functions of the distance."""
        irreps, edges = e3nn.Irreps(self.irreps), state.edges
        scalars = irreps.filter(SCALARS)
        n, channels, dtype = len(state.nodes), scalars.dim, edges.radial.dtype
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, channels), dtype)
        own = e3nn.IrrepsArray(scalars, embed_charges(table[state.nodes], graph, self.charges))
        ones = e3nn.IrrepsArray(scalars, jnp.ones((n, channels), dtype))
        paths = tensor_product_paths(ones.irreps, edges.harmonics.irreps, irreps)
        weigh = RadialProfile((*self.radial_widths, sum(path.target.mul for path in paths)), name="degree_radial")
        weights = weigh(edges.radial) * edges.envelope[:, None] / jnp.sqrt(self.average_neighbours).astype(dtype)
        ends = {"senders": state.senders, "receivers": state.receivers}
        around = tensor_product_conv(ones, edges.harmonics, weights, paths=paths, **ends)
        return own.extend_with_zeros(irreps) + IrrepsLinear(self.irreps, bias=True, name="degree")(around)

    def _read(self, x: e3nn.IrrepsArray) -> e3nn.IrrepsArray:
        """Return even scalars by a perceptron of the scalars, and the other outputs linearly."""
        x = IrrepsLayerNorm(name="norm")(x)
        scalars = IrrepsLinear(f"{self.features}x0e", bias=True, name="read_hidden")(x.filter(SCALARS)).array
        hidden = e3nn.IrrepsArray(f"{self.features}x0e", scaled_silu(scalars))
        both = e3nn.concatenate([hidden, x.filter(drop=SCALARS)])
        return IrrepsLinear(self.outputs, bias=True, name="readout")(both)
