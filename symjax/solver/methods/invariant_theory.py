"""The first fundamental theorems of invariant theory: diagrams that span the invariant tensors of the classical groups.

A tensor with k indices, of V (up) or V* (down), is invariant under
    O(n), O(p, q), Sp(n): if it is a sum over pairings of the indices, each pair joined by the invariant form (Brauer
        1937, Annals of Mathematics 38, 857); SO(n) and SO(p, q) have the volume form on n of the indices besides;
    GL(n), U(n): if it is a sum over bijections of upper and lower indices; SL(n) and SU(n) have the volume form;
    S(n): if it is a sum over set partitions, all indices of a part being equal.
See Weyl 1946, The Classical Groups, chapters 2 and 6. The inner products of diagrams need no tensors: they count loops.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from symjax.groups import GL, O11, O13, SL, SO, SO11, SO13, SU, MatrixGroup, O, S, SO11p, SO13p, Sp, U
from symjax.solver.bases import Unsolved

LARGEST = 2000  # diagrams

Slots = tuple[int, ...]


class Diagram(NamedTuple):
    """An invariant tensor, the product of three kinds of tensors of some of its slots.

    Attributes:
        equal: the parts of slots whose indices are equal, [i = j = ...].
        forms: the pairs of slots, both up or both down, joined by the invariant form F[i, j].
        volume: the slots of the volume form, or none.
        lowered: those of them where the invariant form lowers its index.
    """

    equal: tuple[Slots, ...]
    forms: tuple[Slots, ...] = ()
    volume: Slots = ()
    lowered: Slots = ()


class Spanning(NamedTuple):
    """Diagrams that span all invariants, their inner products, and the invariant form that they use."""

    diagrams: tuple[Diagram, ...]
    gram: Float[np.ndarray, "r r"]
    form: Float[np.ndarray, "d d"]


def spanning_diagrams(group: MatrixGroup, ups: Sequence[bool]) -> Spanning:
    """Return the diagrams of the invariant tensors with one index of V for each True in `ups`, of V* for each False.

    Raises:
        Unsolved: If the group is none of those above, there are too many diagrams, or one needs two volume forms.
    """
    d, (kind, special, form) = group.d, _theorem(group)
    if kind == "partitions":
        listed = (Diagram(parts) for parts in set_partitions(range(len(ups)), d))
    elif kind == "bijections":
        listed = _bijection_diagrams(ups, d if special else 0)
    else:
        listed = _pairing_diagrams(ups, d if special else 0, not np.array_equal(form, np.eye(d)))
    diagrams = tuple(itertools.islice(listed, LARGEST + 1))
    if len(diagrams) > LARGEST:
        raise Unsolved(f"there are more than {LARGEST} diagrams on {len(ups)} indices")
    if np.array_equal(form, -form.T):
        signs = np.array([_symplectic_sign(diagram, ups) for diagram in diagrams])
        gram = (-1) ** (len(ups) // 2) * _loop_gram(diagrams, len(ups), -d) * signs[:, None] * signs
    else:
        gram = _loop_gram(diagrams, len(ups), d)
    return Spanning(diagrams, gram, form)


def _theorem(group: MatrixGroup) -> tuple[str, bool, np.ndarray]:
    """Return which diagrams a group has, whether the volume is one of them, and its invariant form."""
    d = group.d
    turns, plane = d * (d - 1) // 2, {4: (O13, SO13p, SO13), 2: (O11, SO11p, SO11)}.get(d, ())
    symplectic = [(d * (d + 1) // 2, "pairings", False, lambda: Sp(d // 2))] if d % 2 == 0 else []
    table = [
        (turns, "pairings", False, lambda: O(d)),
        *symplectic,
        *((turns, "pairings", lorentz not in (O13, O11), lorentz) for lorentz in plane),
        (turns, "pairings", True, lambda: SO(d)),
        (d * d, "bijections", False, lambda: GL(d)),
        (d * d, "bijections", False, lambda: U(d)),
        (d * d - 1, "bijections", True, lambda: SL(d)),
        (d * d - 1, "bijections", True, lambda: SU(d)),
        (0, "partitions", False, lambda: S(d)),
    ]
    for tangents, kind, special, make in table:
        if tangents == len(group.lie_algebra) and (known := make()) == group:
            return kind, special, getattr(known, "form", np.eye(d))
    raise Unsolved(f"the invariants of {group} are not known as diagrams")


def pairings(slots: Sequence[int]) -> Iterator[tuple[Slots, ...]]:
    """Yield the ways to split an even number of slots into pairs; none for an odd number."""
    if not slots:
        yield ()
    for i in range(1, len(slots) if len(slots) % 2 == 0 else 0):
        for rest in pairings([*slots[1:i], *slots[i + 1 :]]):
            yield ((slots[0], slots[i]), *rest)


def set_partitions(slots: Sequence[int], largest: int) -> Iterator[tuple[Slots, ...]]:
    """Yield the ways to split slots into at most `largest` parts.

    Those with more parts than a set has things are sums of the others, and the others are independent.
    """
    if not slots:
        yield ()
        return
    for parts in set_partitions(slots[:-1], largest):
        for i, part in enumerate(parts):
            yield (*parts[:i], (*part, slots[-1]), *parts[i + 1 :])
        if len(parts) < largest:
            yield (*parts, (slots[-1],))


def _pairing_diagrams(ups: Sequence[bool], volume: int, has_form: bool) -> Iterator[Diagram]:
    slots = range(len(ups))
    chosen = [()] + (list(itertools.combinations(slots, volume)) if volume else [])
    for taken in chosen:
        for pairs in pairings([slot for slot in slots if slot not in taken]):
            forms = tuple((i, j) for i, j in pairs if has_form and ups[i] == ups[j])
            lowered = tuple(slot for slot in taken if has_form and not ups[slot])
            yield Diagram(tuple(pair for pair in pairs if pair not in forms), forms, taken, lowered)


def _bijection_diagrams(ups: Sequence[bool], volume: int) -> Iterator[Diagram]:
    upper = [slot for slot, up in enumerate(ups) if up]
    lower = [slot for slot, up in enumerate(ups) if not up]
    many, few = (upper, lower) if len(upper) >= len(lower) else (lower, upper)
    excess = len(many) - len(few)
    if excess and (not volume or excess % volume):
        return
    if excess > volume:
        raise Unsolved(f"{len(upper)} upper and {len(lower)} lower indices need more than one volume form")
    for taken in itertools.combinations(many, excess):
        rest = [slot for slot in many if slot not in taken]
        for images in itertools.permutations(few):
            yield Diagram(tuple(tuple(sorted(pair)) for pair in zip(rest, images, strict=True)), (), taken)


def _loop_gram(diagrams: Sequence[Diagram], k: int, d: int) -> Float[np.ndarray, "r r"]:
    """Return the inner products: d for each component of two diagrams laid upon each other.

    Two volume forms leave as many open chains as they have slots; those give n! times the sign of the permutation that
    the chains make, or 0 where a chain returns to its own form. A volume form is orthogonal to diagrams without it.
    """
    cycles = np.array([_cycles(diagram, k) for diagram in diagrams], dtype=int).reshape(len(diagrams), k)
    volumes = np.array([len(diagram.volume) for diagram in diagrams], dtype=int)
    gram = np.zeros((len(diagrams), len(diagrams)))
    for i, (diagram, n) in enumerate(zip(diagrams, volumes, strict=True)):
        alike = np.flatnonzero(volumes == n)
        names = _components(cycles[i], cycles[alike])
        loops = np.sum(names == np.arange(k), axis=1) - n
        gram[i, alike] = float(d) ** loops
        if n:
            ends = np.take_along_axis(names, np.array([diagrams[j].volume for j in alike.tolist()]), axis=1)
            chains = names[:, diagram.volume, None] == ends[:, None, :]
            gram[i, alike] *= math.factorial(n) * np.rint(np.linalg.det(chains.astype(float)))
    return gram


def _cycles(diagram: Diagram, k: int) -> list[int]:
    """Return the permutation of the slots that goes once around each part."""
    following = list(range(k))
    for part in diagram.equal + diagram.forms:
        for slot, after in zip(part, (*part[1:], part[0]), strict=True):
            following[slot] = after
    return following


def _components(cycle: Int[np.ndarray, " k"], others: Int[np.ndarray, "r k"]) -> Int[np.ndarray, "r k"]:
    """Return for each of the others the least slot that a path along both permutations leads to."""
    names = np.broadcast_to(np.arange(len(cycle)), others.shape)
    while True:
        new = np.minimum(names, names[:, cycle])
        new = np.minimum(new, np.take_along_axis(new, others, axis=1))
        if np.array_equal(new, names):
            return names
        names = new


def _symplectic_sign(diagram: Diagram, ups: Sequence[bool]) -> int:
    """Return the sign s with which s D obeys <s D, s E> = (-1)^(k/2) (-d)^loops.

    Pairings signed as permutations turn Sp(n) into O(-2n). Where the form J lowers indices, the pair of an upper and
    a lower slot is J J^T = 1, and that of a lower and an upper slot J J = -1.
    """
    pairs = sorted(diagram.equal + diagram.forms)
    order = [slot for pair in pairs for slot in pair]
    crossings = sum(a > b for a, b in itertools.combinations(order, 2))
    lowered = sum(not ups[i] and ups[j] for i, j in pairs)
    return (-1) ** (crossings + lowered)
