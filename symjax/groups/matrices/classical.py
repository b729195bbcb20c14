"""The classical groups beside the orthogonal ones: linear, unitary, symplectic; and scaling."""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Key, Num

from symjax.groups.group import MatrixGroup, read_only
from symjax.groups.matrices.euclidean import reflection
from symjax.groups.words import random_exponential


def _unit(n: int, *ones: tuple[int, ...]) -> np.ndarray:
    """The n x n matrix of zeros with ones at the given places."""
    matrix = np.zeros((n, n))
    for place in ones:
        matrix[place] = 1
    return matrix


def _traceless_diagonals(n: int) -> list[np.ndarray]:
    return [_unit(n, (k, k)) - _unit(n, (k + 1, k + 1)) for k in range(n - 1)]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class _Connected(MatrixGroup):
    """A connected group of n x n matrices, sampled near the identity."""

    n: int

    @property
    def d(self) -> int:
        """The number of coordinates, n."""
        return self.n

    @property
    def generators(self) -> tuple[np.ndarray, ...]:
        """None: the group is connected."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Num[Array, "d d"]:
        """Return exp(A) of a random tangent A of bounded size."""
        return random_exponential(key, self.lie_algebra)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Scaling(_Connected):
    """The positive multiples of the identity of n-dimensional space."""

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The identity."""
        return read_only([np.eye(self.n)])


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SL(_Connected):
    """SL(n), the real n x n matrices of determinant 1."""

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The n^2 - 1 real matrices of trace 0."""
        shears = (_unit(self.n, place) for place in itertools.permutations(range(self.n), 2))
        return read_only([*shears, *_traceless_diagonals(self.n)])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return exp(A) of a random tangent A of bounded size."""
        return random_exponential(key, self.lie_algebra) if self.n > 1 else jnp.eye(1)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class GL(_Connected):
    """GL(n), the real invertible n x n matrices: component 0 keeps handedness, component 1 reverses it."""

    components = 2

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """All n^2 real matrices."""
        return read_only(_unit(self.n, place) for place in itertools.product(range(self.n), repeat=2))

    @functools.cached_property
    def generators(self) -> tuple[np.ndarray, ...]:
        """The reflection of the first axis."""
        return read_only([reflection(self.n, 0)])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return exp(A) of a random tangent A of bounded size, reflected in component 1."""
        return random_exponential(key, self.lie_algebra).at[:, 0].multiply(1 - 2 * component)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SU(_Connected):
    """SU(n), the complex unitary n x n matrices of determinant 1."""

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The n^2 - 1 anti-Hermitian matrices of trace 0."""
        return read_only([*_mixings(self.n), *(1j * h for h in _traceless_diagonals(self.n))])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Num[Array, "d d"]:
        """Return a uniformly random matrix; the only one of SU(1) is real."""
        q = _unitary(key, self.n)
        return q.at[:, 0].divide(jnp.linalg.det(q)) if self.n > 1 else jnp.eye(1)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class U(_Connected):
    """U(n), the complex unitary n x n matrices."""

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The n^2 anti-Hermitian matrices."""
        return read_only([*_mixings(self.n), *(1j * _unit(self.n, (k, k)) for k in range(self.n))])

    def sample(self, key: Key[Array, ""], component: int = 0) -> Complex[Array, "d d"]:
        """Return a uniformly random matrix."""
        return _unitary(key, self.n)


def _mixings(n: int) -> list[np.ndarray]:
    """The anti-Hermitian matrices that mix two axes, with a real or an imaginary entry."""
    pairs = list(itertools.combinations(range(n), 2))
    real = [(_unit(n, (j, i)) - _unit(n, (i, j))).astype(complex) for i, j in pairs]
    return real + [1j * _unit(n, (i, j), (j, i)) for i, j in pairs]


def _unitary(key: Key[Array, ""], n: int) -> Complex[Array, "d d"]:
    """The unitary factor Q of a complex Gaussian matrix QR whose R has a positive diagonal: it is uniform."""
    return jax.random.orthogonal(key, n, dtype=complex)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Sp(MatrixGroup):
    """Sp(m), the real 2m x 2m matrices that preserve the symplectic form of m positions and their m momenta."""

    m: int

    @property
    def d(self) -> int:
        """2m."""
        return 2 * self.m

    @functools.cached_property
    def form(self) -> np.ndarray:
        """J = [[0, 1], [-1, 0]] in blocks of m, which every element g preserves: g^T J g = J."""
        return read_only([np.kron(np.array([[0.0, 1.0], [-1.0, 0.0]]), np.eye(self.m))])[0]

    @functools.cached_property
    def lie_algebra(self) -> tuple[np.ndarray, ...]:
        """The m(2m+1) matrices J H of the quadratic Hamiltonians H, which are symmetric."""
        pairs = itertools.combinations_with_replacement(range(2 * self.m), 2)
        return read_only(self.form @ _unit(2 * self.m, (i, j), (j, i)) for i, j in pairs)

    @property
    def generators(self) -> tuple[np.ndarray, ...]:
        """None: the group is connected."""
        return ()

    def sample(self, key: Key[Array, ""], component: int = 0) -> Float[Array, "d d"]:
        """Return exp(A) of a random tangent A of bounded size."""
        return random_exponential(key, self.lie_algebra)
