"""DimeNet++, a potential of distances and angles (Gasteiger et al. 2020, arXiv:2011.14115)."""

import functools
import math
from collections.abc import Callable, Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
from jaxtyping import Array, Float

from symjax.graphs import edge_vectors, reverse_edges
from symjax.laws import Law
from symjax.layers.graph import DimeNetEdges, DimeNetLayer
from symjax.math import poly_envelope, safe_divide, safe_norm, safe_sinc, segment_sum, spherical_bessel_basis
from symjax.models.atoms.parts import atom_laws, embed_charges, require_options, require_scalars


def dimenet_atoms(
    embed: Callable,
    interactions: Sequence[Callable],
    readouts: Sequence[Callable],
    edges: DimeNetEdges,
    graph: jraph.GraphsTuple,
) -> e3nn.IrrepsArray:
    """Return the sum of all readouts for each atom, of the first messages and of those after each interaction.

    Args:
        embed: radial bases [e, b] to messages [e, c].
        interactions: such as `DimeNetLayer`, from graphs of `DimeNetEdges` to the same.
        readouts: one more; graphs of `DimeNetEdges` to outputs [n, irreps].
        edges: from `dimenet_edges`.
        graph: nodes are `AtomNodes`, receivers in rising order.
    """
    state = graph._replace(nodes=graph.nodes.species, edges=edges._replace(messages=embed(edges.radial)))
    total = readouts[0](state)
    for interact, read in zip(interactions, readouts[1:], strict=True):
        state = interact(state)
        total = total + read(state)
    return total


def dimenet_edges(
    graph: jraph.GraphsTuple,
    *,
    cutoff: float,
    frequencies: Float[Array, " b"],
    degrees: int,
    count: int,
    power: int = 6,
    rounded: bool = False,
) -> DimeNetEdges:
    """Return edges without messages; with d = r / rc and u(d) = poly_envelope / d, their bases are these.

        radial_n = u(d) sin(f_n d),  spherical_ln = u(d) N_ln j_l(z_ln d)

    Where atoms coincide, `spherical`, which is infinite there, is zero.
    """
    vectors = jnp.asarray(edge_vectors(graph))
    lengths = safe_norm(vectors)
    envelope, d = poly_envelope(lengths, cutoff=cutoff, p=power), lengths / cutoff
    waves = safe_sinc(jnp.multiply.outer(d, frequencies)) * jnp.multiply.outer(jnp.ones_like(d), frequencies)
    basis = spherical_bessel_basis(lengths, cutoff=cutoff, degrees=degrees, count=count, rounded=rounded)
    return DimeNetEdges(
        jnp.zeros((len(d), 0), d.dtype),
        jnp.asarray(graph.edges.shifts),
        safe_divide(vectors, lengths[:, None]),
        waves * envelope[:, None],
        basis * safe_divide(envelope, d)[:, None, None],
    )


