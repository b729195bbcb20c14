"""Convolutions in the frame of each edge, where they are small matrices (Passaro and Zitnick 2023, arXiv:2302.03655).

Features are [e, (l_max + 1)^2, c], one number of channels for all degrees, components in e3nn's order. In a frame where
the edge points to the pole an equivariant map commutes with turns about the edge alone, so that it mixes components of
one order m; those with |m| <= m_max are listed order by order, as `symjax.math.by_order` says.
"""

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.groups import SO, O
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.interaction import RadialWeights
from symjax.math import by_order, frames, require_order, wigner_matrices
from symjax.reps import Angles, Columns, Irreps, LinearRep, Scalar, Tree, Trivial, Vectors, irreps


class SO2Edges(NamedTuple):
    """Features that an edge carries, its vector, a radial basis, and by which angle its frame is turned, or None."""

    features: Float[Array, "e k c"]
    vectors: Float[Array, "e 3"]
    radial: Float[Array, "e b"]
    turn: Float[Array, " e"] | None = None


def to_frames(wigner: Sequence[Float[Array, "e _ _"]], x: Float[Array, "e k c"]) -> Float[Array, "e components c"]:
    """Return the components of features in the frames of their edges, order by order: D^l x^l.

    Args:
        wigner: the rows |m| <= m_max of D^l of the rotations of the edges to the pole, for each degree.
        x: features.
    """
    turned = [_product(rows, x[:, degree**2 : (degree + 1) ** 2]) for degree, rows in enumerate(wigner)]
    return jnp.concatenate(turned, axis=1)[:, _places(*_degrees(wigner))]


def from_frames(wigner: Sequence[Float[Array, "e _ _"]], y: Float[Array, "e components c"]) -> Float[Array, "e k c"]:
    """Return features from their components in frames, the way back of `to_frames`.

    Those of degrees l > m_max, of which orders lack, are multiplied by sqrt((2 l + 1) / (2 m_max + 1)) to have the size
    of the others (Liao et al. 2024, arXiv:2306.12059).
    """
    ends = np.cumsum([rows.shape[1] for rows in wigner])[:-1]
    parts = jnp.split(y[:, np.argsort(_places(*_degrees(wigner))).astype(np.int32)], ends, axis=1)
    grown = [rows * math.sqrt(rows.shape[2] / rows.shape[1]) for rows in wigner]
    return jnp.concatenate(
        [_product(jnp.swapaxes(d, 1, 2), part) for d, part in zip(grown, parts, strict=True)], axis=1
    )


def _product(d: Float[Array, "e j k"], x: Float[Array, "e k c"]) -> Float[Array, "e j c"]:
    """Return the product of small matrices, at the highest precision.

    On a CPU a sum in one loop takes a quarter of the time, but where the next step is a nonlinearity its gradient is
    computed anew in every pass of the loop: 82 CPU ms instead of 32 for a convolution of degree 4 (1000 edges, 32
    channels).
    """
    return jnp.matmul(d, x, precision=Precision.HIGHEST)


def _degrees(wigner: Sequence[Float[Array, "e _ _"]]) -> tuple[int, int]:
    """Return l_max and m_max."""
    return len(wigner) - 1, max(rows.shape[1] for rows in wigner) // 2


