"""Whether two groups are one, whoever wrote their generators: decided by their elements, where these can be told.

Permutations are looked up in chains of stabilisers, the elements of a finite group are listed, and where there are
tangents, these are compared by the algebra that they span and discrete elements by what its exponentials reach.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from symjax.groups.exponentials import Algebra, algebra_of, is_reached, spans
from symjax.groups.group import DirectProduct, MatrixGroup
from symjax.groups.listing import as_matrix, is_near_one, list_elements
from symjax.groups.permutations import PermutationGroup, stabiliser_chain
from symjax.math import patience, signed_permutation

SAME = 1e-9  # entries of one element, relative to its largest
MOST_STEPS = 200_000  # products of permutations, of which some seconds are spent at most
MOST_COMPONENTS = 24  # of a group with tangents

Verdict = bool | None


def factors_of(group: MatrixGroup) -> tuple[MatrixGroup, ...]:
    """Return the factors of a direct product; the group itself if it is none."""
    return tuple(group.groups) if isinstance(group, DirectProduct) else (group,)


@functools.lru_cache(maxsize=1024)
def same_group(one: MatrixGroup, other: MatrixGroup) -> bool | None:
    """Return whether two groups have the same elements as matrices, or None where that is not decided.

    >>> same_group(PermutationGroup([(1, 2, 0), (0, 2, 1)]), PermutationGroup([(1, 0, 2), (0, 2, 1)]))
    True
    """
    if one == other:
        return True
    if isinstance(one, DirectProduct) or isinstance(other, DirectProduct):
        parts = factors_of(one), factors_of(other)
        if type(one) is not type(other) or len(parts[0]) != len(parts[1]):
            return False
        return _every(map(same_group, *parts))
    if one.d != other.d:
        return False
    first, second = _as_permutations(one), _as_permutations(other)
    with patience(f"telling whether {one} and {other} are one group"):
        if first is not None and second is not None:
            return _permute_alike(first, second)
        return _every(_holds(*pair) for pair in ((one, other), (other, one)))


def common_group(groups: Sequence[MatrixGroup]) -> MatrixGroup | None:
    """Return the group on which representations of all of these meet: the one they are, or their direct product.

    Groups that are the same count as one, the first of them. The product is the one of the groups that has all factors,
    else a new one; a factor of several groups is in it as often as in the one that has it most.
    """
    if all(group == groups[0] for group in groups):
        return groups[0] if groups else None
    seen: list[MatrixGroup] = []
    chosen = []
    for parts in map(factors_of, groups):
        seen += [part for part in parts if not any(same_group(part, known) for known in seen)]
        chosen.append(tuple(next(known for known in seen if same_group(part, known)) for part in parts))
    if not any(isinstance(group, DirectProduct) for group in groups) and len(seen) == 1:
        return seen[0]
    merged: list[MatrixGroup] = []
    for own in chosen:
        merged += [part for i, part in enumerate(own) if own[: i + 1].count(part) > merged.count(part)]
    products = (own for own, group in zip(chosen, groups, strict=True) if isinstance(group, DirectProduct))
    return DirectProduct(next((own for own in products if len(own) == len(merged)), tuple(merged)))


def place_in(group: DirectProduct, own: tuple[MatrixGroup, ...], part: int, factor: int | None) -> int:
    """Return which factor of a product is the given part: of several equal ones, the first is the first, and so on.

    Raises:
        ValueError: If the part is none of the factors, or is several and `factor` does not choose one of them.
    """
    wanted = own[part]
    equal = [i for i, other in enumerate(group.groups) if same_group(other, wanted)]
    alike = [i for i, other in enumerate(own) if same_group(other, wanted)]
    if factor is not None and factor in equal and len(alike) == 1:
        return factor
    if factor is None and len(equal) == len(alike):
        return equal[alike.index(part)]
    raise ValueError(f"expected {wanted} to be one factor of {group}, or factor= to say which of several")


def _every(verdicts: Iterable[Verdict]) -> Verdict:
    """Return False if one is, else None if one is, else True."""
    undecided = False
    for verdict in verdicts:
        if verdict is False:
            return False
        undecided |= verdict is None
    return None if undecided else True


def _as_permutations(group: MatrixGroup) -> PermutationGroup | None:
    """Return a group of permutations, also one that is given by matrices, as what it is; None if it is none."""
    if isinstance(group, PermutationGroup) or group.lie_algebra:
        return group if isinstance(group, PermutationGroup) else None
    rows = [np.arange(group.d)]
    for h in group.generators:
        perm, sign = (h, np.ones(1)) if h.ndim == 1 else signed_permutation(h) or (h, -np.ones(1))
        if (sign < 0).any():
            return None
        rows.append(perm)
    return PermutationGroup(rows)


def _permute_alike(one: PermutationGroup, other: PermutationGroup) -> Verdict:
    """Return whether two groups of permutations have one order, and the first holds the second.

    All permutations of many points have a long chain, and are known by one swap that the group carries everywhere.
    """
    every = [_has_every_swap(group) for group in (one, other)]
    if any(every):
        return all(every)
    try:
        first, second = (stabiliser_chain(tuple(map(tuple, g.permutations)), MOST_STEPS) for g in (one, other))
    except TimeoutError:
        return None
    return first.order == second.order and all(map(first.contains, other.generators))


def _has_every_swap(group: PermutationGroup) -> bool:
    """Return whether a generator, or a power of it, swaps two points, and its conjugates join all points."""
    swaps = [pair for row in group.generators if (pair := _swap_in(row)) is not None]
    reached = set(swaps)
    for pair in swaps:
        for row in group.generators:
            image = tuple(sorted(row[list(pair)].tolist()))
            if image not in reached:
                reached.add(image)
                swaps.append(image)
    if not reached:
        return group.d == 1
    rows, columns = zip(*reached, strict=True)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(group.d, group.d))
    return connected_components(graph, directed=False, return_labels=False) == 1


def _swap_in(row: np.ndarray) -> tuple[int, ...] | None:
    """Return the one cycle of two points, where all other cycles are odd: a power of the permutation is that swap."""
    _, labels, lengths = np.unique(_cycles(row), return_inverse=True, return_counts=True)
    even = np.flatnonzero(lengths % 2 == 0)
    return (*np.flatnonzero(labels == even[0]).tolist(),) if len(even) == 1 and lengths[even[0]] == 2 else None


def _cycles(row: np.ndarray) -> np.ndarray:
    return connected_components(coo_array((np.ones(len(row)), (np.arange(len(row)), row)), shape=(len(row),) * 2))[1]


def _holds(group: MatrixGroup, other: MatrixGroup) -> Verdict:
    """Return whether the generators of another group are elements of this one."""
    algebra, moved = algebra_of(group), algebra_of(other)
    if not (algebra.is_clear and moved.is_clear):
        return None
    if not (inside := spans(algebra, moved.basis)):
        return inside
    elements, is_complete = _components(group) if len(algebra.basis) else _listed(group)
    return _every(_is_among(elements, as_matrix(h), algebra, is_complete) for h in other.generators)


def _is_among(elements: np.ndarray, h: np.ndarray, algebra: Algebra, is_complete: bool) -> Verdict:
    if not len(algebra.basis):
        apart = np.abs(elements - h).max(axis=(1, 2)).min() / np.abs(h).max()
        return True if apart < SAME else False if is_complete else None
    verdicts = [is_reached(algebra, np.linalg.solve(element, h)) for element in elements]
    return True if True in verdicts else None if None in verdicts or not is_complete else False


@functools.lru_cache(maxsize=64)
def _listed(group: MatrixGroup) -> tuple[np.ndarray, bool]:
    """Return elements of a group without tangents, and whether these are all."""
    matrices = [as_matrix(np.asarray(h)) for h in group.generators]
    if any(map(is_near_one, matrices)):
        return np.stack([np.eye(group.d), *matrices]), False
    elements, is_complete = list_elements([*matrices, *map(np.linalg.inv, matrices)], group.d)
    return np.stack([*elements.values()]), is_complete


@functools.lru_cache(maxsize=64)
def _components(group: MatrixGroup) -> tuple[np.ndarray, bool]:
    """Return one element of each component, and whether these are all."""
    algebra, elements = algebra_of(group), [np.eye(group.d)]
    for known in elements:
        for h in group.generators:
            new = as_matrix(h) @ known
            if not any(is_reached(algebra, np.linalg.solve(element, new)) for element in elements):
                elements.append(new)
        if len(elements) > MOST_COMPONENTS:
            return np.stack(elements), False
    return np.stack(elements), True
