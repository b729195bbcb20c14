"""What a user declares of a representation is measured before it is used: that its matrices are those of a group.

Representations of this package are built to be lawful and are passed over.
"""

import functools
from typing import Any

import jax
import numpy as np
import scipy.linalg

from symjax.groups import DirectProduct, MatrixGroup, as_matrix, in_form_of

EXACT = 1e-8  # errors of products and of actions, relative to the sizes of the matrices
DERIVED = 1e-6  # the same, of derivatives by differences
STEP = 1e-3
PAIRS = 3


def require_lawful(rep: Any) -> None:
    """Measure what was declared in a linear representation, once.

    Raises:
        TypeError: If something in it has no hash.
        ValueError: If the matrices are of another size, rho of a product is not the product, drho is not the derivative
            of rho, or an action, a signed permutation or a dual is another than that of the matrices.
    """
    for leaf in declared(rep):
        if leaf.group is not None:
            _measure(leaf)


def keeps_lengths(rep: Any) -> bool:
    """Return whether a representation of a group of orthogonal matrices is orthogonal too, as those built here are."""
    return not declared(rep) or _acts_orthogonally(rep)


def declared(rep: Any) -> list[Any]:
    """Return the parts of an expression of which only their author knows the matrices."""
    if getattr(rep, "is_declared", not type(rep).__module__.startswith("symjax.")):
        return [rep]
    inside = [rep.rep] if hasattr(rep, "rep") else getattr(rep, "factors", ())
    return [leaf for part in (*inside, *(term for term, _ in getattr(rep, "terms", ()))) for leaf in declared(part)]


@functools.lru_cache(maxsize=1024)
def _acts_orthogonally(rep: Any) -> bool:
    rates = [rep.drho(a) for a in rep.group.directions]
    matrices = [np.asarray(rep.rho(h)) for h in rep.group.generators]
    antisymmetric = all(np.allclose(a, -a.T, rtol=0, atol=EXACT) for a in rates)
    return antisymmetric and all(np.allclose(m @ m.T, np.eye(len(m)), rtol=0, atol=EXACT) for m in matrices)


def _measure(rep: Any) -> None:
    try:
        hash(rep)
    except TypeError:
        raise TypeError(
            f"expected a representation that is frozen and has a hash, got {rep}; write @dataclasses.dataclass("
            "frozen=True, repr=False) above its class"
        ) from None
    _measured(rep)


@functools.lru_cache(maxsize=1024)
def _measured(rep: Any) -> None:
    group, rng = rep.group, np.random.default_rng(0)
    one = np.asarray(rep.rho(group.identity))
    if one.shape != (rep.size, rep.size):
        raise ValueError(f"expected rho of {rep} to return matrices {[rep.size] * 2} as its size says, got {one.shape}")
    for _ in range(PAIRS):
        g, h = _element(group, rng), _element(group, rng)
        first, second, both = (np.asarray(rep.rho(x)) for x in (g, h, _compose(g, h)))
        _require(both, first @ second, _size(first) * _size(second), EXACT, rep, "rho(g h)", "rho(g) rho(h)")
        _measure_actions(rep, g, rng)
    for _ in range(PAIRS if group.directions else 0):
        _measure_rates(rep, rng)
    for h in group.generators:
        if (monomial := rep.monomial(h)) is not None:
            listed = monomial[1][:, None] * np.eye(rep.size)[monomial[0]]
            _require(listed, rep.rho(h), 1.0, EXACT, rep, "monomial(h)", "rho(h)")


def _measure_actions(rep: Any, g: Any, rng: np.random.Generator) -> None:
    matrix, x = np.asarray(rep.rho(g)), rng.standard_normal((2, rep.size))
    _require(rep.act(g, x), x @ matrix.T, _size(matrix), EXACT, rep, "act(g, x)", "rho(g) x")
    dual = np.asarray(rep.T.rho(g))
    _require(dual.T @ matrix, np.eye(rep.size), _size(matrix) * _size(dual), EXACT, rep, "T.rho(g)", "rho(g)^-T")


def _measure_rates(rep: Any, rng: np.random.Generator) -> None:
    """Compare drho of a tangent with differences of rho of its exponentials, and with the sum of drho over a basis."""
    weights = rng.standard_normal(len(rep.group.directions))
    tangent = _sum(rep.group, weights)
    rate, x = np.asarray(rep.drho(tangent)), rng.standard_normal((2, rep.size))
    if rate.shape != (rep.size, rep.size):
        raise ValueError(f"expected drho of {rep} to return matrices {[rep.size] * 2}, got shape {rate.shape}")
    step = STEP / max(1.0, _size(rate), *map(_size, jax.tree.leaves(tangent)))
    near, far = (
        np.asarray(rep.rho(_exponential(rep.group, tangent, t))) - rep.rho(_exponential(rep.group, tangent, -t))
        for t in (step, 2 * step)
    )
    _require(rate, (8 * near - far) / (12 * step), 1 + _size(rate), DERIVED, rep, "drho(a)", "the derivative of rho")
    by_parts = sum(w * np.asarray(rep.drho(a)) for w, a in zip(weights, rep.group.directions, strict=True))
    _require(rate, by_parts, 1 + _size(rate), EXACT, rep, "drho(a + b)", "drho(a) + drho(b)")
    _require(rep.dact(tangent, x), x @ rate.T, 1 + _size(rate), EXACT, rep, "dact(a, x)", "drho(a) x")


def _require(found: Any, expected: Any, scale: float, tolerance: float, rep: Any, what: str, other: str) -> None:
    found = np.asarray(found)
    error = float(np.max(np.abs(found - expected), initial=0)) / scale if found.shape == expected.shape else np.inf
    if not error <= tolerance:
        mend = "LinearRep.from_rho(size, rho) makes the rest from rho alone" if what != "rho(g h)" else "mend rho"
        raise ValueError(
            f"{rep} is no representation of {rep.group}: {what} is not {other}, by {error:.0e} of its size; {mend}"
        )


def _size(matrix: Any) -> float:
    return float(np.linalg.norm(matrix, 2)) if np.size(matrix) and np.isfinite(matrix).all() else 1.0


def _element(group: MatrixGroup, rng: np.random.Generator) -> Any:
    """Return the exponential of a random tangent times a random word of three generators."""
    if isinstance(group, DirectProduct):
        return tuple(_element(factor, rng) for factor in group.groups)
    g = group.identity
    for i in rng.integers(len(group.generators), size=3) if group.generators else ():
        g = _compose(g, group.generators[i])
    if not group.directions:
        return g
    return _exponential(group, _sum(group, 0.5 * rng.standard_normal(len(group.directions))), 1.0) @ g


def _sum(group: MatrixGroup, weights: np.ndarray) -> Any:
    return jax.tree.map(lambda *parts: np.tensordot(weights, np.stack(parts), 1), *group.directions)


def _exponential(group: MatrixGroup, a: Any, t: float) -> Any:
    return in_form_of(group, jax.tree.map(lambda part: scipy.linalg.expm(t * part), a))


def _compose(g: Any, h: Any) -> Any:
    """Return the element that acts like h and then g: (g (h x))[i] = x[h[g[i]]] for permutations."""
    if isinstance(g, tuple):
        return tuple(map(_compose, g, h))
    return h[g] if g.ndim == h.ndim == 1 else as_matrix(g) @ as_matrix(h)
