"""Random elements of the algebra that the matrices of a group span, the same in each of its representations.

Whatever commutes with a group commutes with all sums of products of its matrices and tangents. Where these are closed
under the adjoint, a random Hermitian one has as few eigenvalues as the irreps allow, and tells one irrep from another.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Num

from symjax.groups import MatrixGroup, in_form_of
from symjax.reps import LinearRep
from symjax.solver.bases import Unsolved
from symjax.solver.linalg import eigh, independent

ROUNDING = 1e-10


class Letter(NamedTuple):
    """The element `constant + slope exp(A) + sum_j weights[j] h_j`, for a tangent A and the generators h_j of a group.

    A group element, unlike a tangent, does not grow with the rank of a tensor, and keeps the levels of small irreps as
    far apart as those of large ones.
    """

    constant: Any
    slope: Any
    element: Any
    weights: np.ndarray


@dataclasses.dataclass(frozen=True)
class Words:
    """Seeded random words: products of letters, random combinations of one, an element near it and the generators."""

    group: MatrixGroup
    seed: int

    @property
    def _letters(self) -> tuple[Letter, ...]:
        return _letters(self.group, self.seed)

    def hermitian(self, rep: LinearRep) -> Num[np.ndarray, "n n"]:
        """Return the Hermitian part of a word of 4 letters, or more for later seeds.

        A finite group of two generators needs so many to be generic.
        """
        rows = self._apply(rep, self._letters[6:], np.eye(rep.size))
        return (rows.T + rows.conj()) / 2

    def generic(self, rep: LinearRep, rows: Num[np.ndarray, "r n"], which: int) -> Num[np.ndarray, "r n"]:
        """Return rho(w) x for each row x, where w is one of three words of 2 letters (which = 0, 1, 2)."""
        return self._apply(rep, self._letters[2 * which : 2 * which + 2], rows)

    def _apply(self, rep: LinearRep, letters: Sequence[Letter], rows: np.ndarray) -> np.ndarray:
        for letter in letters:
            rows = _apply(letter, rep, rows)
        return rows


@functools.lru_cache(maxsize=64)
def _letters(group: MatrixGroup, seed: int) -> tuple[Letter, ...]:
    rng = np.random.default_rng(seed)
    return tuple(_letter(rng, group) for _ in range(10 + seed // 2))


def _letter(rng: np.random.Generator, group: MatrixGroup) -> Letter:
    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape) + (0 if group.is_real else 1j * rng.standard_normal(shape))

    tangent = _random_tangent(rng, group)
    element = None if tangent is None else in_form_of(group, jax.tree.map(_exponential, tangent))
    return Letter(normal(), normal(), element, normal(len(group.generators)))


def _exponential(a: np.ndarray) -> np.ndarray:
    """Return exp(k) exp(h) of the anti-Hermitian and the Hermitian part of a, tangents too where this method applies.

    The Hermitian one is shortened where it would stretch some vector by more than e^(1/2).
    """
    angles, turning = eigh((a - a.conj().T) / 2j)
    stretches, stretching = eigh((a + a.conj().T).astype(complex) / 2)
    turn = (turning * np.exp(1j * angles)) @ turning.conj().T
    stretch = (stretching * np.exp(stretches / max(1.0, 2 * float(np.max(np.abs(stretches)))))) @ stretching.conj().T
    g = turn @ stretch
    return g if np.iscomplexobj(a) else np.real(g)


def _apply(letter: Letter, rep: LinearRep, rows: np.ndarray) -> np.ndarray:
    total = letter.constant * rows
    if letter.element is not None:
        total = total + letter.slope * rep.act(letter.element, rows)
    for weight, element in zip(letter.weights, rep.require_group().generators, strict=True):
        total = total + weight * rep.act(element, rows)
    return total


def check_adjoint(rep: LinearRep) -> None:
    """Refuse a representation whose matrices do not span an algebra that is closed under the adjoint.

    It is enough that the tangents are closed under the adjoint, which the representation keeps, and that the generators
    act unitarily. Both are polynomial identities, tested on random vectors.

    Raises:
        Unsolved: If they are not, as for shears and translations.
    """
    group, rng = rep.require_group(), np.random.default_rng(0)
    x, y = rng.standard_normal((2, 3, rep.size))
    tangent = _random_tangent(rng, group)
    if tangent is not None:
        adjoint = jax.tree.map(lambda a: a.conj().T, tangent)
        if not _in_span(adjoint, group):
            raise Unsolved("the Lie algebra is not closed under the adjoint")
        if not _close(rep.dact(tangent, y).conj() @ x.T, y @ rep.dact(adjoint, x).T):
            raise Unsolved("the representation does not keep the adjoints of the Lie algebra")
    for h in group.generators:
        if not _close(rep.act(h, x) @ rep.act(h, y).conj().T, x @ y.T):
            raise Unsolved("a generator does not act by a unitary matrix")


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, rtol=0, atol=ROUNDING * float(np.max(np.abs(b), initial=1.0)))


def _random_tangent(rng: np.random.Generator, group: MatrixGroup) -> Any:
    """Return a normally distributed tangent, or None where there are none."""
    if not group.directions:
        return None
    _, recipe = _orthonormal(group)
    weights = rng.standard_normal(len(recipe)) @ recipe
    return jax.tree.map(lambda *leaves: np.tensordot(weights, np.stack(leaves), axes=1), *group.directions)


def _in_span(tangent: Any, group: MatrixGroup) -> bool:
    basis, _ = _orthonormal(group)
    flat = _flatten(tangent)
    return _close(flat @ basis.T @ basis, flat)


@functools.lru_cache(maxsize=64)
def _orthonormal(group: MatrixGroup) -> tuple[Float[np.ndarray, "t c"], Float[np.ndarray, "t g"]]:
    """Return an orthonormal basis of the real span of the tangents, as vectors and as sums of the given ones."""
    given = np.stack([_flatten(a) for a in group.directions])
    chosen, mix = independent(given @ given.T)
    recipe = np.zeros((len(chosen), len(given)))
    recipe[:, chosen] = mix.T
    return recipe @ given, recipe


def _flatten(tangent: Any) -> Float[np.ndarray, " c"]:
    leaves = jax.tree.leaves(tangent)
    return np.concatenate([part.ravel() for leaf in leaves for part in (leaf.real, leaf.imag)])
