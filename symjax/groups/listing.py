"""Elements as matrices, compared but for rounding: the elements of a finite group one by one, the span of tangents."""

from collections.abc import Sequence
from typing import Any, cast

import jax
import numpy as np
from jaxtyping import Inexact

from symjax.groups.group import MatrixGroup

MOST_ELEMENTS = 10_000
LARGE = 1e6  # entries of elements, of which no finite group of use has so large ones
STRETCH = 1e-6  # an element of a finite group has eigenvalues of size 1
EXACT, NEAR = 1e-12, 1e-4  # distances from the identity that are rounding, and those that no finite group has
SAME = 1e-9  # entries of one element; what differs more, but not in its digits, is near another of infinitely many
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
    elements, is_complete = list_elements(matrices, d)
    if not is_complete or any(map(is_near_one, matrices)):
        raise ValueError(f"expected a finite group of at most {MOST_ELEMENTS} elements, to be listed one by one")
    return elements


def list_elements(
    matrices: Sequence[Inexact[np.ndarray, "d d"]], d: int
) -> tuple[dict[bytes, Inexact[np.ndarray, "d d"]], bool]:
    """Return products of matrices by their keys, the identity first, and whether these are all.

    What has become large in comparison with the identity is not multiplied further.
    """
    elements = {element_key(np.eye(d)): np.eye(d)}
    fresh, is_complete = list(elements.values()), True
    while fresh and len(elements) <= MOST_ELEMENTS:
        products = {element_key(h @ e): h @ e for e in fresh for h in matrices}
        new = {key: e for key, e in products.items() if key not in elements}
        fresh = [e for e in new.values() if np.abs(e).max() < LARGE]
        again = all(np.abs(e - elements[key]).max() < SAME for key, e in products.items() if key not in new)
        is_complete &= len(fresh) == len(new) and again
        elements |= new
    return elements, is_complete and not fresh


def is_near_one(matrix: Inexact[np.ndarray, "d d"]) -> bool:
    """Return whether a matrix moves so little that it has more than 10,000 powers, or no end of them."""
    return bool(EXACT < np.abs(matrix - np.eye(len(matrix))).max() < NEAR)


def in_form_of(group: MatrixGroup, g: Any) -> Any:
    """Return an element as elements of a group are given: by matrices, or by the places of a permutation."""
    if isinstance(g, tuple):
        return tuple(map(in_form_of, cast(Any, group).groups, g))
    if group.identity.ndim == g.ndim:
        return g
    return as_matrix(g) if g.ndim == 1 else g.__array_namespace__().argmax(abs(g), axis=1)


def tangent_rank(tangents: Sequence[Any]) -> int:
    """Return the dimension of the real span of tangents."""
    parts = [[part.ravel() for leaf in jax.tree.leaves(a) for part in (leaf.real, leaf.imag)] for a in tangents]
    return int(np.linalg.matrix_rank(np.stack([*map(np.concatenate, parts)]), tol=1e-9)) if parts else 0
