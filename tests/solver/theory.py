"""Exact dimensions of spaces of invariants, from combinatorics and characters: integers only, no linear algebra.

For most groups the multiplicity of an irreducible representation in V^p V*^q counts walks on a branching graph: the
vertices are the irreducible representations, one step is one more factor V or V* (Sundaram 1990; Halverson and Ram
2005, arXiv:math/0401314). The other groups are finite and small, and averaging the character over them (Burnside) or
counting the orbits of tuples is enough.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable

import numpy as np

Shape = tuple[int, ...]


def invariants(group: str, p: int, q: int = 0) -> int:
    """Return the dimension of the invariants of V^p V*^q, for a group named by the call that makes it: `"SO(3)"`."""
    name, arguments = re.fullmatch(r"(\w+)\((.*)\)", group).groups()
    return FAMILIES[name](*(int(n) for n in arguments.split(",") if n.strip()))(p, q)


def dim_maps(group: str, rep_in: tuple[int, int], rep_out: tuple[int, int]) -> int:
    """Return the dimension of the equivariant maps T(*rep_in) -> T(*rep_out): the invariants of out (x) in*."""
    return invariants(group, rep_out[0] + rep_in[1], rep_out[1] + rep_in[0])


def count_walks(steps: Iterable[Callable], start: Hashable, ends: Callable[[Hashable], bool]) -> int:
    """Return the number of walks that take these steps, one after another, from `start` to an end."""
    walks = Counter({start: 1})
    for step in steps:
        following = Counter()
        for vertex, number in walks.items():
            for neighbour in step(vertex):
                following[neighbour] += number
        walks = following
    return sum(number for vertex, number in walks.items() if ends(vertex))


def moved(shape: Shape, sign: int) -> list[Shape]:
    """Return the partitions with one box more (sign 1) or one box less (sign -1)."""
    rows = (*shape, 0) if sign > 0 else shape
    changed = ((*rows[:i], row + sign, *rows[i + 1 :]) for i, row in enumerate(rows))
    return [tuple(row for row in new if row) for new in changed if is_sorted(new)]


def is_sorted(rows: Shape) -> bool:
    return all(a >= b for a, b in itertools.pairwise(rows))


def orthogonal(n: int, *, special: bool) -> Callable[[int, int], int]:
    """O(n): partitions whose first two columns have at most n boxes; a column of n boxes is the determinant."""

    def step(shape):
        near = moved(shape, 1) + moved(shape, -1)
        return [new for new in near if len(new) + sum(row > 1 for row in new) <= n]

    ends = ((), (1,) * n) if special else ((),)
    return lambda p, q: count_walks([step] * (p + q), (), ends.__contains__)


def symplectic(n: int) -> Callable[[int, int], int]:
    """Sp(n) on 2n coordinates: partitions with at most n rows."""

    def step(shape):
        return [new for new in moved(shape, 1) + moved(shape, -1) if len(new) <= n]

    return lambda p, q: count_walks([step] * (p + q), (), lambda shape: shape == ())


def linear(n: int, *, special: bool) -> Callable[[int, int], int]:
    """GL(n) and U(n): n sorted integers; V adds one, V* subtracts one; equal integers are powers of the determinant."""

    def step(sign):
        unit = np.eye(n, dtype=int) * sign
        return lambda weight: [new for new in (tuple(np.add(weight, row).tolist()) for row in unit) if is_sorted(new)]

    def is_end(weight):
        return len(set(weight)) == 1 if special else not any(weight)

    return lambda p, q: count_walks([step(1)] * p + [step(-1)] * q, (0,) * n, is_end)


def symmetric(n: int, *, alternating: bool) -> Callable[[int, int], int]:
    """S(n): partitions of n; V is induced from S(n - 1), so a step takes a box away and puts one back."""

    def step(shape):
        return [new for less in moved(shape, -1) for new in moved(less, 1)]

    ends = ((n,), (1,) * n) if alternating else ((n,),)
    return lambda p, q: count_walks([step] * (p + q), (n,), ends.__contains__)


def cyclic(k: int) -> Callable[[int, int], int]:
    """C(k) turns the plane by multiples of 2 pi / k: closed walks on a ring of k characters."""
    return lambda p, q: count_walks([lambda m: ((m + 1) % k, (m - 1) % k)] * (p + q), 0, lambda m: m == 0)


def dihedral(k: int) -> Callable[[int, int], int]:
    """D(k): half of the elements are reflections, and those have trace 0."""
    return lambda p, q: (cyclic(k)(p, q) + 0 ** (p + q)) // 2


def regular(order: int) -> Callable[[int, int], int]:
    """A group of this order that permutes its own elements: only the identity has a trace."""
    return lambda p, q: order ** (p + q) // order if p + q else 1


def mean_power(traces: list[int]) -> Callable[[int, int], int]:
    """A finite group with a real representation, from the traces of all its elements."""

    def dimension(p, q):
        mean, rest = divmod(sum(trace ** (p + q) for trace in traces), len(traces))
        assert rest == 0
        return mean

    return dimension


def scaling(n: int) -> Callable[[int, int], int]:
    """All positive multiples of the identity: as many V as V*, and then everything."""
    return lambda p, q: n ** (p + q) if p == q else 0


def signed_permutations(n: int) -> list[np.ndarray]:
    """Return the 2^n n! symmetries of the n-dimensional cube as integer matrices."""
    identity = np.eye(n, dtype=int)
    signs = itertools.product((1, -1), repeat=n)
    return [identity[list(order)] * row for row in signs for order in itertools.permutations(range(n))]


def cube() -> Callable[[int, int], int]:
    """The 24 rotations of a cube permuting its 6 faces."""
    rotations = [g for g in signed_permutations(3) if round(np.linalg.det(g)) == 1]
    return mean_power([2 * int((np.diag(g) == 1).sum()) for g in rotations])


def wreath(orbits: Callable[[int], int], blocks: int) -> Callable[[int], int]:
    """Return k -> orbits of k-tuples of points under H wr S(blocks), from b -> orbits of b-tuples under H.

    A tuple is a set partition of its places, by the block that each point lies in, with an orbit of H for each part.
    """

    def count(k, free=blocks):
        if k == 0 or free == 0:
            return int(k == 0)
        # the part with the first place has b - 1 of the other places
        return sum(math.comb(k - 1, b - 1) * orbits(b) * count(k - b, free - 1) for b in range(1, k + 1))

    return count


def rubik() -> Callable[[int, int], int]:
    """The 48 stickers: 8 corners that twist and 12 edges that flip.

    The cube's group has index 12 among all rearrangements of the cubies. Two corners and an edge without a marked
    sticker can undo twist, flip and parity, so tuples of up to 6 stickers have the same orbits under both.
    """
    corners, edges = wreath(lambda b: 3 ** (b - 1), 8), wreath(lambda b: 2 ** (b - 1), 12)

    def dimension(p, q):
        k = p + q
        assert k <= 6
        return sum(math.comb(k, j) * corners(j) * edges(k - j) for j in range(k + 1))

    return dimension


def with_a_fixed_axis(plane: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """A group of the plane acting on three dimensions: V is a sum of the plane and an invariant."""
    return lambda p, q: sum(math.comb(p + q, j) * plane(j, 0) for j in range(p + q + 1))


def trivial(n: int) -> Callable[[int, int], int]:
    """The group of one element on n coordinates."""
    return lambda p, q: n ** (p + q)


FAMILIES: dict[str, Callable[..., Callable[[int, int], int]]] = {
    "Trivial": trivial,
    "O": lambda n: orthogonal(n, special=False),
    "SO": lambda n: orthogonal(n, special=True),
    # real forms of one complex group have the same invariants
    "SO13p": lambda: orthogonal(4, special=True),
    "SO13": lambda: orthogonal(4, special=True),
    "O13": lambda: orthogonal(4, special=False),
    "SO11p": lambda: orthogonal(2, special=True),
    "SO11": lambda: orthogonal(2, special=True),
    "O11": lambda: orthogonal(2, special=False),
    "U": lambda n: linear(n, special=False),
    "GL": lambda n: linear(n, special=False),
    "SU": lambda n: linear(n, special=True),
    "SL": lambda n: linear(n, special=True),
    "Sp": symplectic,
    "S": lambda n: symmetric(n, alternating=False),
    "Alt": lambda n: symmetric(n, alternating=True),
    "Z": regular,
    "ZksZnxZn": lambda k, n: regular(k * n * n),
    "C": cyclic,
    "D": dihedral,
    "Cube": cube,
    "RubiksCube": rubik,
    "Scaling": scaling,
    "Parity": lambda: mean_power([4, -2]),
    "TimeReversal": lambda: mean_power([4, 2]),
    "SO2eR3": lambda: with_a_fixed_axis(orthogonal(2, special=True)),
    "O2eR3": lambda: with_a_fixed_axis(orthogonal(2, special=False)),
    "DkeR3": lambda k: with_a_fixed_axis(dihedral(k)),
}


def nullity_over_a_prime_field(tangents: list[np.ndarray], p: int, q: int) -> int:
    """Return the dimension of the invariants of V^p V*^q under an integer Lie algebra, by elimination modulo a prime.

    For groups without a theory, reductive or not: exact unless the prime divides one of the minors.
    """
    prime, size = 2_147_483_629, len(tangents[0]) ** (p + q)
    rows = np.concatenate([_tensor_power(tangent, p, q) for tangent in tangents]) % prime
    rank = 0
    for column in range(size):
        pivots = np.flatnonzero(rows[rank:, column])
        if not len(pivots):
            continue
        rows[[rank, rank + pivots[0]]] = rows[[rank + pivots[0], rank]]
        rows[rank] = rows[rank] * pow(int(rows[rank, column]), -1, prime) % prime
        below = rows[rank + 1 :]
        below[:] = (below - below[:, column : column + 1] * rows[rank]) % prime
        rank += 1
    return size - rank


def _tensor_power(tangent: np.ndarray, p: int, q: int) -> np.ndarray:
    d = len(tangent)
    factors = [tangent] * p + [-tangent.T] * q
    return sum(
        np.kron(np.kron(np.eye(d**i, dtype=np.int64), factor), np.eye(d ** (p + q - 1 - i), dtype=np.int64))
        for i, factor in enumerate(factors)
    )
