"""Hidden representations that spread channels evenly over tensor ranks (Finzi et al. 2021, arXiv:2104.09459)."""

import math

from symjax.groups import MatrixGroup
from symjax.reps.linear import LinearRep, natural, sum_of
from symjax.reps.tensor import T


def uniform_rep(channels: int, group: MatrixGroup) -> LinearRep:
    """Return tensors of `channels` numbers in all, as many numbers of each rank as fit.

    While room is left, the largest rank r with (r + 1) d^r <= room is found, and d^(r - k) tensors of rank k are added
    for each k <= r; where d is 1, ranks rise as if it were 2. Where the dual differs, the tensors of rank k are spread
    over T(p, k - p) like binomial coefficients, what remains going to the most balanced. Nothing is random.

    Raises:
        TypeError: If `channels` is no integer.
        ValueError: If it is negative.
    """
    counts: dict[int, int] = {}
    room, d = natural(channels), group.d
    while room > 0:
        rank = _largest_rank(room, d)
        for k in range(rank + 1):
            counts[k] = counts.get(k, 0) + d ** (rank - k)
        room -= (rank + 1) * d**rank
    terms = [(T(p, k - p)(group), copies) for k, n in sorted(counts.items()) for p, copies in _split(k, n, group)]
    return sum_of(terms, group)


def _largest_rank(room: int, d: int) -> int:
    """Return the largest rank r with (r + 1) max(d, 2)^r <= room; 0 where there are no coordinates at all."""
    rank = 0
    while d and (rank + 2) * max(d, 2) ** (rank + 1) <= room:
        rank += 1
    return rank


def _split(rank: int, count: int, group: MatrixGroup) -> list[tuple[int, int]]:
    """Return how many of `count` tensors of a rank are T(p, rank - p), for each p."""
    if group.is_orthogonal:
        return [(rank, count)]
    shares = [count * math.comb(rank, p) // 2**rank for p in range(rank + 1)]
    balanced = sorted(range(rank + 1), key=lambda p: (abs(2 * p - rank), -p))
    for i in range(count - sum(shares)):
        shares[balanced[i % len(balanced)]] += 1
    return [(p, shares[p]) for p in range(rank, -1, -1) if shares[p]]
