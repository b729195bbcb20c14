"""`equivariant_maps`: the complete space of equivariant linear maps, by the method that suits the representations."""

import dataclasses
import functools
import itertools
import math
import os
import pathlib
import warnings
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from symjax.groups import MatrixGroup, factors_of, same_group
from symjax.math import patience, require_memory
from symjax.reps import LinearRep, Product, Scalar, bound, monomials, product_of, summands
from symjax.solver.bases import (
    Basis,
    Factored,
    FoldedBasis,
    Tile,
    TiledBasis,
    Unsolved,
    in_full,
    load_basis,
    save_basis,
    stored_path,
)
from symjax.solver.methods import dense, diagrams, isotypic, moves, orbits, weights
from symjax.solver.plan import Plan

Method = Literal["auto", "orbits", "isotypic", "weights", "diagrams", "dense"]
SOLVERS: MappingProxyType[str, Callable[..., Basis]] = MappingProxyType(
    {
        "orbits": orbits.solve,
        "isotypic": isotypic.solve,
        "weights": weights.solve,
        "diagrams": diagrams.solve,
        "dense": dense.solve,
    }
)
AUTOMATIC = tuple(SOLVERS)
RANDOM = ("isotypic", "weights")  # methods that another seed may help
SEEDS = 4
ACCURACY = 1e-10
SMALL = 2**14  # entries of all maps of a basis, below which they are kept in full
MANY = 2**12  # entries of a map, from which copies of irreps are mixed
MODERATE = 256  # coordinates of a tensor, up to which it is split whole
BYTES_AN_ENTRY = 64  # of working memory, for each entry of a map


def equivariant_maps(
    rep_in: LinearRep, rep_out: LinearRep, *, method: Method = "auto", store: str | pathlib.Path | None = None
) -> Plan:
    """Return all linear maps W with rho_out(g) W = W rho_in(g) for every g of the group.

    Both representations are split into tensors, of which each, or each pair, is solved once, in float64 on the CPU;
    asking again for representations of equal content costs nothing.

    Args:
        rep_in: what comes in, bound to a group.
        rep_out: what goes out; representations of different groups become ones of the direct product.
        method: "orbits" (permutations and signs of coordinates), "isotypic" (groups closed under the adjoint),
            "weights" (any group of matrices), "diagrams" (tensors of the classical groups), "dense" (small systems), or
            "auto": the first of orbits, isotypic, weights, diagrams and dense that applies.
        store: a folder that keeps bases between runs, by default the one that the environment variable SYMJAX_BASES
            names, if any; what is read from it is checked like what is solved.

    Warns:
        UserWarning: If groups on as many coordinates were taken for different ones, because nothing tells whether they
            are.

    Raises:
        TypeError: If one is no linear representation.
        ValueError: If a representation has no group, the method is unknown or does not apply, the store is a file, the
            maps do not fit in memory, or no method finds a basis that passes its checks.
    """
    if method not in ("auto", *SOLVERS):
        raise ValueError(f"method is auto, {', '.join(SOLVERS)}, not {method!r}")
    folder = _store_folder(os.environ.get("SYMJAX_BASES") if store is None else store)
    (source, target), group = bound(rep_in, rep_out)
    _warn_of_twins(group)
    _require_memory(source, target)
    plan = _plan(source, target, method, folder)
    named = (repr(plan.rep_in), repr(plan.rep_out)) == (repr(source), repr(target))
    return plan if named else dataclasses.replace(plan, rep_in=source, rep_out=target)  # equal groups, other names


def equivariant_basis(rep: LinearRep, *, method: Method = "auto", store: str | pathlib.Path | None = None) -> Plan:
    """Return the invariant vectors of a representation, as the maps from a scalar to it: `matrix` gives columns."""
    return equivariant_maps(Scalar, rep, method=method, store=store)


def _warn_of_twins(group: MatrixGroup) -> None:
    for one, other in itertools.combinations(factors_of(group), 2):
        if same_group(one, other) is None:
            warnings.warn(
                f"took {one} and {other} for different groups, each moving its own representations, because nothing "
                f"tells whether they are; if they are one, write restrict(rep, group) to give both the same group",
                stacklevel=3,
            )


def _store_folder(store: str | pathlib.Path | None) -> pathlib.Path | None:
    if store and pathlib.Path(store).is_file():
        raise ValueError(f"expected store to be a folder, got the file {store}")
    return pathlib.Path(store) if store else None


def _require_memory(source: LinearRep, target: LinearRep) -> None:
    shape = f"{target.size} x {source.size} entries"
    what = f"maps from {source} to {target} have {shape}; use tensors of lower rank, because they"
    require_memory(BYTES_AN_ENTRY * source.size * target.size, what)


@functools.lru_cache(maxsize=256)
def _plan(rep_in: LinearRep, rep_out: LinearRep, method: Method, store: pathlib.Path | None) -> Plan:
    with patience(f"solving for the maps from {rep_in} to {rep_out}"):
        return _solved(rep_in, rep_out, method, store)


