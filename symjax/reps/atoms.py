"""The canonical form of a representation: how many copies of which products of leaves, and where their numbers are."""

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from symjax.reps.linear import LinearRep, Product, Sum, product_of


class Atom(NamedTuple):
    """All copies of one product of leaves in a representation; `places[c, i]` is where number i of copy c is."""

    rep: LinearRep
    places: Int[np.ndarray, "c n"]


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
    return [Atom(rep, np.arange(rep.size)[None])] if expanded is rep else _split(expanded)


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
    """Return the product of one atom of each factor, sorted; its copies are all choices of copies."""
    sizes = [factor.size for factor in rep.factors]
    strides = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    order = sorted(range(len(choice)), key=lambda i: repr(choice[i].rep))
    grids, k = np.zeros((1,) * (2 * len(choice)), int), len(choice)
    for slot, i in enumerate(order):
        places = choice[i].places * strides[i]
        shape = [1] * (2 * k)
        shape[slot], shape[k + slot] = places.shape
        grids = grids + places.reshape(shape)
    merged = product_of([choice[i].rep for i in order], rep.group)
    return Atom(merged, grids.reshape(-1, merged.size))