class DimeNetPP(nn.Module):
    """Messages on directed edges, which hear those that arrive where they start, by distance and angle.

    Energies have two continuous derivatives at the cutoff. Sums over neighbours are divided by the root of
    `average_neighbours`, which the paper leaves to the weights.

    Attributes:
        species: Number of elements the model knows.
        average_neighbours: Mean number of edges that an atom receives in the training data.
        cutoff: Å.
        outputs: What is computed for each atom, even scalars, e.g. "1x0e".
        channels: Features of an edge.
        layers: Number of interactions.
        triplet_channels: Features of an edge where it meets another.
        basis_channels: Size of the linear layer between a basis and its filters.
        output_channels: Features of an atom in a readout.
        output_layers: Hidden layers of a readout.
        spherical_basis: Number of degrees of the functions of an angle.
        radial_basis: Number of functions of the distance, for each degree too.
        before: Residual blocks of an interaction before the old messages are added.
        after: Residual blocks after.
        envelope_power: Power p of the envelope, 1 - (p+1)(p+2)/2 d^p + ...
        rounded_zeros: Round the zeros of Bessel functions to single precision, as weights of other programs expect.
        charges: Read the total charge and the spin multiplicity of a structure.
    """

    species: int
    average_neighbours: float
    cutoff: float = 5.0
    outputs: str = "1x0e"
    channels: int = 128
    layers: int = 4
    triplet_channels: int = 64
    basis_channels: int = 8
    output_channels: int = 256
    output_layers: int = 3
    spherical_basis: int = 7
    radial_basis: int = 6
    before: int = 1
    after: int = 2
    envelope_power: int = 6
    rounded_zeros: bool = False
    charges: bool = False

    def __post_init__(self):
        super().__post_init__()
        least = dict.fromkeys(("channels", "layers", "triplet_channels", "basis_channels", "output_channels"), 1)
        least |= {"output_layers": 0, "spherical_basis": 1, "radial_basis": 1, "before": 0, "after": 0}
        require_options(self, envelope_power=2, **least)
        if self.spherical_basis > 12:
            raise ValueError(f"expected spherical_basis of at most 12, got {self.spherical_basis}")
        require_scalars(self.outputs, "distances and angles")

    def laws(self, graph: jraph.GraphsTuple) -> tuple[Law, ...]:
        """Motions leave the outputs alone; the numbering of the atoms means nothing."""
        return atom_laws(graph, self.outputs)

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        dtype, scale = graph.nodes.positions.dtype, 1 / math.sqrt(self.average_neighbours)
        roots = self.param("frequencies", lambda _: math.pi * jnp.arange(1, self.radial_basis + 1, dtype=dtype))
        table = self.param("embedding", nn.initializers.normal(1.0), (self.species, self.channels), dtype)
        sizes = {"degrees": self.spherical_basis, "count": self.radial_basis, "power": self.envelope_power}
        edges = dimenet_edges(graph, cutoff=self.cutoff, frequencies=roots, rounded=self.rounded_zeros, **sizes)
        dense = functools.partial(nn.Dense, self.channels, kernel_init=nn.initializers.xavier_uniform())
        widen, join = (dense(param_dtype=dtype, name=name) for name in ("embedding_radial", "embedding_join"))
        h = embed_charges(table[graph.nodes.species], graph, self.charges)

        def embed(radial: Array) -> Array:
            parts = [h[graph.receivers], h[graph.senders], jax.nn.silu(widen(radial))]
            return jax.nn.silu(join(jnp.concatenate(parts, axis=-1)))

        options = self.triplet_channels, self.basis_channels, self.before, self.after, scale
        layers, reverse = [DimeNetLayer(*options, name=f"layer_{k}") for k in range(self.layers)], reverse_edges(graph)
        reader = functools.partial(_Readout, self.output_channels, self.output_layers, self.outputs, scale)
        return dimenet_atoms(
            embed,
            [functools.partial(layer, reverse=reverse) for layer in layers],
            [reader(name=f"readout_{layer}") for layer in range(self.layers + 1)],
            edges,
            graph,
        )


class _Readout(nn.Module):
    """Messages times a filter of the distance, summed where they arrive, through a perceptron; zero at first."""

    channels: int
    layers: int
    outputs: str
    scale: float

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return the outputs of every atom."""
        x, dtype, irreps = graph.edges.messages, graph.edges.messages.dtype, e3nn.Irreps(self.outputs)
        dense = functools.partial(nn.Dense, kernel_init=nn.initializers.xavier_uniform(), param_dtype=dtype)
        weighted = x * dense(x.shape[-1], use_bias=False, name="filter")(graph.edges.radial) * self.scale
        h = segment_sum(weighted, graph.receivers, graph.nodes.shape[0], indices_are_sorted=True)
        h = dense(self.channels, use_bias=False, name="up")(h)
        for layer in range(self.layers):
            h = jax.nn.silu(dense(self.channels, name=f"hidden_{layer}")(h))
        last = nn.Dense(irreps.dim, False, kernel_init=nn.initializers.zeros, param_dtype=dtype, name="last")
        return e3nn.IrrepsArray(irreps, last(h))
