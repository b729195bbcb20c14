"""Linear maps between any representations of any matrix group (Finzi et al. 2021, arXiv:2104.09459, section 4)."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Inexact, Key

from symjax.laws import Equivariance, Law
from symjax.reps import LinearRep
from symjax.reps.basis import Plan, equivariant_basis, equivariant_maps


def equivariant_linear(
    plan: Plan, coefficients: Inexact[Array, " r"], x: Inexact[Array, "... i"]
) -> Inexact[Array, "... o"]:
    """Return y = sum_k c_k W_k x, with the orthonormal basis W_k of all equivariant maps."""
    return plan.apply(coefficients, x)


def require_maps(plan: Plan) -> Plan:
    """Return the plan.

    Raises:
        ValueError: If only zero is equivariant.
    """
    if plan.dim == 0:
        raise ValueError(
            f"zero is the only equivariant linear map from {plan.rep_in} to {plan.rep_out}: they share no irreducible "
            "part. Add scalars or products such as T(2) to the input, or relax the group"
        )
    return plan


def unit_variance(plan: Plan) -> Any:
    """Return an initializer of coefficients that gives each atom of the output the mean square of the input."""

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

    def laws(self, x: Inexact[Array, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        plan = equivariant_maps(self.rep_in, self.rep_out)
        return (Equivariance(plan.group, plan.rep_in, plan.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Array, "... i"]) -> Inexact[Array, "... o"]:
        """Return the mapped vectors.

        Raises:
            ValueError: If zero is the only equivariant map.
        """
        plan = require_maps(equivariant_maps(self.rep_in, self.rep_out))
        y = equivariant_linear(plan, _coefficients(self, "kernel", plan, unit_variance(plan), x.dtype), x)
        if self.use_bias and (invariants := equivariant_basis(plan.rep_out)).dim:
            bias = _coefficients(self, "bias", invariants, nn.initializers.zeros, x.dtype)
            y = y + jnp.broadcast_to(invariants.matrix(bias)[:, 0], y.shape)
        return y


def _coefficients(module: nn.Module, name: str, plan: Plan, init: Any, dtype: Any) -> Inexact[Array, " r"]:
    """Return a parameter for each map; of a complex group two real ones, the real and the imaginary part."""
    real = jnp.finfo(dtype).dtype
    if plan.group.is_real:
        return module.param(name, init, (plan.dim,), real)
    parts = module.param(name, init, (2, plan.dim), real)
    return jax.lax.complex(parts[0], parts[1])
