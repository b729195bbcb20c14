"""The canonical form of a representation: how many copies of which products of leaves, and where their numbers are."""

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from symjax.reps.arrays import namespace
from symjax.reps.linear import LinearRep, Product, Sum, product_of


class Atom(NamedTuple):
    """All copies of one product of leaves in a representation; `places[c, i]` is where number i of copy c is."""

    rep: LinearRep
    places: Int[np.ndarray, "c n"]

    def read(self, x: Shaped[Any, "... n"]) -> Shaped[Any, "... c s"]:
        """Return the copies of this atom in vectors along the last axis of x."""
        return pick(x, self.places.ravel(), -1).reshape(*x.shape[:-1], *self.places.shape)


def pick(x: Shaped[Any, "..."], places: Int[Any, " n"], axis: int) -> Shaped[Any, "..."]:
    """Return `take` along an axis, as a slice where the places follow one another: cheaper to compile and to run."""
    is_known = isinstance(places, np.ndarray)
    if is_known and len(places) and np.array_equal(places, np.arange(places[0], places[0] + len(places))):
        cut = [slice(None)] * x.ndim
        cut[axis] = slice(int(places[0]), int(places[0]) + len(places))
        return x[tuple(cut)]
    return namespace(x, places).take(x, places, axis=axis)


@functools.lru_cache(maxsize=1024)
def places_in_order(rep: LinearRep) -> Int[np.ndarray, " n"]:
    """Return where the numbers of a vector are, atom by atom, copy by copy."""
    return np.concatenate([np.zeros(0, int), *(atom.places.ravel() for atom in atoms(rep))])


@functools.lru_cache(maxsize=1024)
def ranks(rep: LinearRep) -> Int[np.ndarray, " n"]:
    """Return the inverse of `places_in_order`."""
    return np.argsort(places_in_order(rep))


@functools.lru_cache(maxsize=1024)
def atoms(rep: LinearRep) -> tuple[Atom, ...]:
    """Split a representation into products of leaves: sums opened, products distributed and their factors sorted.

    The atoms come in the order of their first copies and hold every place exactly once.
    """
    found: dict[LinearRep, list[np.ndarray]] = {}
    for atom in _split(rep):
        found.setdefault(atom.rep, []).append(atom.places)
    return tuple(Atom(part, np.concatenate(places)) for part, places in found.items())


def _split(rep: LinearRep) -> list[Atom]:
    if isinstance(rep, Sum):
        return _split_sum(rep)
    if isinstance(rep, Product):
        return [_join(choice, rep) for choice in itertools.product(*map(atoms, rep.factors))]
    expanded = rep.expand()
    if expanded is not rep:
        return _split(expanded)
    return [Atom(rep, np.arange(rep.size)[None])] if rep.size else []


def _split_sum(rep: Sum) -> list[Atom]:
    found, start = [], 0
    for term, copies in rep.terms:
        offsets = start + term.size * np.arange(copies)
        found += [
            Atom(part.rep, (offsets[:, None, None] + part.places).reshape(-1, part.rep.size)) for part in atoms(term)
        ]
        start += copies * term.size
    return found


def _join(choice: tuple[Atom, ...], rep: Product) -> Atom:
    """Return the product of one atom of each factor, its leaves sorted; its copies are all choices of copies."""
    joined = np.zeros((1, 1), int)
    for atom, factor in zip(choice, rep.factors, strict=True):
        outer = joined[:, None, :, None] * factor.size + atom.places[:, None, :]
        joined = outer.reshape(len(joined) * len(atom.places), joined.shape[1] * atom.rep.size)
    leaves = list(itertools.chain.from_iterable(map(_leaves, choice)))
    order = sorted(range(len(leaves)), key=lambda i: repr(leaves[i]))
    tensors = joined.reshape(len(joined), *(leaf.size for leaf in leaves))
    places = tensors.transpose(0, *(i + 1 for i in order)).reshape(joined.shape)
    return Atom(product_of([leaves[i] for i in order], rep.group), places)


def _leaves(atom: Atom) -> tuple[LinearRep, ...]:
    return atom.rep.factors if isinstance(atom.rep, Product) else (atom.rep,)
