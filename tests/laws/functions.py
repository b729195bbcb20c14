"""Functions of known lawfulness, on which the checker itself is measured: 24 that break a law and 36 that obey it.

`RARELY` names the broken ones that are found at few inputs or elements only, so that a usual check may miss them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symjax.groups import O13, SE, SO, Alt, E, O, S, TimeShifts, Translations, U, Z
from symjax.laws import Causality, Equivariance, Intertwining
from symjax.reps import (
    Axis,
    Irreps,
    Matrices,
    Points,
    Pseudovectors,
    Scalar,
    T,
    TimeAxis,
    Tree,
    Trivial,
    V,
    Vectors,
)


class Known(NamedTuple):
    """A function, an input, and a law that it obeys or not."""

    fn: Any
    x: Any
    law: Any
    atol: float | None = None


def normal(seed, *shape, dtype=np.float64):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


X, T6, P = normal(11, 7, 3), normal(5, 6, 2), normal(3, 4, 4)
X32 = X.astype(jnp.float32)
MOTIONS, ENERGY = Equivariance(E(3), Points(), Vectors()), Equivariance(E(3), Points(), Trivial())
TURNS, INVARIANT = Equivariance(O(3), Vectors(), Vectors()), Equivariance(O(3), Vectors(), Trivial())
ROWS, PAST = Equivariance(S(7), Axis(0), Axis(0)), Causality(np.tri(6))
LORENTZ = Equivariance.between(V(O13()), (2 * Scalar)(O13()))
LINEAR = Intertwining(V(S(4)), V(S(4)))
AXIS = np.array([0.3, 0.0, 0.0])[None]


def squares(x):
    return jnp.sum(x**2, axis=-1, keepdims=True)


def lawful(x):
    return jnp.tanh(squares(x)) * x


def centred(x):
    return x - x.mean(axis=0, keepdims=True)


def energy(x):
    return jnp.sum(jnp.exp(-jnp.sum((x[:, None] - x[None]) ** 2, axis=-1)))


def running(x):
    return jnp.cumsum(x, axis=0)


def when(condition, size=AXIS):
    return jnp.where(condition, size, 0).astype(size.dtype)


def interval(x):
    return x[..., :1] ** 2 - jnp.sum(x[..., 1:] ** 2, axis=-1, keepdims=True)


def beyond_rapidity_4(x):
    twice = jnp.concatenate([interval(x), jnp.sin(interval(x))], axis=-1)
    return twice + when(jnp.abs(x[..., :1]) > 27 * jnp.sqrt(jnp.abs(interval(x))), np.ones((1, 2)))


def half_unturned(x):
    turned = jnp.concatenate([1e4 * squares(x), lawful(x)], axis=-1)
    return turned.at[..., 1].multiply(-1)


BROKEN = {
    "a cone of 3 % of directions": Known(lambda x: lawful(x) + when(x[0, 2] < -0.94 * jnp.linalg.norm(x[0])), X, TURNS),
    "beyond 6 from the origin": Known(lambda x: centred(x) + when(jnp.max(jnp.abs(x)) > 6), X, MOTIONS),
    "clipped beyond 5": Known(lambda x: centred(jnp.clip(x, -5, 5)), X, MOTIONS),
    "spread beyond 1.5": Known(lambda x: lawful(x) + when(jnp.mean(x**2) > 2.25), X, TURNS),
    "the sign of a difference": Known(lambda x: jnp.tanh(x) + 1e-2 * jnp.sign(x[3, 0] - x[4, 0]), X, ROWS),
    "the place of the largest": Known(lambda x: x + jnp.argmax(x[:, 0]).astype(x.dtype), X, ROWS),
    "ties of an argmax": Known(
        lambda x: jax.nn.one_hot(jnp.argmax(x[:, 0]), 7, dtype=x.dtype)[:, None] * x + x, X, ROWS
    ),
    "an axis of 3e-5 in float32": Known(lambda x: lawful(x) + np.float32(1e-4) * AXIS.astype(np.float32), X32, TURNS),
    "a channel of 1e-5 of another": Known(
        lambda x: jnp.concatenate([1e5 * squares(x), x[:, :1]], axis=-1), X32, INVARIANT
    ),
    "an irrep beside one 1e4 larger": Known(half_unturned, X, Equivariance(O(3), Vectors(), Irreps("0e+1o"))),
    "half of the channels constant": Known(
        lambda x: jnp.concatenate([squares(x), jnp.ones((7, 1), x.dtype)], axis=-1), X, INVARIANT
    ),
    "an irrep that is never reached": Known(
        lambda x: jnp.concatenate([lawful(x), 0 * x], axis=-1), X, Equivariance(O(3), Vectors(), Irreps("1o+1e"))
    ),
    "a leak of 1e-6 of the mean": Known(lambda x: running(x) + 1e-6 * x.mean(axis=0, keepdims=True), T6, PAST),
    "a leak where the mean exceeds 2.5": Known(lambda x: running(x) + jnp.where(jnp.mean(x) > 2.5, 1.0, 0.0), T6, PAST),
    "a leak of two rows at once": Known(
        lambda x: running(x).at[0].add(jnp.where((x[4, 0] > 2.5) & (x[5, 0] > 2.5), 1.0, 0.0)), T6, PAST
    ),
    "NaN beyond 3.5": Known(lambda x: jnp.where(jnp.max(jnp.abs(x)) > 3.5, jnp.nan, 1) * lawful(x), X, TURNS),
    "beyond a rapidity of 4": Known(beyond_rapidity_4, jnp.asarray([[2.0, 0.3, 0.1, 0.2]]), LORENTZ),
    "linear near the origin": Known(lambda x: 2 * x + jnp.maximum(x - 20, 0), P, LINEAR),
    "a bias of 1e-7 on one place": Known(lambda x: x + np.array([[1e-7, 0, 0, 0]]), P, LINEAR),
    "a pseudovector called a vector": Known(lambda x: jnp.cross(x, jnp.roll(x, 1, axis=0)), X, TURNS),
    "a transposition of Z(7)": Known(
        lambda x: x + jnp.roll(x, 1, axis=0) * (x[::-1] + x), X, Equivariance(Z(7), Axis(0), Axis(0))
    ),
    "a window that wraps": Known(
        lambda x: jnp.concatenate([x[1:], 0 * x[:1]]), T6, Equivariance(TimeShifts(6), TimeAxis(), TimeAxis())
    ),
    "even where it should be odd": Known(lambda x: jnp.abs(x), T6, Equivariance(O(2), Vectors(), Vectors())),
    "half a stress": Known(
        lambda x: x[:, :, None] * jnp.abs(x)[:, None, :], X, Equivariance(O(3), Vectors(), Matrices())
    ),
}
RARELY = {
    "a cone of 3 % of directions",
    "a leak of two rows at once",
}


def masked_attention(d):
    return jax.nn.softmax(d["q"] @ d["q"].T + d["bias"], axis=-1) @ d["q"]


def convolution(x):
    kernel = np.exp(-np.arange(6) / 3.0)[:, None]
    return jnp.fft.irfft(jnp.fft.rfft(x, 12, axis=0) * jnp.fft.rfft(kernel, 12, axis=0), 12, axis=0)[:6]


def attention(x):
    return jax.nn.softmax(jnp.where(np.tri(6) > 0, x @ x.T, -jnp.inf), axis=-1) @ x


def sorted_features(x):
    return jnp.sort(x, axis=0) * jnp.arange(1.0, 8.0, dtype=x.dtype)[:, None]


CUBE = Equivariance(S(7), Axis(0), Trivial())
TREE = Equivariance(S(7), Tree({"a": Axis(0), "b": Axis(0)}), Tree({"y": Axis(0)}))
MASK = jnp.where(np.tri(6) > 0, 0.0, -jnp.inf)
COMPLEX = jax.lax.complex(X, X[::-1])

RIGHT = {
    "points in metres": Known(centred, 1e-10 * X, MOTIONS),
    "points of 1e-4": Known(centred, 1e-4 * X, MOTIONS),
    "points of 1e-4, float32": Known(centred, 1e-4 * X32, MOTIONS),
    "points at 1e6": Known(centred, X + 1e6, MOTIONS),
    "points at 1e3, float32": Known(centred, X32 + 1e3, MOTIONS),
    "forces": Known(jax.grad(energy), X, MOTIONS),
    "forces, float32": Known(jax.grad(energy), X32, MOTIONS),
    "an energy of -4209, float32": Known(lambda x: -4209 + 0.1 * energy(x), X32, ENERGY),
    "an energy of -1e6": Known(lambda x: -1e6 + energy(x), X, ENERGY),
    "a mask of -inf in the input": Known(masked_attention, {"q": normal(1, 6, 4), "bias": MASK}, PAST),
    "a mask of -inf inside": Known(attention, T6, PAST),
    "a convolution by FFT": Known(convolution, T6, PAST, 1e-4),
    "an output of no rows": Known(lambda x: x[:0], X, TURNS),
    "an input of no rows": Known(lambda x: 2 * x, jnp.zeros((0, 3)), TURNS),
    "an empty field": Known(
        lambda d: d["x"], {"x": X, "none": jnp.zeros((7, 0))}, Equivariance(S(7), Axis(0), Axis(0))
    ),
    "outputs of 1e30": Known(lambda x: 1e30 * lawful(x), X, TURNS),
    "outputs of 1e30, float32": Known(lambda x: 1e30 * lawful(x), X32, TURNS),
    "outputs of 1e-30": Known(lambda x: 1e-30 * lawful(x), X, TURNS),
    "ranks as integers": Known(lambda x: jnp.sum(x[:, None, 0] > x[None, :, 0], axis=-1), X, ROWS),
    "sorted values": Known(sorted_features, X, CUBE),
    "a median": Known(lambda x: jnp.median(x, axis=0), X, CUBE),
    "a softmax over rows": Known(lambda x: jax.nn.softmax(x, axis=0), X, ROWS),
    "complex rows of U(3)": Known(
        lambda x: x * jnp.sum(x * x.conj(), axis=-1, keepdims=True), COMPLEX, Equivariance.between(V(U(3)), V(U(3)))
    ),
    "dictionaries": Known(lambda d: {"y": d["a"] + d["b"].sum(axis=0)[None]}, {"a": X, "b": X + 1}, TREE),
    "bfloat16": Known(lawful, X.astype(jnp.bfloat16), TURNS),
    "float16": Known(lawful, X.astype(jnp.float16), TURNS),
    "irreps of two sizes": Known(
        lambda x: jnp.concatenate([1e4 * squares(x), lawful(x)], axis=-1),
        X,
        Equivariance(O(3), Vectors(), Irreps("0e+1o")),
    ),
    "a torque": Known(
        lambda x: jnp.cross(x, jnp.roll(x, 1, axis=0)), X, Equivariance(O(3), Vectors(), Pseudovectors())
    ),
    "a torque without reflections": Known(
        lambda x: jnp.cross(x, jnp.roll(x, 1, axis=0)), X, Equivariance(SE(3), Vectors(), Vectors())
    ),
    "an inertia tensor": Known(lambda x: x.T @ x, X, Equivariance(O(3), Vectors(), Matrices())),
    "an interval": Known(interval, normal(2, 5, 4), Equivariance.between(V(O13()), Scalar(O13()))),
    "a linear map": Known(lambda x: 3 * x + 1e3 + x.mean(axis=-1, keepdims=True), P, LINEAR),
    "an outer product": Known(
        lambda x: (x[..., :, None] * x[..., None, :]).reshape(4, 9),
        normal(8, 4, 3),
        Equivariance.between(V(SO(3)), T(2)(SO(3))),
    ),
    "differences of instants": Known(
        lambda x: x - jnp.roll(x, 1, axis=0), T6, Equivariance(TimeShifts(6), TimeAxis(), TimeAxis())
    ),
    "what translations leave": Known(
        lambda x: jnp.diff(x, axis=0), X, Equivariance(Translations(3), Points(), Vectors())
    ),
    "the parity of an order": Known(
        lambda x: jnp.prod(jnp.stack([x[j, 0] - x[i, 0] for i in range(5) for j in range(i)])),
        X[:5],
        Equivariance(Alt(5), Axis(0), Trivial()),
    ),
}
