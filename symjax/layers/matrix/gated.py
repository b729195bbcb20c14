"""Nonlinearities that keep a representation: gates for tensors, functions of single numbers where they are lawful."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Inexact, Int

from symjax.laws import Equivariance, Law
from symjax.reps import LinearRep, Scalar, monomials, permutes, summands


@functools.lru_cache(maxsize=256)
def gated_rep(rep: LinearRep) -> LinearRep:
    """Return what `gated` turns into `rep`: the same with one scalar more for each tensor that needs a gate.

    Scalars, and vectors whose coordinates the group only permutes, are their own gates.
    """
    gates = sum(len(part.places) for part in summands(rep) if not permutes(part.rep))
    return rep + gates * Scalar if gates else rep


@functools.lru_cache(maxsize=256)
def gate_places(rep: LinearRep) -> Int[np.ndarray, " n"]:
    """Return for each number of `rep` where its gate is among the numbers of `gated_rep(rep)`."""
    gates, free = np.arange(rep.size), rep.size
    for part in summands(rep):
        if not permutes(part.rep):
            gates[part.places] = free + np.arange(len(part.places))[:, None]
            free += len(part.places)
    return gates


def gated(rep: LinearRep, x: Inexact[Any, "... n"]) -> Inexact[Array, "... m"]:
    """Return y_i = sigmoid(Re gate_i) x_i: swish of scalars and permuted numbers, gated tensors (section 5 of EMLP).

    Args:
        rep: the representation of the result.
        x: features of `gated_rep(rep)` along the last axis.

    Raises:
        ValueError: If the last axis has another size.
    """
    x, wanted = jnp.asarray(x), gated_rep(rep)
    if x.shape[-1:] != (wanted.size,):
        raise ValueError(f"expected {wanted.size} numbers along the last axis, of {wanted}, got shape {x.shape}")
    return jax.nn.sigmoid(x[..., gate_places(rep)].real).astype(x.dtype) * x[..., : rep.size]


class Gated(nn.Module):
    """`gated` as a layer without parameters.

    Attributes:
        rep: Representation of the result, bound to a group.
    """

    rep: LinearRep

    def laws(self, x: Inexact[Any, "... n"]) -> tuple[Law, ...]:
        """The group acts on the last axis, on the gates as scalars."""
        return (Equivariance.between(gated_rep(self.rep), self.rep),)

    def __call__(self, x: Inexact[Any, "... n"]) -> Inexact[Array, "... m"]:
        """Return the gated features."""
        return gated(self.rep, x)


class Pointwise(nn.Module):
    """A function of every number by itself, refused where it would break the law.

    Attributes:
        rep: Representation of the last axis, bound to a group.
        function: such as `jax.nn.relu`; where the group changes signs it must be odd, such as `jnp.tanh`.
    """

    rep: LinearRep
    function: Callable[[Array], Array] = jax.nn.relu

    def laws(self, x: Inexact[Any, "... n"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep, self.rep),)

    def __call__(self, x: Inexact[Array, "... n"]) -> Inexact[Array, "... n"]:
        """Return function(x).

        Raises:
            ValueError: If the function mixes numbers, or the group does more than permute the coordinates, and negate
                them where the function is odd.
        """
        if not _acts_pointwise(self.function):
            raise ValueError(f"expected a function of every number by itself, got {self.function}")
        if not permutes(self.rep) and not (monomials(self.rep) is not None and _is_odd(self.function)):
            raise ValueError(
                f"a function of single numbers breaks the symmetry of {self.rep}: expected coordinates that are only "
                "permuted, or negated too if the function is odd; use Gated"
            )
        return self.function(x)


PROBES = np.concatenate([np.linspace(0.0, 3.0, 31), np.geomspace(3.0, 1e4, 31)])


def _acts_pointwise(function: Callable[[Array], Array]) -> bool:
    """Return whether numbers give together what each gives alone."""
    with jax.ensure_compile_time_eval():
        probe = jnp.asarray(np.concatenate([PROBES, -PROBES]))
        together, alone = function(probe), jax.vmap(function)(probe[:, None])
        return together.shape == probe.shape and _agree(together, alone[:, 0])


def _is_odd(function: Callable[[Array], Array]) -> bool:
    with jax.ensure_compile_time_eval():
        probe = jnp.asarray(PROBES)
        return _agree(function(-probe), -function(probe))


def _agree(a: Array, b: Array) -> bool:
    return bool(jnp.allclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True))
