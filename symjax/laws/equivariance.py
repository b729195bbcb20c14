"""Equivariance: moving the input by a group element moves the output by the same element."""

import dataclasses
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Key

from symjax.groups import Group, MatrixGroup, Motion, PermutationGroup
from symjax.laws.law import EXPLAINED, Failure, Point, require_tolerance, residual
from symjax.laws.parts import deviation
from symjax.laws.probe import at_hand, is_floating, jiggle, noise_level, typical
from symjax.reps import LinearRep, Rep, bound

USUAL, THOROUGH = 2, 4  # samples of each component
LARGE = 0.1  # of the rounding noise of a deep network
POWERS = 16, 8, 4, 2
MOST_SWAPS = 200


class Word(NamedTuple):
    """A product of group elements, the last of which acts first."""

    letters: tuple[Any, ...]

    def __repr__(self) -> str:
        texts = [repr(letter) for letter in self.letters]
        same = len(set(texts)) == 1
        return f"Word({len(texts)} * ({texts[0]},))" if same else f"Word(({', '.join(texts)}))"


@dataclasses.dataclass(frozen=True)
class Equivariance:
    """f(g x) = g f(x) for every g in `group`, acting by `rep_in` on the input and by `rep_out` on the output.

    An invariant output has `rep_out=Trivial()`. `tolerance` is declared where the law holds only approximately (a grid,
    a quadrature), `constant=True` where the output may ignore the floating-point input.

    Raises:
        ValueError: If the tolerance is negative or no number.
    """

    group: Group
    rep_in: Rep
    rep_out: Rep
    _: dataclasses.KW_ONLY
    tolerance: float | None = None
    constant: bool = False

    def __post_init__(self) -> None:
        """Refuse a tolerance that means nothing."""
        require_tolerance(self.tolerance, "tolerance")

    @classmethod
    def between(cls, rep_in: LinearRep, rep_out: LinearRep) -> "Equivariance":
        """Return the law of maps between two linear representations, as ones of a common group.

        Raises:
            ValueError: If neither has a group.
        """
        (rep_in, rep_out), group = bound(rep_in, rep_out)
        return cls(group, rep_in, rep_out)

    residual = residual

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> list[Any]:
        """Return two random elements of every component and every discrete generator.

        A function that obeys all generators of a finite group obeys the group. Translations are `at.reach` times as
        long as what they move is large. A thorough search has more elements, products of many, and every transposition
        of a permutation group that has it. Powers reach the far elements of groups that stretch.
        """
        keys = jax.random.split(key, THOROUGH if thorough else USUAL)
        sampled = [self.group.sample(k, component) for k in keys for component in range(self.group.components)]
        if isinstance(sampled[0], Motion):
            length = self.length(at, len(sampled[0].translation))
            sampled = [g._replace(translation=length * g.translation) for g in sampled]
        elements = sampled + [jax.tree.map(jnp.asarray, h) for h in getattr(self.group, "generators", ())]
        powers = [Word((g,) * n) for g, n in zip(sampled, itertools.cycle(POWERS), strict=False)]
        if not thorough:
            return elements + powers[: len(POWERS) * _stretches(self.group)]
        return elements + powers + [Word(tuple(sampled[:n])) for n in (2, 3, len(sampled))] + _swaps(self.group)

    def length(self, at: Point, dimension: int) -> float:
        """Return how long translations should be: `at.reach` times the typical size of the numbers that they move."""
        step = Motion(jnp.eye(dimension), jnp.ones(dimension))
        leaves = zip(jax.tree.leaves(at.x), jax.tree.leaves(self._moved(self.rep_in, step, at.x)), strict=True)
        sizes = [typical(at_hand(a)) for a, b in leaves if is_floating(a) and not _same(a, b)]
        return at.reach * max(sizes, default=1.0)

    def failure(self, fn: Callable[[Any], Any], at: Point, element: Any) -> Failure:
        """Return the worst deviation of f(g x) from g f(x), relative to the parts of the output that g does not mix.

        Raises:
            ValueError: If the element cannot act by the representations, or changes shapes or types.
        """
        way = self._way(self.rep_in, element, at.x)
        moved = way[-1]
        got, wanted = fn(moved), self._moved(self.rep_out, element, at.y)
        measure = partial(deviation, self.rep_out, usual=at.usual)
        failures = measure(got, wanted, near=at.near)
        roundings = [np.zeros(leaf.shape) for leaf in failures]
        if is_rounded(element) and _is_large(failures, got):
            roundings = measure(fn(jiggle(way, at.x, jax.random.key(0))), got, near=False)
        return _worst(failures, roundings)

    def _moved(self, rep: Rep, g: Any, x: Any) -> Any:
        return self._way(rep, g, x)[-1]

    def _way(self, rep: Rep, g: Any, x: Any) -> list[Any]:
        """Return where x is after each letter of a word."""
        if not isinstance(g, Word):
            return [self._act(rep, g, x)]
        way = [x]
        for letter in reversed(g.letters):
            way += self._way(rep, letter, way[-1])
        return way[1:] or way

    def _act(self, rep: Rep, g: Any, x: Any) -> Any:
        advice = f"expected elements of {self.group} to act by {rep}"
        try:
            moved = _act(rep, g, x)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{advice}, got {type(error).__name__}: {str(error).splitlines()[0]}") from error
        for before, after in zip(jax.tree.leaves(x), jax.tree.leaves(moved), strict=True):
            if not _is_like(after, before):
                raise ValueError(
                    f"{advice}, but {before.dtype}{list(before.shape)} became {after.dtype}{list(after.shape)}; "
                    "do the group and the representation belong together?"
                )
        return moved

    def then(self, other: "Equivariance") -> "Equivariance":
        """Return the law of the composite: first a function with this law, then one with the other.

        Raises:
            TypeError: If the groups differ, or the representations in the middle do.
        """
        if self.group != other.group:
            raise TypeError(f"expected laws of one group to compose, got {self.group} and then {other.group}")
        if self.rep_out != other.rep_in:
            raise TypeError(f"expected the second function to take {self.rep_out}, but it takes {other.rep_in}")
        declared = [law.tolerance for law in (self, other) if law.tolerance is not None]
        return Equivariance(
            self.group,
            self.rep_in,
            other.rep_out,
            tolerance=sum(declared) if declared else None,
            constant=self.constant or other.constant,
        )

    def __str__(self) -> str:
        return f"{self.group}: {self._said(self.rep_in)} -> {self._said(self.rep_out)}"

    def _said(self, rep: Rep) -> str:
        """Return a representation as it is said, without the group where that is said already."""
        said = str(rep)
        return rep.text if isinstance(rep, LinearRep) and said.endswith(f"({self.group})") else said


