"""The canonical form of a representation: how many copies of which products of leaves, and where their numbers are."""

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from symjax.math import pick
from symjax.reps.linear import LinearRep, Product, Sum, product_of
from symjax.reps.measured import require_lawful


class Summand(NamedTuple):
    """All copies of one product of leaves in a representation; `places[c, i]` is where number i of copy c is."""

    rep: LinearRep
    places: Int[np.ndarray, "c n"]

    def read(self, x: Shaped[Any, "... n"]) -> Shaped[Any, "... c s"]:
        """Return the copies of this summand in vectors along the last axis of x."""
        return pick(x, self.places.ravel(), -1).reshape(*x.shape[:-1], *self.places.shape)


@functools.lru_cache(maxsize=1024)
def places_in_order(rep: LinearRep) -> Int[np.ndarray, " n"]:
    """Return where the numbers of a vector are, summand by summand, copy by copy."""
    return np.concatenate([np.zeros(0, int), *(summand.places.ravel() for summand in summands(rep))])


@functools.lru_cache(maxsize=1024)
def ranks(rep: LinearRep) -> Int[np.ndarray, " n"]:
    """Return the inverse of `places_in_order`."""
    return np.argsort(places_in_order(rep))


@functools.lru_cache(maxsize=1024)
def summands(rep: LinearRep) -> tuple[Summand, ...]:
    """Split a representation into products of leaves: sums opened, products distributed and their factors sorted.

    They come in the order of their first copies and hold every place exactly once.
    """
    require_lawful(rep)
    copies: dict[LinearRep, list[np.ndarray]] = {}
    for summand in _split(rep):
        copies.setdefault(summand.rep, []).append(summand.places)
    return tuple(Summand(part, np.concatenate(places)) for part, places in copies.items())


def _split(rep: LinearRep) -> list[Summand]:
    if isinstance(rep, Sum):
        return _split_sum(rep)
    if isinstance(rep, Product):
        return [_join(choice, rep) for choice in itertools.product(*map(summands, rep.factors))]
    expanded = rep.expand()
    if expanded is not rep:
        return _split(expanded)
    return [Summand(rep, np.arange(rep.size)[None])] if rep.size else []


def _split_sum(rep: Sum) -> list[Summand]:
    split, start = [], 0
    for term, copies in rep.terms:
        offsets = (start + term.size * np.arange(copies))[:, None, None]
        split += [Summand(part, (offsets + places).reshape(-1, part.size)) for part, places in summands(term)]
        start += copies * term.size
    return split


def _join(choice: tuple[Summand, ...], rep: Product) -> Summand:
    """Return the product of one summand of each factor, its leaves sorted; its copies are all choices of copies."""
    joined = np.zeros((1, 1), int)
    for summand, factor in zip(choice, rep.factors, strict=True):
        outer = joined[:, None, :, None] * factor.size + summand.places[:, None, :]
        joined = outer.reshape(len(joined) * len(summand.places), joined.shape[1] * summand.rep.size)
    leaves = list(itertools.chain.from_iterable(map(_leaves, choice)))
    order = sorted(range(len(leaves)), key=lambda i: repr(leaves[i]))
    tensors = joined.reshape(len(joined), *(leaf.size for leaf in leaves))
    places = tensors.transpose(0, *(i + 1 for i in order)).reshape(joined.shape)
    return Summand(product_of([leaves[i] for i in order], rep.group), places)


def _leaves(summand: Summand) -> tuple[LinearRep, ...]:
    return summand.rep.factors if isinstance(summand.rep, Product) else (summand.rep,)
