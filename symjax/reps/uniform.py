"""Hidden representations that spread channels evenly over tensors (Finzi et al. 2021, arXiv:2104.09459)."""

import collections
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator

from symjax.groups import DirectProduct, MatrixGroup
from symjax.reps.linear import LinearRep, factors_of, natural, product_of, pullback, sum_of
from symjax.reps.summands import summands
from symjax.reps.tensor import Defining, T

Kind = LinearRep | tuple[int, ...]  # a representation, or the rank of a tensor in each factor of the group


def uniform_rep(channels: int, group: MatrixGroup, *needed: LinearRep) -> LinearRep:
    """Return tensors of `channels` numbers in all, as many numbers of each kind as fit.

    A kind is a rank, in a direct product a rank for each factor, so that V(SO(3)), V(S(5)) and their product are three
    kinds of `SO(3) * S(5)`. While room is left, the largest size s is found such that s numbers of every kind of at
    most that size fit, and floor(s / n) copies of each kind of size n are added. (For one factor: the largest rank r
    with (r + 1) d^r <= room, and d^(r - k) tensors of each rank k <= r.) In this search d = 1 counts as 2. Where a dual
    differs, the tensors of ranks k are spread over T(p, k - p) like binomial coefficients, what remains going to the
    most balanced.

    Summands of `needed` that are no tensors join where they are no larger than s and a copy of each fits: in equal
    shares, of at most s numbers but at least one copy, of what the tensors leave. What is needed and still left out is
    given a copy each, the smallest first, as long as it fits, and all others share the room that is left then. Nothing
    is random.

    Args:
        channels: the size of the result.
        group: the group.
        needed: representations of the group that are to be held, such as those of inputs and outputs.

    Raises:
        TypeError: If `channels` is no integer.
        ValueError: If it is negative.
    """
    room, kept = natural(channels), []
    wanted = sorted(dict.fromkeys(part.rep for rep in needed for part in summands(rep)), key=lambda rep: rep.size)
    others = [rep for rep in wanted if not _is_tensor(rep)]
    while True:
        terms = _even(room, group, others)
        held = [*kept, *(rep for rep, _ in terms)]
        lacking = next((rep for rep in wanted if rep.size <= room and rep not in held), None)
        if lacking is None:
            return sum_of([*terms, *((rep, 1) for rep in kept)], group)
        kept.append(lacking)
        room -= lacking.size


def _even(room: int, group: MatrixGroup, others: list[LinearRep]) -> list[tuple[LinearRep, int]]:
    """Return representations and their copies: equally many numbers of each kind, until no room is left."""
    counts: collections.Counter[Kind] = collections.Counter()
    while room > 0:
        kinds = _fitting(room, group, others)
        largest = max(_size(kind, group) for kind in kinds) if len(kinds) > 1 else room  # all that is left: scalars
        joined = [kind for kind in kinds if isinstance(kind, LinearRep)][::-1]  # the largest first
        tensors = [kind for kind in kinds if not isinstance(kind, LinearRep)]
        for i, kind in enumerate((*tensors, *joined)):
            share = largest if i < len(tensors) else min(largest, room // (len(kinds) - i))
            copies = max(share // _size(kind, group), 1)
            counts[kind] += copies
            room -= copies * _size(kind, group)
    order = sorted(counts, key=lambda kind: (isinstance(kind, LinearRep), _size(kind, group), repr(kind)))
    return list(itertools.chain.from_iterable(_spread(kind, counts[kind], group) for kind in order))


def _fitting(room: int, group: MatrixGroup, others: list[LinearRep]) -> list[Kind]:
    """Return the kinds up to the largest size s of which, and of each smaller tensor, s numbers fit; scalars at least.

    Of each representation that is no tensor one copy is to fit beside them.
    """
    fitting: list[Kind] = [(0,) * len(factors_of(group))]
    kinds: list[Kind] = []
    for size, same in itertools.groupby(_kinds(group, others), key=lambda kind: kind[0]):
        kinds = [*kinds, *(kind for _, kind in same)]
        if sum(kind.size if isinstance(kind, LinearRep) else size for kind in kinds) > room:
            return fitting
        fitting = kinds
    return fitting


def _kinds(group: MatrixGroup, others: Iterable[LinearRep]) -> Iterator[tuple[int, Kind]]:
    """Yield every kind after its size, the smallest first; d = 1 counts as 2, so that few are of a size."""
    sizes = [max(factor.d, 2) if factor.d else 0 for factor in factors_of(group)]
    heap: list[tuple[int, str, Kind]] = [(rep.size, repr(rep), rep) for rep in others]
    heap.append((1, "", (0,) * len(sizes)))
    heapq.heapify(heap)
    while heap:
        size, _, kind = heapq.heappop(heap)
        yield size, kind
        if isinstance(kind, tuple):  # raise the last rank that is not zero, or one after it: each is met once
            last = max((i for i, rank in enumerate(kind) if rank), default=0)
            for i in (i for i in range(last, len(sizes)) if sizes[i]):
                ranks = (*kind[:i], kind[i] + 1, *kind[i + 1 :])
                heapq.heappush(heap, (size * sizes[i], repr(ranks), ranks))


def _size(kind: Kind, group: MatrixGroup) -> int:
    if isinstance(kind, LinearRep):
        return kind.size
    return math.prod(factor.d**rank for factor, rank in zip(factors_of(group), kind, strict=True))


def _spread(kind: Kind, count: int, group: MatrixGroup) -> list[tuple[LinearRep, int]]:
    """Return which representations `count` copies of a kind are: tensors T(p, k - p) of each factor, for each p."""
    if isinstance(kind, LinearRep):
        return [(kind, count)]
    factors = factors_of(group)
    mixed = [range(k, -1, -1) if not factor.is_orthogonal else (k,) for factor, k in zip(factors, kind, strict=True)]
    choices = list(itertools.product(*mixed))
    ways = [math.prod(map(math.comb, kind, choice)) for choice in choices]
    shares = [count * way // sum(ways) for way in ways]
    balanced = sorted(
        range(len(choices)), key=lambda i: sum(abs(2 * p - k) for p, k in zip(choices[i], kind, strict=True))
    )
    for i in range(count - sum(shares)):
        shares[balanced[i % len(choices)]] += 1
    return [(_tensor(kind, choice, group), share) for choice, share in zip(choices, shares, strict=True) if share]


def _tensor(ranks: tuple[int, ...], vectors: tuple[int, ...], group: MatrixGroup) -> LinearRep:
    """Return the product over the factors of tensors of these ranks, of which so many are vectors and the rest dual."""
    if not isinstance(group, DirectProduct):
        return T(vectors[0], ranks[0] - vectors[0])(group)
    parts = [T(p, k - p)(factor) for factor, k, p in zip(group.groups, ranks, vectors, strict=True)]
    product = product_of([pullback(part, group, factor=i) for i, part in enumerate(parts) if part.size], group)
    return next((part.rep for part in summands(product)), product)


def _is_tensor(rep: LinearRep) -> bool:
    """Return whether a product of leaves has no other leaves than vectors and dual vectors."""
    leaves: list[LinearRep] = []
    rep.map_leaves(lambda leaf: leaves.append(leaf) or leaf, rep.group)
    return all(_is_vector(leaf) for leaf in leaves)


def _is_vector(leaf: LinearRep) -> bool:
    inner = getattr(leaf, "rep", leaf)
    return isinstance(inner, Defining) if inner is leaf else _is_vector(inner)
