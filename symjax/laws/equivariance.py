"""Equivariance: moving the input by a group element moves the output by the same element."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symjax.groups import Group
from symjax.laws.probe import deviation, nudge
from symjax.reps import LinearRep, Rep, bound


@dataclasses.dataclass(frozen=True)
class Equivariance:
    """f(g x) = g f(x) for every g in `group`, acting by `rep_in` on the input and by `rep_out` on the output.

    An invariant output has `rep_out=Trivial()`. `tolerance` is declared where the law holds only approximately (a grid,
    a quadrature), `constant=True` where the output may ignore the floating-point input.
    """

    group: Group
    rep_in: Rep
    rep_out: Rep
    _: dataclasses.KW_ONLY
    tolerance: float | None = None
    constant: bool = False

    @classmethod
    def between(cls, rep_in: LinearRep, rep_out: LinearRep) -> "Equivariance":
        """Return the law of maps between two linear representations, as ones of a common group.

        Raises:
            ValueError: If neither has a group.
        """
        (rep_in, rep_out), group = bound(rep_in, rep_out)
        return cls(group, rep_in, rep_out)

    def residual(self, fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> Float[Array, ""]:
        """Return the worst relative deviation of f(g x) from g f(x), over discrete generators and random elements g.

        There is one random element of every component. A function that obeys all generators of a finite group obeys
        the group.
        """
        y, generic = fn(x), fn(nudge(x, key))
        elements = [self.group.sample(key, component) for component in range(self.group.components)]
        elements += [jax.tree.map(jnp.asarray, h) for h in getattr(self.group, "generators", ())]
        worst = [deviation(fn(_act(self.rep_in, g, x)), _act(self.rep_out, g, y), generic) for g in elements]
        return jnp.max(jnp.stack(worst), initial=0)

    def then(self, other: "Equivariance") -> "Equivariance":
        """Return the law of the composite: first a function with this law, then one with the other.

        Raises:
            TypeError: If the groups differ, or the representations in the middle do.
        """
        if self.group != other.group:
            raise TypeError(f"expected laws of one group to compose, got {self.group} and then {other.group}")
        if self.rep_out != other.rep_in:
            raise TypeError(f"expected the second function to take {self.rep_out}, but it takes {other.rep_in}")
        declared = [law.tolerance for law in (self, other) if law.tolerance is not None]
        return Equivariance(
            self.group,
            self.rep_in,
            other.rep_out,
            tolerance=sum(declared) if declared else None,
            constant=self.constant or other.constant,
        )

    def __str__(self) -> str:
        return f"{self.group}: {self._said(self.rep_in)} -> {self._said(self.rep_out)}"

    def _said(self, rep: Rep) -> str:
        """Return a representation as it is said, without the group where that is said already."""
        said = str(rep)
        return rep.text if isinstance(rep, LinearRep) and said.endswith(f"({self.group})") else said


@partial(jax.jit, static_argnums=0)
def _act(rep: Rep, g: Any, x: Any) -> Any:
    return rep.act(g, x)
