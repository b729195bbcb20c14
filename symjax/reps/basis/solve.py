"""`equivariant_maps`: the complete space of equivariant linear maps, by the method that suits the representations."""

import functools
import math
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from symjax.reps.atoms import atoms
from symjax.reps.basis import dense, isotypic, orbits, weights
from symjax.reps.basis.bases import Basis, FoldedBasis, Unsolved
from symjax.reps.basis.plan import Block, Plan
from symjax.reps.linear import LinearRep, Product, align, product_of
from symjax.reps.tensor import Scalar

Method = Literal["auto", "orbits", "isotypic", "weights", "diagrams", "dense"]
SOLVERS: MappingProxyType[str, Callable[..., Basis]] = MappingProxyType(
    {
        "orbits": orbits.solve,
        "isotypic": isotypic.solve,
        "weights": weights.solve,
        "dense": dense.solve,
    }
)
AUTOMATIC = ("orbits", "isotypic", "weights", "dense")
SEEDS = 4
ACCURACY = 1e-10


def equivariant_maps(rep_in: LinearRep, rep_out: LinearRep, *, method: Method = "auto") -> Plan:
    """Return all linear maps W with rho_out(g) W = W rho_in(g) for every g of the group.

    Both representations are split into atoms, and each pair of atoms is solved once, in float64 on the CPU; asking
    again for representations of equal content costs nothing.

    Args:
        rep_in: what comes in, bound to a group.
        rep_out: what goes out; representations of different groups become ones of the direct product.
        method: "orbits" (permutations and signs of coordinates), "isotypic" (groups closed under the adjoint),
            "weights" (any group of matrices), "diagrams" (tensors of the classical groups), "dense" (small systems), or
            "auto": the first of orbits, isotypic, weights and dense that applies.

    Raises:
        ValueError: If a representation has no group, the method is unknown or does not apply, or no method finds a
            basis that passes its checks.
    """
    if method not in ("auto", *SOLVERS):
        raise ValueError(f"method is auto, {', '.join(SOLVERS)}, not {method!r}")
    (source, target), group = align(rep_in, rep_out)
    if group is None:
        raise ValueError(f"{rep_in} and {rep_out} have no group yet; give them one, as in T(2)(SO(3))")
    return _plan(source, target, method)


def equivariant_basis(rep: LinearRep, *, method: Method = "auto") -> Plan:
    """Return the invariant vectors of a representation, as the maps from a scalar to it: `matrix` gives columns."""
    return equivariant_maps(Scalar, rep, method=method)


@functools.lru_cache(maxsize=256)
def _plan(rep_in: LinearRep, rep_out: LinearRep, method: Method) -> Plan:
    blocks = []
    for t, target in enumerate(atoms(rep_out)):
        for s, source in enumerate(atoms(rep_in)):
            found = _solve_pair(source.rep, target.rep, method)
            if found.basis.dim:
                blocks.append(
                    Block(found.basis, s, t, (len(target.places), len(source.places)), found.method, found.residual)
                )
    return Plan(tuple(blocks), rep_in, rep_out)


class _Solution(NamedTuple):
    basis: Basis
    method: str
    residual: float


@functools.lru_cache(maxsize=4096)
def _solve_pair(source: LinearRep, target: LinearRep, method: Method) -> _Solution:
    """Try the methods in turn, the random ones with several seeds, until a basis passes its checks."""
    reasons = {}
    for name in AUTOMATIC if method == "auto" else (method,):
        for seed in range(SEEDS):
            try:
                basis = _folded(source, target, name, seed)
            except Unsolved as reason:
                reasons[name] = str(reason)
                continue
            residual = _residual(basis, source, target)
            if residual <= ACCURACY:
                return _Solution(basis, name, residual)
            reasons[name] = f"the residual on the generators is {residual:.1e}"
    listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise ValueError(f"no basis of the maps from {source} to {target} was found ({listed})")


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
    """Return how far a random map of unit coefficients is from equivariant, relative to its largest entry."""
    if basis.dim == 0:
        return 0.0
    w, dual = basis.matrix(_unit_coefficients(basis, source)), source.T
    moves = [target.dact(a, w.T).T + dual.dact(a, w) for a in source.group.lie_algebra]
    moves += [target.act(h, dual.act(h, w).T).T - w for h in source.group.generators]
    return max((float(np.max(np.abs(move))) for move in moves), default=0.0) / float(np.max(np.abs(w)))


def _unit_coefficients(basis: Basis, rep: LinearRep) -> np.ndarray:
    normal = np.random.default_rng(0).standard_normal
    assert rep.group is not None
    return normal(basis.dim) if rep.group.is_real else normal(basis.dim) + 1j * normal(basis.dim)
