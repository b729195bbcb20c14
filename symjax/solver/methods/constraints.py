"""What equivariance asks of a map W, as X W = W Y for pairs of matrices X and Y of moderate size."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Inexact

from symjax.groups import is_near_one
from symjax.math import along_last
from symjax.reps import Defining, Determinant, Dual, LinearRep, Power, Product
from symjax.solver.bases import Unsolved
from symjax.solver.linalg import inverse
from symjax.solver.methods.jordan import turn_and_stretch

MILD = 100.0  # how far an element may stretch or shrink a vector and be a good constraint as it is
TERMS = 6  # of the logarithm of what is nearer to the identity than 1e-4

Pair = tuple[np.ndarray, np.ndarray]


class Move(NamedTuple):
    """How a generator moves vectors along a last axis, by rho(h) or drho(a), on both sides of a map."""

    source: Callable[[np.ndarray], np.ndarray]
    target: Callable[[np.ndarray], np.ndarray]
    is_tangent: bool


def moves(rep_in: LinearRep, rep_out: LinearRep) -> list[Move]:
    """Return how the tangents and generators move vectors; elements of large stretch by their parts.

    An element near the identity asks the same of a map as its logarithm, whose size may be chosen.

    Raises:
        Unsolved: If an element cannot be split in double precision.
    """
    group = rep_in.require_group()
    algebraic = _is_algebraic(rep_in) and _is_algebraic(rep_out)
    short = [i for i, h in enumerate(group.generators) if algebraic and _is_short(h)]
    tangents = [*group.directions, *(_direction(group.generators[i]) for i in short)]
    listed = [Move(partial(rep_in.dact, a), partial(rep_out.dact, a), True) for a in tangents]
    for h in (h for i, h in enumerate(group.generators) if i not in short):
        if _is_mild(rep_in, h) and _is_mild(rep_out, h):
            listed.append(Move(partial(rep_in.act, h), partial(rep_out.act, h), False))
        else:
            sides = zip(_parts(rep_in, h), _parts(rep_out, h), (False, True), strict=True)
            listed += [Move(partial(along_last, y), partial(along_last, x), is_log) for y, x, is_log in sides]
    return listed


def constraints(rep_in: LinearRep, rep_out: LinearRep) -> list[Pair]:
    """Return the matrices of `moves`, those of what goes out first, scaled down to 1.

    Raises:
        Unsolved: As `moves`.
    """
    one, two = np.eye(rep_out.size), np.eye(rep_in.size)
    return [scaled(move.target(one).T, move.source(two).T) for move in moves(rep_in, rep_out)]


def scaled(x: Inexact[np.ndarray, "o o"], y: Inexact[np.ndarray, "i i"]) -> Pair:
    """Return a pair divided by its norm; one under 1 is left alone, because it may be nothing but rounding."""
    size = max(1.0, float(np.linalg.norm(x, 1)), float(np.linalg.norm(y, 1)))
    return x / size, y / size


def _is_short(h: Any) -> bool:
    return isinstance(h, np.ndarray) and h.ndim == 2 and is_near_one(h)


def _direction(h: Inexact[np.ndarray, "d d"]) -> Inexact[np.ndarray, "d d"]:
    """Return the logarithm of an element near the identity, at norm 1."""
    rest = h - np.eye(len(h))
    logarithm = np.sum([-((-1) ** k) / k * np.linalg.matrix_power(rest, k) for k in range(1, TERMS)], axis=0)
    return logarithm / np.linalg.norm(logarithm)


def _is_mild(rep: LinearRep, h: Any) -> bool:
    """Return whether an element neither stretches nor shrinks any vector much."""
    if rep.require_group().is_unitary:
        return True
    matrices = [factor.rho(h) for factor in (rep.factors if isinstance(rep, Product) else (rep,))]
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        raise Unsolved("the matrix of an element overflows")
    norms = (math.prod(float(np.linalg.norm(x, 1)) for x in some) for some in (matrices, map(inverse, matrices)))
    return max(norms) <= MILD


def _parts(rep: LinearRep, h: Any) -> Pair:
    """Return the part of an element that turns, and the logarithm of the one that stretches."""
    if isinstance(h, np.ndarray) and _is_algebraic(rep):  # the element is better conditioned than its tensors
        turning, stretching = turn_and_stretch(h)
        return rep.rho(turning), rep.drho(stretching)
    if not isinstance(rep, Product):
        return turn_and_stretch(rep.rho(h))
    turning, stretching = np.eye(1), np.zeros((1, 1))
    for turn, stretch in (_parts(factor, h) for factor in rep.factors):
        stretching = np.kron(stretching, np.eye(len(turn))) + np.kron(np.eye(len(turning)), stretch)
        turning = np.kron(turning, turn)
    return turning, stretching


def _is_algebraic(rep: LinearRep) -> bool:
    """Return whether the parts of rho(h) are rho of the parts of h, even where these are outside the group."""
    if isinstance(rep, Product):
        return all(map(_is_algebraic, rep.factors))
    return _is_algebraic(rep.rep) if isinstance(rep, Dual | Power) else isinstance(rep, Defining | Determinant)
