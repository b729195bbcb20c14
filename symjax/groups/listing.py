"""Elements as matrices, compared but for rounding: the elements of a finite group one by one, the span of tangents."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Inexact

MOST_ELEMENTS = 10_000
STRETCH = 1e-6  # an element of a finite group has eigenvalues of size 1
DIGITS = 6  # of the entries of one element, after rounding in every product that made it


def as_matrix(g: Any) -> Any:
    """Return the matrix of an element, which in a group of permutations is a list of places: (g x)[i] = x[g[i]]."""
    return g.__array_namespace__().eye(len(g))[g] if g.ndim == 1 else g


def element_key(matrix: Inexact[np.ndarray, "d d"]) -> bytes:
    """Return what two computations of one element share."""
    return (np.round(matrix.astype(complex), DIGITS) + 0.0).tobytes()


def finite_elements(generators: Sequence[np.ndarray], d: int) -> dict[bytes, Inexact[np.ndarray, "d d"]]:
    """Return all products of the generators as matrices, by their keys, the identity first.

    Raises:
        ValueError: If they are not finitely many, or more than 10,000.
    """
    matrices = [as_matrix(np.asarray(h)) for h in generators]
    if any(np.max(np.abs(np.abs(np.linalg.eigvals(h)) - 1)) > STRETCH for h in matrices):
        raise ValueError("expected a finite group, and an element stretches some vector without end")
    elements = {element_key(np.eye(d)): np.eye(d)}
    fresh = list(elements.values())
    while fresh:
        products = {element_key(h @ e): h @ e for e in fresh for h in matrices}
        fresh = [e for key, e in products.items() if key not in elements]
        elements |= {element_key(e): e for e in fresh}
        if len(elements) > MOST_ELEMENTS:
            raise ValueError(f"expected a finite group of at most {MOST_ELEMENTS} elements, to be listed one by one")
    return elements


def tangent_rank(tangents: Sequence[Any]) -> int:
    """Return the dimension of the real span of tangents."""
    parts = [[part.ravel() for leaf in jax.tree.leaves(a) for part in (leaf.real, leaf.imag)] for a in tangents]
    return int(np.linalg.matrix_rank(np.stack([*map(np.concatenate, parts)]), tol=1e-9)) if parts else 0
