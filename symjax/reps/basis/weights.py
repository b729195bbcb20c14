"""Any group of matrices, reductive or not: maps keep the weights of one element, which leaves few unknowns.

If X W = W Y for the matrices X and Y of one element, W takes each generalised eigenspace of Y into the one of X with
the same eigenvalue. In bases of those spaces only the entries W[i, j] with alpha_i = beta_j survive, where alpha and
beta are the eigenvalues of X and Y; over a tensor product the eigenvalues of the factors add (a tangent) or multiply
(an element of the group). The constraints of all generators on the survivors make one small Hermitian matrix, and its
null space is the answer. Nothing is assumed of the element: it may be nilpotent, and then everything survives.
"""

import functools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Inexact, Int

from symjax.reps.algebra import Product
from symjax.reps.basis.bases import DenseBasis, Unsolved
from symjax.reps.basis.linalg import canonical_rotation, generalised_eigenspaces, null_space, real_span
from symjax.reps.linear import LinearRep

LARGEST = 3000  # coordinates of a representation, and survivors
ACCURACY = 1e-10
COINCIDENCE = 1e-6  # eigenvalues this close count as equal: then more survives than must, and nothing is lost
LONGEST_WORD = 4

Pair = tuple[np.ndarray, np.ndarray]


class _Probe(NamedTuple):
    """One element, as its matrix in each representation, and whether its eigenvalues add or multiply in products."""

    matrix: Callable[[LinearRep], Inexact[np.ndarray, "n n"]]
    adds: bool


class _Frame(NamedTuple):
    """Generalised eigenvectors of a probe, as columns, with their eigenvalues, which are known up to `slack`."""

    values: Inexact[np.ndarray, " n"]
    slack: float
    vectors: Inexact[np.ndarray, "n n"]
    inverse: Inexact[np.ndarray, "n n"]


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> DenseBasis:
    """Return an orthonormal basis of the maps from one representation to another.

    Raises:
        Unsolved: If too many unknowns survive; if eigenspaces or the rank of the constraints are unclear in double
            precision; if a map violates a constraint by more than 1e-10.
    """
    if max(rep_in.size, rep_out.size) > LARGEST:
        raise Unsolved(f"{max(rep_in.size, rep_out.size)} coordinates are more than the {LARGEST} of a dense matrix")
    pairs = _constraints(rep_in, rep_out)
    frames = ((_frame(rep_out, probe), _frame(rep_in, probe)) for probe in _probes(rep_in, seed))
    out, into, survivors = min(((*frame, _survivors(*frame)) for frame in frames), key=lambda found: found[2].shape[1])
    if survivors.shape[1] > LARGEST:
        raise Unsolved(f"{survivors.shape[1]} unknowns survive the first element, and at most {LARGEST} may")
    kernel = null_space(_gram([(_turn(out, x), _turn(into, y)) for x, y in pairs], *survivors))
    entries = np.zeros((kernel.shape[1], rep_out.size, rep_in.size), kernel.dtype)
    entries[:, *survivors] = kernel.T
    maps = _orthonormal(out.vectors @ entries @ into.inverse, real=not any(map(np.iscomplexobj, sum(pairs, ()))))
    violation = max((float(np.max(np.abs(x @ maps - maps @ y), initial=0)) for x, y in pairs), default=0.0)
    if violation > ACCURACY:
        raise Unsolved(f"the maps violate the constraints by {violation:.1e}")
    return DenseBasis(maps)


def _constraints(rep_in: LinearRep, rep_out: LinearRep) -> list[Pair]:
    """Return the matrices (X, Y) of all generators, scaled to about 1; X W = W Y must hold."""
    group = rep_in.group
    assert group is not None
    pairs = [(rep_out.drho(a), rep_in.drho(a)) for a in group.directions]
    pairs += [(rep_out.rho(h), rep_in.rho(h)) for h in group.generators]
    scales = [max(np.linalg.norm(x, 1), np.linalg.norm(y, 1)) or 1.0 for x, y in pairs]
    return [(x / scale, y / scale) for (x, y), scale in zip(pairs, scales, strict=True)]


