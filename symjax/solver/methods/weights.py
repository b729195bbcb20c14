"""Any group of matrices, reductive or not: maps keep the weights of one element, which leaves few unknowns.

If X W = W Y for the matrices X and Y of one element, W takes each generalised eigenspace of Y into the one of X with
the same eigenvalue. In bases of those spaces only the entries W[i, j] with alpha_i = beta_j survive, where alpha and
beta are the eigenvalues of X and Y; over a tensor product the eigenvalues of the factors add (a tangent), or their
logarithms do (an element of the group). The constraints of all generators on the survivors make one small Hermitian
matrix, and its null space is the answer. Nothing is assumed of the element: it may be nilpotent, and then everything
survives.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Inexact, Int

from symjax.math import require_memory
from symjax.reps import LinearRep, Product
from symjax.solver.bases import DenseBasis, Unsolved
from symjax.solver.linalg import canonical_rotation, inverse, null_space, real_span, svd
from symjax.solver.methods.constraints import Pair, constraints, scaled
from symjax.solver.methods.jordan import eigenspaces

LARGEST = 3000  # coordinates of a representation, and survivors
COINCIDENCE = 1e-6  # eigenvalues this close count as equal: then more survives than must, and nothing is lost
ROUNDING = 1e-15  # of an entry of a matrix, relative to its norm
LONGEST_WORD = 4
BYTES = 8 * 16  # for each entry of a large array, of which some complex copies are alive at once


class _Probe(NamedTuple):
    """A tangent, or a word of elements, as its matrix in each representation, and a bound of the norm of that."""

    matrix: Callable[[LinearRep], Inexact[np.ndarray, "n n"]]
    bound: Callable[[LinearRep], float]
    is_tangent: bool


class _Frame(NamedTuple):
    """Generalised eigenvectors of a probe, as columns, with eigenvalues or their logarithms, known up to `slack`."""

    values: Inexact[np.ndarray, " n"]
    slack: Float[np.ndarray, " n"]
    vectors: Inexact[np.ndarray, "n n"]
    inverse: Inexact[np.ndarray, "n n"]


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> DenseBasis:
    """Return an orthonormal basis of the maps from one representation to another.

    Raises:
        Unsolved: If too many unknowns survive; if eigenspaces or the rank of the constraints are unclear in double
            precision; if the maps do not fit in memory.
    """
    if max(rep_in.size, rep_out.size) > LARGEST:
        raise Unsolved(f"{max(rep_in.size, rep_out.size)} coordinates are more than the {LARGEST} of a dense matrix")
    pairs = constraints(rep_in, rep_out)
    candidates = (_candidate(rep_in, rep_out, probe) for probe in _probes(rep_in, seed))
    out, into, survivors = min(candidates, key=lambda candidate: candidate[2].shape[1])
    if survivors.shape[1] > LARGEST:
        raise Unsolved(f"{survivors.shape[1]} unknowns survive the first element, and at most {LARGEST} may")
    require_memory(BYTES * survivors.shape[1] ** 2, f"{survivors.shape[1]} unknowns", Unsolved)
    kernel = null_space(_gram([scaled(_turn(out, x), _turn(into, y)) for x, y in pairs], *survivors))
    shape = kernel.shape[1], rep_out.size, rep_in.size
    require_memory(BYTES * math.prod(shape), "{} maps of {} x {} numbers".format(*shape), Unsolved)
    entries = np.zeros(shape, kernel.dtype)
    entries[:, *survivors] = kernel.T
    maps = out.vectors @ entries @ into.inverse
    return DenseBasis(_orthonormal(maps, real=not any(map(np.iscomplexobj, itertools.chain(*pairs)))))


def _candidate(rep_in: LinearRep, rep_out: LinearRep, probe: _Probe) -> tuple[_Frame, _Frame, Int[np.ndarray, "2 m"]]:
    out, into = _frame(rep_out, probe), _frame(rep_in, probe)
    return out, into, _survivors(out, into, probe)


def _probes(rep: LinearRep, seed: int) -> Iterator[_Probe]:
    """Yield a random tangent, where there are tangents, and random words, where there are generators or nothing."""
    group, rng = rep.require_group(), np.random.default_rng(seed)
    if group.directions:
        weights = rng.standard_normal(len(group.directions))
        terms = list(zip(weights, group.directions, strict=True))
        tangent = functools.partial(_sum, terms)
        yield _Probe(tangent, lambda leaf: float(np.linalg.norm(tangent(leaf))), is_tangent=True)
    for length in range(1, LONGEST_WORD + 1) if group.generators else ():
        word = [group.generators[i] for i in rng.integers(len(group.generators), size=length)]
        yield _Probe(functools.partial(_product, word), functools.partial(_bound, word), is_tangent=False)
    if not group.directions and not group.generators:
        yield _Probe(lambda leaf: np.eye(leaf.size), lambda leaf: 1.0, is_tangent=False)


def _sum(terms: list[tuple[float, Any]], leaf: LinearRep) -> Inexact[np.ndarray, "n n"]:
    return np.sum([weight * leaf.drho(a) for weight, a in terms], axis=0)


def _product(word: list[Any], leaf: LinearRep) -> Inexact[np.ndarray, "n n"]:
    with np.errstate(over="ignore", invalid="ignore"):
        return functools.reduce(np.matmul, [leaf.rho(h) for h in word])


def _bound(word: list[Any], leaf: LinearRep) -> float:
    return math.prod(float(np.linalg.norm(leaf.rho(h))) for h in word)


def _frame(rep: LinearRep, probe: _Probe) -> _Frame:
    if not isinstance(rep, Product):
        values, spread, condition, vectors = eigenspaces(probe.matrix(rep))
        error = spread + ROUNDING * rep.size * condition * probe.bound(rep)
        frame = _Frame(values, np.full(len(values), error), vectors, inverse(vectors))
        return frame if probe.is_tangent else _logarithmic(frame)
    factors = [_frame(factor, probe) for factor in rep.factors]
    values = functools.reduce(np.add.outer, [factor.values for factor in factors], np.zeros(())).reshape(-1)
    slacks = functools.reduce(np.add.outer, [factor.slack for factor in factors], np.zeros(())).reshape(-1)
    vectors = functools.reduce(np.kron, [factor.vectors for factor in factors], np.eye(1))
    back = functools.reduce(np.kron, [factor.inverse for factor in factors], np.eye(1))
    return _Frame(values, slacks, vectors, back)


def _logarithmic(frame: _Frame) -> _Frame:
    """Return the frame with the logarithms of the eigenvalues, of which one that may be zero may be anything."""
    size = np.abs(frame.values)
    is_known = 2 * frame.slack < size
    relative = np.where(is_known, frame.slack, 0) / np.where(is_known, size, 1)
    values = np.log(np.where(is_known, frame.values, 1).astype(complex))
    return frame._replace(values=values, slack=np.where(is_known, -np.log1p(-relative), np.inf))


def _survivors(out: _Frame, into: _Frame, probe: _Probe) -> Int[np.ndarray, "2 m"]:
    """Return the rows and columns of the entries that join equal eigenvalues; logarithms may differ by whole turns."""
    apart = out.values[:, None] - into.values
    if not probe.is_tangent:
        apart = np.real(apart) + 1j * np.angle(np.exp(1j * np.imag(apart)))
    size = max(1.0, float(np.max(np.abs(out.values))), float(np.max(np.abs(into.values))))
    return np.stack(np.nonzero(np.abs(apart) <= COINCIDENCE * size + out.slack[:, None] + into.slack))


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
    columns, _, _ = svd(maps.reshape(len(maps), math.prod(maps.shape[1:])).T)
    if real and np.iscomplexobj(columns):
        columns = real_span(columns)
    columns = columns @ canonical_rotation(columns)
    return np.ascontiguousarray(columns.T).reshape(maps.shape)