def _stretches(group: Group) -> bool:
    """Whether some elements lengthen vectors without end, such as boosts, of which samples are gentle."""
    return isinstance(group, MatrixGroup) and not group.is_unitary


def _swaps(group: Group) -> list[Any]:
    """Return the transpositions in a permutation group, in the order of their places, up to two hundred."""
    if not isinstance(group, PermutationGroup):
        return []
    pairs = itertools.islice(itertools.combinations(range(group.d), 2), MOST_SWAPS)
    swaps = [np.array([{i: j, j: i}.get(k, k) for k in range(group.d)]) for i, j in pairs]
    return [jnp.asarray(swap) for swap in swaps if group.contains(swap)]


def is_rounded(element: Any) -> bool:
    """Whether the products of an element with numbers are rounded, as those with permutations are not."""
    return any(is_floating(leaf) for leaf in jax.tree.leaves(element))


def _is_large(failures: list[Any], outputs: Any) -> bool:
    """Whether some failure is so large that rounding may have to explain it."""
    pairs = zip(failures, jax.tree.leaves(outputs), strict=True)
    return any(
        isinstance(failure, np.ndarray) and is_floating(leaf) and np.max(failure, initial=0) > LARGE * noise_level(leaf)
        for failure, leaf in pairs
    )


def _is_like(after: Any, before: Any) -> bool:
    """Whether shapes and types agree; real numbers that complex matrices move may become complex."""
    kinds = {before.dtype, np.result_type(before.dtype, np.complex64)} if is_floating(before) else {before.dtype}
    return before.shape == after.shape and after.dtype in kinds


def _same(a: Any, b: Any) -> bool:
    return not isinstance(b, Tracer) and np.array_equal(a, b, equal_nan=True)


def _worst(failures: list[Any], roundings: list[Any]) -> Failure:
    """Return the largest entry that rounding does not explain, or where there is none the largest."""
    if not all(isinstance(leaf, np.ndarray) for leaf in failures):
        return Failure(jnp.max(jnp.concatenate([jnp.ravel(leaf) for leaf in failures]), initial=0))
    worst = Failure(0.0)
    pairs = zip(failures, roundings, strict=True)
    for failure, rounding in ((f, r) for f, r in pairs if f.size):
        noise = np.broadcast_to(np.max(rounding, axis=tuple(range(failure.ndim - 1)), initial=0), failure.shape)
        unexplained = np.where(failure > EXPLAINED * noise, failure, 0)
        i = np.unravel_index(np.argmax(unexplained if unexplained.any() else failure), failure.shape)
        worst = max(worst, Failure(float(failure[i]), float(noise[i])), key=lambda f: (f.is_unexplained, f.residual))
    return worst


@partial(jax.jit, static_argnums=0)
def _act(rep: Rep, g: Any, x: Any) -> Any:
    return rep.act(g, x)
