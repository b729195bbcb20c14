"""What every generator of the group of a representation does."""

from typing import Any

import numpy as np

from symjax.math import Monomial
from symjax.reps.linear import LinearRep
from symjax.reps.measured import require_lawful


def moved(rep: LinearRep, x: Any) -> list[Any]:
    """Return drho(a) x for each tangent, then rho(h) x for each generator."""
    group = rep.require_group()
    require_lawful(rep)
    return [rep.dact(a, x) for a in group.directions] + [rep.act(h, x) for h in group.generators]


def monomials(rep: LinearRep) -> list[Monomial] | None:
    """Return the generators as permutations with signs, or None where some element is more than that."""
    require_lawful(rep)
    group, probe = rep.require_group(), np.random.default_rng(0).standard_normal(rep.size)
    if any(np.any(rep.dact(a, probe)) for a in group.directions):
        return None
    moves = []
    for h in group.generators:
        if (monomial := rep.monomial(h)) is None:
            return None
        moves.append(monomial)
    return moves


def permutes(rep: LinearRep) -> bool:
    """Return whether every element permutes the coordinates, so that functions of one number at a time are lawful."""
    moves = monomials(rep)
    return moves is not None and all((sign > 0).all() for _, sign in moves)
