"""A law is what a function promises; a report says how far each promise is kept."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from symjax.laws.probe import at_hand, is_floating, noise_level, nudge

EXPLAINED = 16  # times what a few roundings of the input do to the output
MOST_PRINTED = 1000  # numbers


class Point(NamedTuple):
    """An input where laws are tried: the output there, one of usual size, and how far moves should go.

    `reach` is relative to the size of x; `near` says whether x is close to the input that was given.
    """

    x: Any
    y: Any
    usual: Any
    reach: float = 1.0
    near: bool = True

    @classmethod
    def of(
        cls, fn: Callable[[Any], Any], x: Any, *, reach: float = 1.0, near: bool = False, beside: Any = None
    ) -> "Point":
        """Return an input with its output, which is taken to be of usual size.

        Leaves that are but rounding noise `beside` another output, as where atoms far apart have no neighbours, are
        taken to be as large as there.
        """
        y = fn(x)
        usual = y if beside is None else jax.tree.map(_larger, y, beside)
        return cls(x, y, usual, reach, near)


class Failure(NamedTuple):
    """How far a function is from lawful, how much of that noise explains, and how far apart single calls are.

    Noise is what some roundings of the moved input make, or a mean over draws.
    """

    residual: Any
    rounding: Any = 0.0
    spread: Any = 0.0

    @property
    def is_unexplained(self) -> bool:
        """Whether roundings of the moved input make no such difference."""
        return self.residual > EXPLAINED * self.rounding


@runtime_checkable
class Law(Protocol):
    """A promise about a function, printed in one line by `str`."""

    @property
    def tolerance(self) -> float | None:
        """The largest lawful residual; None means rounding noise, which depends on the precision of the input."""
        ...

    @property
    def constant(self) -> bool:
        """Whether an output that ignores its input may count as lawful."""
        ...

    def elements(self, at: Point, key: Key[Array, ""], *, thorough: bool = False) -> Sequence[Any]:
        """Return what is tried at one point: group elements, moves of rows, keys."""
        ...

    def failure(self, fn: Callable[[Any], Any], at: Point, element: Any) -> Failure:
        """Return how far fn is from lawful for one element, relative to the size of its output."""
        ...


def residual(law: Law, fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> Float[Array, ""]:
    """Return how far fn is from lawful in one random trial at x, relative to the size of its output."""
    at = Point(x, fn(x), fn(nudge(x, jax.random.fold_in(key, 1))))
    failures = [law.failure(fn, at, element).residual for element in law.elements(at, key)]
    return jnp.max(jnp.stack([jnp.asarray(failure, float) for failure in failures]), initial=0)


def require_tolerance(tolerance: float | None, name: str) -> None:
    """Refuse a tolerance that nothing, or everything, would obey.

    Raises:
        ValueError: If it is negative, infinite or no number.
    """
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise ValueError(f"expected {name} to be a number of at least 0, got {tolerance!r}")


class Entry(NamedTuple):
    """One line of a report, with the point and the element of the worst trial, and how far apart single calls are."""

    law: str
    residual: float
    tolerance: float
    verdict: Literal["obeyed", "BROKEN", "VACUOUS"]
    point: Any = None
    element: Any = None
    spread: float = 0.0


@dataclasses.dataclass(frozen=True)
class Report:
    """The measured laws of one function: true where all are obeyed, and printed as one line a law.

    Where the search was thorough, what breaks a law is printed too, as the calls that make it.
    """

    entries: tuple[Entry, ...]
    thorough: bool = False

    def __bool__(self) -> bool:
        return all(entry.verdict == "obeyed" for entry in self.entries)

    def raise_if_broken(self) -> None:
        """Do nothing where every law is obeyed.

        Raises:
            ValueError: If a law is broken or holds only because the output ignores the input; with the whole report.
        """
        if not self:
            raise ValueError(f"expected every law to be obeyed, got\n{self}")

    def __repr__(self) -> str:
        return "\n".join(line for i, entry in enumerate(self.entries) for line in self._lines(i, entry))

    def _lines(self, i: int, entry: Entry) -> list[str]:
        lines = [
            f"{entry.verdict:<7}  residual {entry.residual:.1e}, at most {f'{entry.tolerance:.3g}':<6}  {entry.law}"
            + ("; some output ignores the input" if entry.verdict == "VACUOUS" else "")
            + (f"; a single call is off by {entry.spread:.1e}" if entry.spread else "")
        ]
        if self.thorough and entry.verdict == "BROKEN":
            lines += [_pasted(name, getattr(entry, name), i) for name in ("point", "element")]
        return lines


def _larger(own: Any, other: Any) -> Any:
    """Return a leaf, or the other one beside which it is no more than the noise of a deep network."""
    if not is_floating(own) or own.shape != other.shape:
        return own
    arrays = [at_hand(leaf) for leaf in (own, other)]
    sizes = [np.max(np.abs(a), initial=0, where=np.isfinite(a)) for a in arrays]
    return other if sizes[0] < noise_level(own) * sizes[1] else own


def _pasted(name: str, value: Any, i: int) -> str:
    """Return an assignment that makes a value, where that is short enough to be read."""
    count = sum(np.size(leaf) for leaf in jax.tree.leaves(value))
    if count > MOST_PRINTED:
        return f"{name} = report.entries[{i}].{name}  # {count} numbers"
    with np.printoptions(floatmode="unique", threshold=sys.maxsize, linewidth=120):
        return f"{name} = {jax.tree.map(np.asarray, value)!r}"
