"""Subrepresentations: what a group does inside a subspace that it keeps."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Inexact

from symjax.groups import MatrixGroup
from symjax.math import namespace
from symjax.reps.linear import LinearRep, bound

KEPT = 1e-9  # how far generators may move the subspace out of itself, relative to their size
ROUNDING = 1e-8  # singular values of a projector that are zero


@dataclasses.dataclass(frozen=True, repr=False)
class Subrep(LinearRep):
    """A representation on a subspace, in the coordinates of orthonormal columns. Made by `subrep`."""

    rep: LinearRep
    columns: tuple[tuple[float | complex, ...], ...]

    @property
    def group(self) -> MatrixGroup | None:
        """The group that acts."""
        return self.rep.group

    @property
    def size(self) -> int:
        """The dimension of the subspace."""
        return len(self.columns)

    @functools.cached_property
    def frame(self) -> Inexact[np.ndarray, "n m"]:
        """The orthonormal columns: `frame @ y` are the coordinates outside of a vector y of the subspace."""
        frame = np.array(self.columns).reshape(self.size, self.rep.size).T
        return frame if np.imag(frame).any() else np.real(frame).astype(float)

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self._inside(self.rep.rho(g))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self._inside(self.rep.drho(a))

    def _inside(self, matrix: Any) -> Any:
        dtype = np.result_type(matrix.dtype, np.complex64) if np.iscomplexobj(self.frame) else matrix.dtype
        frame = namespace(matrix).asarray(self.frame, dtype=dtype)
        with jax.default_matmul_precision("highest"):
            return frame.conj().T @ matrix.astype(dtype) @ frame

    @property
    def text(self) -> str:
        """The representation around it and the dimension."""
        return f"subrep({self.rep.text}, {self.size})"


def subrep(rep: LinearRep, inside: Any) -> LinearRep:
    """Return the representation on a subspace that the group keeps.

    Args:
        rep: the representation around it, bound to a group.
        inside: a projector [n, n] onto the subspace, such as `plan.project(w)` may be, or which coordinates are kept
            among themselves: a slice or their numbers.

    Raises:
        ValueError: If some element moves the subspace out of itself, or there is nothing in it.
    """
    [rep], group = bound(rep)
    n = rep.size
    if isinstance(inside, slice) or np.ndim(inside) == 1:
        frame = np.eye(n)[:, np.arange(n)[inside] if isinstance(inside, slice) else np.asarray(inside, int)]
    else:
        frame = _image(np.asarray(inside), n)
    if not frame.size:
        raise ValueError(f"expected a subspace of {rep} with some vector in it, got none")
    _require_kept(rep, group, frame)
    return Subrep(rep, tuple(tuple(column.tolist()) for column in frame.T))


def _image(projector: Inexact[np.ndarray, "n n"], n: int) -> Inexact[np.ndarray, "n m"]:
    if projector.shape != (n, n) or not np.allclose(projector @ projector, projector, atol=ROUNDING):
        raise ValueError(f"expected a projector [{n}, {n}] with P P = P, got an array of shape {projector.shape}")
    rank = round(float(np.trace(projector).real))
    frame = np.zeros((n, 0), projector.dtype)
    while frame.shape[1] < rank:  # columns of the projector, the longest first, each without what is spanned already
        rest = projector - frame @ (frame.conj().T @ projector)
        column = rest[:, np.argmax(np.round(np.linalg.norm(rest, axis=0), 6))]
        column = column - frame @ (frame.conj().T @ column)
        frame = np.concatenate([frame, (column / np.linalg.norm(column))[:, None]], axis=1)
    return frame


def _require_kept(rep: LinearRep, group: MatrixGroup, frame: Inexact[np.ndarray, "n m"]) -> None:
    rows: Sequence[np.ndarray] = [rep.dact(a, frame.T) for a in group.directions]
    rows = [*rows, *(rep.act(h, frame.T) for h in group.generators)]
    for row in rows:
        outside = row.T - frame @ (frame.conj().T @ row.T)
        if not np.linalg.norm(outside) <= KEPT * max(1.0, float(np.linalg.norm(row))):
            raise ValueError(
                f"expected a subspace that {group} keeps, but some element moves a vector out of it by "
                f"{np.abs(outside).max():.0e}; take a projector that commutes with the group, as plan.project gives"
            )
