"""Irreducible representations of O(3) as e3nn writes them (Geiger and Smidt 2022, arXiv:2207.09453)."""

import dataclasses
import functools
from typing import Any

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float

from symjax.groups import Motion, O
from symjax.math import double_precision, namespace
from symjax.reps.actions import linear_part
from symjax.reps.linear import LinearRep, sum_of


@dataclasses.dataclass(frozen=True, repr=False)
class Irreps(LinearRep):
    """A direct sum of O(3) irreps on the last axis, e.g. `Irreps("8x0e+4x1o")`; translations leave it alone.

    "1o" are the vectors, "1e" the pseudovectors, "0o" the pseudoscalars; `restrict(Irreps("1e"), SO(3))` forgets
    reflections.
    """

    irreps: str

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.irreps

    def __post_init__(self):
        if not e3nn.Irreps(self.irreps):
            raise ValueError(f"expected at least one irrep, as in `8x0e+4x1o`, got {self.irreps!r}")
        object.__setattr__(self, "irreps", str(e3nn.Irreps(self.irreps)))

    @property
    def group(self) -> O:
        """O(3)."""
        return O(3)

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return e3nn.Irreps(self.irreps).dim

    def act(
        self, g: Motion | Float[Array | np.ndarray, "3 3"], x: e3nn.IrrepsArray | Float[Array | np.ndarray, "... d"]
    ) -> e3nn.IrrepsArray | Float[Array | np.ndarray, "... d"]:
        """Return x turned by the linear part of g, as the type that came in.

        Raises:
            ValueError: If x is an IrrepsArray of other irreps, or an array whose last axis is not theirs.
        """
        irreps = e3nn.Irreps(self.irreps)
        if isinstance(x, e3nn.IrrepsArray) and x.irreps != irreps:
            raise ValueError(f"expected an array of irreps {irreps}, got {x.irreps}")
        if x.shape[-1] != irreps.dim:
            raise ValueError(f"irreps {irreps} have dimension {irreps.dim}, but the array has shape {x.shape}")
        if isinstance(x, np.ndarray):
            return x @ self.rho(g).T
        named = x if isinstance(x, e3nn.IrrepsArray) else e3nn.IrrepsArray(irreps, x)
        with jax.default_matmul_precision("highest"):  # else the action itself is only good to 1e-3 in tf32
            turned = named.transform_by_matrix(linear_part(g).astype(x.dtype))
        return turned if isinstance(x, e3nn.IrrepsArray) else turned.array

    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an orthogonal matrix."""
        if isinstance(g, np.ndarray):
            return _host_matrix(self.irreps, g.astype(float).tobytes())
        return e3nn.Irreps(self.irreps).D_from_matrix(linear_part(g))

    def drho(self, a: Any) -> Any:
        """Return the matrix [size, size] of an antisymmetric matrix."""
        with jax.default_matmul_precision("highest"):
            return namespace(a).tensordot(_axis(a), _generators(self.irreps).astype(a.dtype), 1)

    def expand(self) -> LinearRep:
        """Return the sum of the irreps one by one."""
        parts = e3nn.Irreps(self.irreps)
        if parts.num_irreps == 1:
            return self
        return sum_of([(Irreps(str(ir)), mul) for mul, ir in parts], self.group)

    @property
    def text(self) -> str:
        """The irreps."""
        return f'Irreps("{self.irreps}")'


@functools.lru_cache(maxsize=256)
def _host_matrix(irreps: str, g: bytes) -> Float[np.ndarray, "d d"]:
    with double_precision():
        matrix = np.array(e3nn.Irreps(irreps).D_from_matrix(jnp.asarray(np.frombuffer(g).reshape(3, 3))))
    matrix.flags.writeable = False
    return matrix


@functools.lru_cache(maxsize=256)
def _generators(irreps: str) -> Float[np.ndarray, "3 d d"]:
    each = [np.asarray(ir.generators(), float) for mul, ir in e3nn.Irreps(irreps) for _ in range(mul)]
    return np.array([scipy.linalg.block_diag(*axis) for axis in zip(*each, strict=True)])


def _axis(a: Any) -> Any:
    """Return the rotation vector of an antisymmetric matrix, as the coordinates of e3nn's generators."""
    return a[np.array([2, 0, 1]), np.array([1, 2, 0])]