def so2_linear(
    matrices: Sequence[Float[Array, "_ _"]],
    x: Float[Array, "e components c"],
    *,
    scalars: int = 0,
    scale: Float[Array, "e orders c"] | None = None,
) -> tuple[Float[Array, "e components o"], Float[Array, "e s"]]:
    """Return the linear map of components in frames that commutes with turns about the edge, and invariants of it.

        y_0 = W_0 x_0,    y_m = W_m x_m - V_m x_(-m),    y_(-m) = W_m x_(-m) + V_m x_m

    where x_m are the channels of all degrees l >= m side by side. With V_m = 0 it commutes with reflections too.

    Args:
        matrices: for each order [W_m | V_m] or W_m alone, [(l_max + 1 - m) c, ...], as rows act, each divided by the
            root of its number of rows; `scalars` columns more for m = 0.
        x: components order by order, as `to_frames` returns them.
        scalars: how many invariants.
        scale: factors of x_m, the same for x_(-m): m = 0 first, each with the degrees l >= m.
    """
    e, c = x.shape[0], x.shape[2]
    invariants, blocks, row, order = jnp.zeros((e, 0), x.dtype), [], 0, 0
    for m, matrix in enumerate(matrices):
        degrees, signs = matrix.shape[0] // c, 2 if m else 1
        block = x[:, row : row + signs * degrees].reshape(e, signs, degrees, c)
        if scale is not None:
            block = block * scale[:, None, order : order + degrees]
        matrix = matrix / math.sqrt(degrees * c)
        if m and matrix.shape[1] == 2 * degrees * width:
            matrix = _turning(matrix)
        rows = signs * degrees * c // matrix.shape[0]
        mapped = block.reshape(e, rows, matrix.shape[0]) @ matrix
        if m == 0:
            kept = mapped.shape[2] - scalars
            mapped, invariants = mapped[:, :, :kept], mapped[:, 0, kept:]
            width = kept // degrees
        blocks.append(mapped.reshape(e, signs * degrees, width))
        row, order = row + signs * degrees, order + degrees
    return jnp.concatenate(blocks, axis=1), invariants


def _turning(matrix: Float[Array, "i _"]) -> Float[Array, "_ _"]:
    """Return [[W, V], [-V, W]] / sqrt(2) of [W | V], as rows [x_m | x_(-m)] act.

    One product of all that has an order is faster than W and V of either sign and their sums: of the first map of a
    message of 32 channels (l = 3, m <= 2, 1784 edges) the gradient of a gradient takes 124 CPU ms instead of 176.
    """
    w, v = jnp.split(matrix / math.sqrt(2), 2, axis=1)
    return jnp.block([[w, v], [-v, w]])


def so2_convolution(linear: Callable, edges: SO2Edges, m_max: int) -> Float[Array, "e k o"]:
    """Return the features of each edge, mapped by `linear` in a frame where the edge points to the pole.

        y = D(R)^T linear(D(R) x),    R v = |v| (0, 1, 0)

    With every order, m_max = l_max, these are the maps that products with spherical harmonics up to degree 2 l_max and
    a linear map can make, at a cost that grows with l_max^3 instead of l_max^6. Turning a frame changes nothing.

    Args:
        linear: components in frames to components in frames, commuting with turns about the pole.
        edges: features, vectors and turns.
        m_max: the largest order of components to use.
    """
    rotations = frames(edges.vectors, turn=edges.turn)
    wigner = wigner_matrices(degree_of(edges.features), rotations, m_max=m_max)
    return from_frames(wigner, linear(to_frames(wigner, edges.features)))


def degree_of(features: Any) -> int:
    """Return the l_max of features [..., (l_max + 1)^2, c].

    Raises:
        ValueError: If they have no such number of components.
    """
    l_max = math.isqrt(features.shape[-2]) - 1
    if l_max < 0 or (l_max + 1) ** 2 != features.shape[-2]:
        raise ValueError(f"expected features [..., (l_max + 1)^2, c], got shape {features.shape}")
    return l_max


def natural(l_max: int) -> Columns:
    """Return how features [..., (l_max + 1)^2, c] turn: one irrep of each degree, with the parity of harmonics."""
    return Columns(Irreps("+".join(f"{degree}{'eo'[degree % 2]}" for degree in range(l_max + 1))))