def _probes(rep: LinearRep, seed: int) -> Iterator[_Probe]:
    """Yield a random tangent, where there are tangents, and random words, where there are generators or nothing."""
    group, rng = rep.group, np.random.default_rng(seed)
    assert group is not None
    if group.directions:
        weights = rng.standard_normal(len(group.directions))
        terms = list(zip(weights, group.directions, strict=True))
        yield _Probe(lambda leaf: np.sum([weight * leaf.drho(a) for weight, a in terms], axis=0), adds=True)
    for length in range(1, LONGEST_WORD + 1) if group.generators else ():
        word = [group.generators[i] for i in rng.integers(len(group.generators), size=length)]
        yield _Probe(lambda leaf, word=word: functools.reduce(np.matmul, [leaf.rho(h) for h in word]), adds=False)
    if not group.directions and not group.generators:
        yield _Probe(lambda leaf: np.eye(leaf.size), adds=False)


def _frame(rep: LinearRep, probe: _Probe) -> _Frame:
    if not isinstance(rep, Product):
        values, slack, vectors = generalised_eigenspaces(probe.matrix(rep))
        return _Frame(values, slack, vectors, np.linalg.inv(vectors))
    factors = [_frame(factor, probe) for factor in rep.factors]
    outer, start = (np.add.outer, 0.0) if probe.adds else (np.multiply.outer, 1.0)
    values = functools.reduce(outer, [factor.values for factor in factors], np.full((), start)).reshape(-1)
    sizes = [float(np.max(np.abs(factor.values))) for factor in factors]
    slacks = [factor.slack for factor in factors]
    product = math.prod(size + slack for size, slack in zip(sizes, slacks, strict=True)) - math.prod(sizes)
    vectors = functools.reduce(np.kron, [factor.vectors for factor in factors], np.eye(1))
    inverse = functools.reduce(np.kron, [factor.inverse for factor in factors], np.eye(1))
    return _Frame(values, sum(slacks) if probe.adds else product, vectors, inverse)


def _survivors(out: _Frame, into: _Frame) -> Int[np.ndarray, "2 m"]:
    """Return the rows and columns of the entries that join equal eigenvalues."""
    size = max(float(np.max(np.abs(out.values))), float(np.max(np.abs(into.values))))
    apart = np.abs(out.values[:, None] - into.values)
    return np.stack(np.nonzero(apart <= COINCIDENCE * max(1.0, size) + out.slack + into.slack))


def _turn(frame: _Frame, x: Inexact[np.ndarray, "n n"]) -> Inexact[np.ndarray, "n n"]:
    return frame.inverse @ x @ frame.vectors


def _gram(pairs: list[Pair], rows: Int[np.ndarray, " m"], columns: Int[np.ndarray, " m"]) -> np.ndarray:
    """Return sum_pairs <X E_s - E_s Y, X E_t - E_t Y>, for the unit matrices E_s of the surviving entries s and t."""
    total = np.zeros((len(rows), len(rows)))
    across, along = np.ix_(rows, rows), np.ix_(columns, columns)
    same_row, same_column = rows[:, None] == rows, columns[:, None] == columns
    for x, y in pairs:
        mixed = x.conj().T[across] * y.T[along]
        squares = (x.conj().T @ x)[across] * same_column + (y @ y.conj().T).T[along] * same_row
        total = total + squares - mixed - mixed.conj().T
    return total


def _orthonormal(maps: Inexact[np.ndarray, "r o i"], *, real: bool) -> Inexact[np.ndarray, "r o i"]:
    columns, _ = np.linalg.qr(maps.reshape(len(maps), math.prod(maps.shape[1:])).T)
    if real and np.iscomplexobj(columns):
        columns = real_span(columns)
    columns = columns @ canonical_rotation(columns)
    return np.ascontiguousarray(columns.T).reshape(maps.shape)
