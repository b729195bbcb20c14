"""Irreducible representations of O(3) as e3nn writes them (Geiger and Smidt 2022, arXiv:2207.09453)."""

import dataclasses

import e3nn_jax as e3nn
import jax
from jaxtyping import Array, Float

from symjax.groups import Motion
from symjax.groups.group import positional_repr
from symjax.reps.simple import linear_part


@dataclasses.dataclass(frozen=True, repr=False)
class Irreps:
    """A direct sum of O(3) irreps on the last axis, e.g. `Irreps("8x0e+4x1o")`; translations leave it alone."""

    irreps: str
    __repr__ = positional_repr

    def __post_init__(self):
        object.__setattr__(self, "irreps", str(e3nn.Irreps(self.irreps)))

    def act(
        self, g: Motion | Float[Array, "3 3"], x: e3nn.IrrepsArray | Float[Array, "... d"]
    ) -> e3nn.IrrepsArray | Float[Array, "... d"]:
        """Return x turned by the linear part of g, as the type that came in.

        Raises:
            ValueError: If x is an IrrepsArray of other irreps, or an array whose last axis is not theirs.
        """
        irreps = e3nn.Irreps(self.irreps)
        if isinstance(x, e3nn.IrrepsArray) and x.irreps != irreps:
            raise ValueError(f"expected an array of irreps {irreps}, got {x.irreps}")
        if x.shape[-1] != irreps.dim:
            raise ValueError(f"irreps {irreps} have dimension {irreps.dim}, but the array has shape {x.shape}")
        named = x if isinstance(x, e3nn.IrrepsArray) else e3nn.IrrepsArray(irreps, x)
        with jax.default_matmul_precision("highest"):  # else the action itself is only good to 1e-3 in tf32
            turned = named.transform_by_matrix(linear_part(g).astype(x.dtype))
        return turned if isinstance(x, e3nn.IrrepsArray) else turned.array
