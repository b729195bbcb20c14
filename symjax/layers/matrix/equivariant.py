"""Linear maps between any representations of any matrix group (Finzi et al. 2021, arXiv:2104.09459, section 4)."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Inexact, Key

from symjax.groups import MatrixGroup
from symjax.laws import Equivariance, Intertwining, Law
from symjax.reps import LinearRep
from symjax.solver import Plan, equivariant_basis, equivariant_maps


def equivariant_linear(
    plan: Plan, coefficients: Inexact[Array, " r"], x: Inexact[Any, "... i"]
) -> Inexact[Array, "... o"]:
    """Return y = sum_k c_k W_k x, with the orthonormal basis W_k of all equivariant maps."""
    return plan.apply(coefficients, x)


def require_maps(plan: Plan) -> Plan:
    """Return the plan.

    Raises:
        ValueError: If only zero is equivariant.
    """
    if plan.dim == 0:
        raise ValueError(f"zero is the only equivariant linear map from {plan.rep_in} to {plan.rep_out}: {plan.advice}")
    return plan


def unit_variance(plan: Plan) -> Any:
    """Return an initializer of coefficients that gives each summand of the output the mean square of the input."""

    def init(key: Key[Array, ""], shape: tuple[int, ...], dtype: Any) -> Array:
        return jnp.asarray(plan.scales, dtype) * jax.random.normal(key, shape, dtype)

    return init


class EquivariantLinear(nn.Module):
    """`equivariant_linear` with its own coefficients, and an invariant vector of the output as bias.

    Attributes:
        rep_in: Representation of the last axis of the input, bound to a group.
        rep_out: Representation of the last axis of the output.
        use_bias: Whether an invariant vector is added, where there is one.
    """

    rep_in: LinearRep
    rep_out: LinearRep
    use_bias: bool = True

    def laws(self, x: Inexact[Any, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis; the weights commute with its generators."""
        return Intertwining(self.rep_in, self.rep_out), Equivariance.between(self.rep_in, self.rep_out)

    @nn.compact
    def __call__(self, x: Inexact[Any, "... i"]) -> Inexact[Array, "... o"]:
        """Return the mapped vectors.

        Raises:
            TypeError: If the input holds no floating-point numbers.
            ValueError: If zero is the only equivariant map.
        """
        plan = require_maps(equivariant_maps(self.rep_in, self.rep_out))
        kernel = coefficients(self, "kernel", plan.dim, init=unit_variance(plan), dtype=field(plan.group, x.dtype))
        y = equivariant_linear(plan, kernel, x.astype(kernel.dtype))
        if self.use_bias and (invariants := equivariant_basis(plan.rep_out)).dim:
            bias = coefficients(self, "bias", invariants.dim, init=nn.initializers.zeros, dtype=y.dtype)
            y = y + jnp.broadcast_to(invariants.matrix(bias)[:, 0], y.shape)
        return y


def field(group: MatrixGroup, dtype: Any) -> np.dtype:
    """Return the precision of `dtype` on the device, complex if the group is."""
    dtype = precision(dtype)
    return dtype if group.is_real else np.result_type(dtype, np.complex64)


def precision(dtype: Any) -> np.dtype:
    """Return what numbers of `dtype` become on the device.

    Raises:
        TypeError: If they are no floating-point numbers.
    """
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise TypeError(f"expected floating-point inputs, got {dtype}")
    return dtype


def coefficients(module: nn.Module, name: str, count: int, *, init: Any, dtype: Any) -> Inexact[Array, " r"]:
    """Return `count` parameters; complex ones are kept as their real and imaginary parts, each of half the variance."""
    real = jnp.finfo(dtype).dtype
    if not jnp.issubdtype(dtype, jnp.complexfloating):
        return module.param(name, init, (count,), real).astype(dtype)

    def halves(key: Key[Array, ""], shape: tuple[int, ...], dtype: Any) -> Array:
        return jnp.stack([init(k, shape[1:], dtype) for k in jax.random.split(key)]) / np.sqrt(2).astype(dtype)

    return jax.lax.complex(*module.param(name, halves, (2, count), real).astype(real))