class SO2Linear(nn.Module):
    """`so2_linear` with its own matrices, standard normal at first, and a bias of m = 0.

    Attributes:
        features: Channels of the output.
        l_max: The largest degree.
        m_max: The largest order.
        scalars: How many invariants are returned beside.
        reflections: Whether it commutes with reflections in planes of the edge too.
        bias: Whether there is a bias.
    """

    features: int
    l_max: int
    m_max: int
    scalars: int = 0
    reflections: bool = False
    bias: bool = True

    def laws(self, x: Float[Any, "e components c"]) -> tuple[Law, ...]:
        """Turns about the edge turn its components."""
        shown = Columns(_orders(self.l_max, self.m_max))
        return (Equivariance(SO(2), shown, Tree((shown, Trivial()), name=f"{shown}, scalars")),)

    @nn.compact
    def __call__(
        self, x: Float[Array, "e components c"], scale: Float[Array, "e orders c"] | None = None
    ) -> tuple[Float[Array, "e components o"], Float[Array, "e s"]]:
        """Return the mapped components, and invariants."""
        require_order(self.m_max, self.l_max)
        matrices, normal, parts = [], nn.initializers.normal(1.0), 1 if self.reflections else 2
        for m in range(self.m_max + 1):
            degrees = self.l_max + 1 - m
            width = degrees * self.features * (parts if m else 1) + (0 if m else self.scalars)
            matrices.append(self.param(f"order_{m}", normal, (degrees * x.shape[2], width), x.dtype))
        y, invariants = so2_linear(matrices, x, scalars=self.scalars, scale=scale)
        if not self.bias:
            return y, invariants
        zeros = nn.initializers.zeros
        bias = self.param("bias", zeros, (self.l_max + 1, self.features), x.dtype)
        y = y.at[:, : self.l_max + 1].add(bias[None])
        if not self.scalars:
            return y, invariants
        return y, invariants + self.param("bias_of_scalars", zeros, (1, self.scalars), x.dtype)


class SO2Convolution(nn.Module):
    """`so2_convolution` with a linear map of its own, whose inputs a radial network scales.

    Attributes:
        features: Channels of the output.
        m_max: The largest order; None for all.
        radial_widths: Hidden layers of the radial network; without a bias, so that it vanishes where the basis does.
        reflections: Whether reflections are a symmetry too, of features with the parity of spherical harmonics.
    """

    features: int
    m_max: int | None = None
    radial_widths: tuple[int, ...] = (64, 64)
    reflections: bool = False

    def laws(self, edges: SO2Edges) -> tuple[Law, ...]:
        """Rotations turn features and vectors, and frames may be turned about their edges."""
        shown, group = natural(degree_of(edges.features)), O(3) if self.reflections else SO(3)
        none = None if edges.turn is None else Trivial()
        moved = Tree(SO2Edges._make((shown, Vectors(), Trivial(), none)), name=f"{shown}, vectors")
        laws = [Equivariance(group, moved, shown)]
        if edges.turn is not None:
            turned = Tree(SO2Edges._make((Trivial(), Trivial(), Trivial(), Angles())), name="turns of the frames")
            laws.append(Equivariance(SO(2), turned, Trivial()))
        return tuple(laws)

    @nn.compact
    def __call__(self, edges: SO2Edges) -> Float[Array, "e k o"]:
        """Return the features of the edges."""
        channels, l_max = edges.features.shape[2], degree_of(edges.features)
        m_max = l_max if self.m_max is None else self.m_max
        orders = sum(l_max + 1 - m for m in range(m_max + 1))
        weights = RadialWeights((*self.radial_widths, orders * channels), name="radial")(edges.radial)
        scale = weights.reshape(len(weights), orders, channels)
        linear = SO2Linear(self.features, l_max, m_max, 0, self.reflections, False, name="linear")
        return so2_convolution(lambda x: linear(x, scale)[0], edges, m_max)


@functools.lru_cache
def _places(l_max: int, m_max: int) -> Int[np.ndarray, " components"]:
    """Return where the components of `by_order` are among those with |m| <= m_max degree by degree."""
    return np.argsort(np.argsort(by_order(l_max, m_max))).astype(np.int32)


def _orders(l_max: int, m_max: int) -> LinearRep:
    """Return how turns about the pole move components order by order."""
    group, (first, *others) = SO(2), [(l_max + 1 - m) * Scalar for m in range(m_max + 1)]
    return functools.reduce(operator.add, [irreps(str(m), group) * n for m, n in enumerate(others, 1)], first(group))