def _solved(rep_in: LinearRep, rep_out: LinearRep, method: Method, store: pathlib.Path | None) -> Plan:
    if _shares_irreps(rep_in, rep_out, method):
        whole = _search(rep_in, rep_out, ("isotypic",), store)
        if isinstance(whole, _Solution) and whole.basis.dim:
            return Plan(whole.basis, whole.method, whole.residual, rep_in, rep_out)
    tiles, methods, residual = [], set(), 0.0
    for t, target in enumerate(summands(rep_out)):
        for s, source in enumerate(summands(rep_in)):
            pair = _solve_pair(source.rep, target.rep, method, store)
            if pair.basis.dim:
                tiles.append(Tile(pair.basis, s, t, (len(target.places), len(source.places))))
                methods, residual = methods | {pair.method}, max(residual, pair.residual)
    return Plan(
        TiledBasis(tuple(tiles), rep_in, rep_out), "+".join(sorted(methods)) or "none", residual, rep_in, rep_out
    )


def _shares_irreps(rep_in: LinearRep, rep_out: LinearRep, method: Method) -> bool:
    """Return whether to split all tensors of both sides at once: where there are copies, of tensors of moderate size.

    Else pairs of tensors are split, which may be folded where they are large, and are cheap to compile where small.
    """
    parts = [*summands(rep_in), *summands(rep_out)]
    if method not in ("auto", "isotypic") or rep_in.size * rep_out.size < MANY:
        return False
    if all(len(part.places) == 1 for part in parts) or max(part.rep.size for part in parts) > MODERATE:
        return False
    return method == "isotypic" or monomials(rep_in) is None or monomials(rep_out) is None


class _Solution(NamedTuple):
    basis: Basis
    method: str
    residual: float


@functools.lru_cache(maxsize=4096)
def _solve_pair(source: LinearRep, target: LinearRep, method: Method, store: pathlib.Path | None) -> _Solution:
    solution = _search(source, target, AUTOMATIC if method == "auto" else (method,), store)
    if not isinstance(solution, _Solution):
        listed = "; ".join(f"{name}: {reason}" for name, reason in solution.items())
        raise ValueError(
            f"no basis of the maps from {source} to {target} was found ({listed}); {_advice(source, target, method)}"
        )
    small = solution.method != "orbits" and 0 < solution.basis.dim * source.size * target.size <= SMALL
    return solution._replace(basis=in_full(solution.basis)) if small else solution


def _advice(source: LinearRep, target: LinearRep, method: Method) -> str:
    if method != "auto":
        return "leave the choice of the method to 'auto'"
    if source.size * target.size > dense.LARGEST:
        return "take tensors of lower rank, to which more methods apply"
    return "give the generators in float64, in coordinates in which they move vectors by about their length"


def _search(
    source: LinearRep, target: LinearRep, methods: Sequence[str], store: pathlib.Path | None
) -> _Solution | dict[str, str]:
    """Try the methods in turn, with several seeds, until a basis passes its checks; or say why none of them does."""
    reasons = {}
    for name in methods:
        path = None if store is None else stored_path(store, source, target, name)
        kept = None if path is None else load_basis(path)
        for seed in range(SEEDS if name in RANDOM else 1 + (kept is not None)):
            try:
                basis = kept if kept is not None and seed == 0 else _folded(source, target, name, seed)
                residual = _residual(basis, source, target)
            except Unsolved as reason:
                reasons[name] = str(reason)
                continue
            if residual <= ACCURACY:
                if path is not None and basis is not kept:
                    save_basis(path, basis)
                return _Solution(basis, name, residual)
            reasons[name] = f"the residual on the generators is {residual:.1e}"
    return reasons


def _folded(source: LinearRep, target: LinearRep, method: str, seed: int) -> Basis:
    """Solve between two halves of about equal size instead, where the cost is that of the larger representation."""
    solve = SOLVERS[method]
    if method != "isotypic":
        return solve(source, target, seed)
    factors = [*_factors(target), *_factors(source.T)]
    sizes = [factor.size for factor in factors]
    split = min(range(len(factors) + 1), key=lambda i: math.prod(sizes[:i]) + math.prod(sizes[i:]))
    left, right = product_of(factors[:split], target.group), product_of(factors[split:], target.group).T
    if max(left.size, right.size) >= max(source.size, target.size):
        return solve(source, target, seed)
    return FoldedBasis(solve(right, left, seed), (left.size, right.size), (target.size, source.size))


def _factors(rep: LinearRep) -> Sequence[LinearRep]:
    return rep.factors if isinstance(rep, Product) else (rep,)


def _residual(basis: Basis, source: LinearRep, target: LinearRep) -> float:
    """Return how far a random map is from equivariant: the largest error on two random vectors, over all generators.

    Each error is relative to the vectors as the generator moves them; a tangent may take them to zero, so that its
    errors are relative to the vectors as they are, too.
    """
    if basis.dim == 0:
        return 0.0
    group, rng = source.require_group(), np.random.default_rng(0)
    c = rng.standard_normal(basis.dim) + (0 if group.is_real else 1j * rng.standard_normal(basis.dim))
    x = rng.standard_normal((2, source.size))
    image = _image(basis, c)
    y = image(x)
    gain, worst = _largest(y) / _largest(x), 0.0
    for move in moves(source, target):
        moved, last = move.source(x), move.target(y)
        size = max(_largest(last), gain * _largest(moved), _largest(y) if move.is_tangent else 0.0)
        worst = np.maximum(worst, _largest(image(moved) - last) / size)  # unlike max, it keeps NaN
    return float(worst)


def _image(basis: Basis, c: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    if isinstance(basis, Factored):
        return functools.partial(basis.apply, c)
    transposed = basis.matrix(c).T
    return lambda x: x @ transposed


def _largest(x: np.ndarray) -> float:
    return float(np.max(np.abs(x)))
