"""Irreps by name, of the groups whose irreps have names: `irreps("2x0 + 3x1", SO(2))`."""

import fractions
import importlib
import re
from collections.abc import Callable
from typing import Any

from symjax.groups import SO, SU, C, D, MatrixGroup, O, S
from symjax.reps.irreducible.planar import Turns
from symjax.reps.irreducible.young import Specht
from symjax.reps.linear import LinearRep, sum_of
from symjax.reps.powers import symmetric
from symjax.reps.tensor import Det, Scalar, V, restrict

TERM = re.compile(r"(?:(\d+)\s*x\s*)?(\S.*?)\s*")


def irreps(names: str, group: MatrixGroup) -> LinearRep:
    """Return a direct sum of irreps of a group by their names, each after its multiplicity: "8x0e + 4x1o".

    | group | names |
    |---|---|
    | `O(3)` | "0e", "0o", "1o", ...: degree and parity, as `Irreps` |
    | `SO(3)` | "0", "1", "2", ...: the degree |
    | `SO(2)`, `C(k)` | "0", "1", ...: how many times the angle; real, of size 2 except 0 and k/2 |
    | `O(2)`, `D(k)` | "0e", "0o" (what mirrors negate), "1", "2", ..., and k/2 is "2e" and "2o" for k = 4 |
    | `SU(2)` | "0", "1/2", "1", ...: the spin |
    | `S(n)` | "[n]" (trivial), "[n-1, 1]", ...: partitions of n |

    Raises:
        ValueError: If the group has no such irrep, or none with names.
    """
    find = next((find for is_it, find in FAMILIES if is_it(group)), None)
    if find is None:
        raise ValueError(f"the irreps of {group} have no names here; irreps_of(rep) lists those of a representation")
    terms = []
    for part in names.split("+"):
        match = TERM.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"expected irreps as in '2x0 + 3x1', got {names!r}")
        terms.append((find(match[2], group), int(match[1] or 1)))
    return sum_of(terms, group)


def _of_space(name: str, group: MatrixGroup) -> LinearRep:
    if isinstance(group, O):
        return importlib.import_module("symjax.reps.irreducible.orthogonal").Irreps(name)
    degree = _number(name, group, "a degree such as 0, 1, 2")
    return restrict(importlib.import_module("symjax.reps.irreducible.orthogonal").Irreps(f"{degree}e"), group)


def _of_plane(name: str, group: MatrixGroup) -> LinearRep:
    mirrors, k = isinstance(group, O | D), group.k if isinstance(group, C) else None
    digits, parity = (name[:-1], name[-1]) if mirrors and name[-1] in "eo" else (name, "")
    frequency = _number(digits, group, "a multiple of the angle such as 0, 1, 2")
    is_single = frequency == 0 or 2 * frequency == k
    if (k is not None and 2 * frequency > k) or bool(parity) != (mirrors and is_single):
        listed = " or ".join([f"{frequency}e", f"{frequency}o"] if mirrors and is_single else [str(frequency)])
        most = "" if k is None else f" up to {k // 2}"
        raise ValueError(f"{group} has no irrep {name!r}; expected names such as {listed}{most}")
    if frequency == 0:
        return (Det if parity == "o" else Scalar)(group)
    return Turns(frequency, group, (parity or "e") if is_single else "")


def _of_spin(name: str, group: MatrixGroup) -> LinearRep:
    try:
        twice = 2 * fractions.Fraction(name)
    except (ValueError, ZeroDivisionError):
        twice = fractions.Fraction(-1)
    if twice < 0 or twice.denominator > 1:
        raise ValueError(f"expected a spin such as 0, 1/2, 1, got {name!r}")
    return symmetric(V, int(twice))(group) if twice else Scalar(group)


def _of_permutations(name: str, group: MatrixGroup) -> LinearRep:
    if not re.fullmatch(r"[\[(][\d\s,]*[\])]", name):
        raise ValueError(f"expected a partition such as [{group.d - 1}, 1], got {name!r}")
    return Specht(tuple(map(int, re.findall(r"\d+", name))), group)


def _number(name: str, group: MatrixGroup, what: str) -> int:
    if not name.isdecimal():
        raise ValueError(f"expected {what} to name an irrep of {group}, got {name!r}")
    return int(name)


FAMILIES: tuple[tuple[Callable[[Any], bool], Callable[[str, MatrixGroup], LinearRep]], ...] = (
    (lambda group: isinstance(group, SO) and group.n == 3, _of_space),
    (lambda group: isinstance(group, C) or (isinstance(group, SO) and group.n == 2), _of_plane),
    (lambda group: isinstance(group, SU) and group.n == 2, _of_spin),
    (lambda group: isinstance(group, S), _of_permutations),
)
