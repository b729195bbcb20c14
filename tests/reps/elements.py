"""Random elements and tangents of any group, as numpy arrays, and how elements multiply."""

from typing import Any

import jax
import numpy as np
import scipy.linalg

from symjax.groups import DirectProduct, MatrixGroup, as_matrix


def tangent(group: MatrixGroup, rng: np.random.Generator) -> Any:
    """A random combination of the Lie algebra; None where that is empty."""
    weights = rng.normal(scale=0.4, size=len(group.lie_algebra))
    scaled = [jax.tree.map(lambda a, w=w: w * a, a) for w, a in zip(weights, group.lie_algebra, strict=True)]
    return jax.tree.map(lambda *leaves: sum(leaves), *scaled) if scaled else None


def element(group: MatrixGroup, rng: np.random.Generator) -> Any:
    """The exponential of a random tangent times a random word of three generators."""
    if isinstance(group, DirectProduct):
        return tuple(element(factor, rng) for factor in group.groups)
    g = group.identity
    for i in rng.integers(len(group.generators), size=3 if group.generators else 0):
        g = compose(g, group.generators[i])
    return exponential(tangent(group, rng)) @ g if group.lie_algebra else g


def exponential(a: Any) -> Any:
    """The element that a tangent points to."""
    return jax.tree.map(scipy.linalg.expm, a)


def compose(g: Any, h: Any) -> Any:
    """The element that acts like h and then g: (g (h x))[i] = x[h[g[i]]] for permutations."""
    if isinstance(g, tuple):
        return tuple(map(compose, g, h))
    if g.ndim == h.ndim == 1:
        return h[g]
    return as_matrix(g) @ as_matrix(h)
