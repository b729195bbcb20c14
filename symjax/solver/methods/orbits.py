"""Groups that permute coordinates, up to signs: one map for each orbit of the entries of a matrix.

W obeys rho_out(h) W rho_in(h)^-1 = W for every generator h, so W[i, j] = sign W[p(i), q(j)]: entries on one connected
component are equal up to signs, and zero where a path returns with the opposite sign. Linear in the number of entries.
"""

import numpy as np
from jaxtyping import Float, Int

from symjax.math import Monomial
from symjax.reps import LinearRep, monomials
from symjax.solver.bases import OrbitBasis, Unsolved


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> OrbitBasis:
    """Return the orthonormal basis of the maps from one representation to another, one an orbit.

    Raises:
        Unsolved: If some element does more than permute coordinates and change signs.
    """
    del seed
    out, into = monomials(rep_out), monomials(rep_in)
    if out is None or into is None:
        raise Unsolved("some element does more than permute coordinates and change signs")
    pairs = list(zip(out, into, strict=True))
    shape = rep_out.size, rep_in.size
    if all((sign > 0).all() for pair in pairs for _, sign in pair):
        return _unsigned(_steps(pairs, shape[1]), shape)
    return _signed(_steps(pairs, shape[1]), [_sign(*pair) for pair in pairs], shape)


def _steps(pairs: list[tuple[Monomial, Monomial]], width: int) -> list[Int[np.ndarray, " N"]]:
    """Return for each generator where every entry of the matrix, counted row by row, goes."""
    return [(p[:, None] * width + q).ravel().astype(np.int32) for (p, _), (q, _) in pairs]


def _sign(out: Monomial, into: Monomial) -> Float[np.ndarray, " N"]:
    return (out[1][:, None] * into[1]).ravel()


def _unsigned(steps: list[np.ndarray], shape: tuple[int, int]) -> OrbitBasis:
    orbits = _components(steps, shape[0] * shape[1])
    return OrbitBasis(orbits.reshape(shape), None, np.bincount(orbits))


def _signed(steps: list[np.ndarray], signs: list[np.ndarray], shape: tuple[int, int]) -> OrbitBasis:
    """Label the double cover, entries with either sign; where an entry meets its negative, nothing is invariant."""
    count = shape[0] * shape[1]
    pairs = zip(steps, signs, strict=True)
    ahead = [np.concatenate([step + count * (sign < 0), step + count * (sign > 0)]) for step, sign in pairs]
    plus, minus = _components(ahead, 2 * count).reshape(2, count)
    alive = plus != minus
    kept, orbits = np.unique(np.minimum(plus, minus)[alive], return_inverse=True)
    labels = np.full(count, -1, np.int32)
    labels[alive] = orbits
    sign = np.where(plus <= minus, 1.0, -1.0)
    return OrbitBasis(labels.reshape(shape), sign.reshape(shape), np.bincount(orbits, minlength=len(kept)))


def _components(steps: list[np.ndarray], count: int) -> Int[np.ndarray, " N"]:
    """Return the component of each node under permutations of the nodes, numbered by first members.

    Every node takes the smallest name it can reach in one step, then the name that this one has; a permutation has
    finite order, so names travel against its arrows too.
    """
    names = np.arange(count, dtype=np.int32)
    while True:
        new = names
        for step in steps:
            new = np.minimum(new, new[step])
        new = new[new]
        if np.array_equal(new, names):
            break
        names = new
    rank = np.cumsum(names == np.arange(count, dtype=np.int32), dtype=np.int32) - 1
    return rank[names]
