"""A trained layer as one of another group: cut down to a subgroup, or carried to the cosets of a larger group."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Inexact

from symjax.groups import MatrixGroup
from symjax.layers.matrix.equivariant import EquivariantLinear
from symjax.solver import Plan, equivariant_basis, equivariant_maps, induce_maps, restrict_maps

Carry = Callable[[Plan, Any, MatrixGroup], tuple[Plan, Any]]


def restrict_linear(
    layer: EquivariantLinear, variables: Mapping[str, Any], subgroup: MatrixGroup
) -> tuple[EquivariantLinear, dict[str, Any]]:
    """Return the layer of a subgroup that computes the same, and its variables, to be trained on.

    Raises:
        ValueError: If the other is no subgroup, or real where the weights are complex.
    """
    return _carried(layer, variables, subgroup, restrict_maps)


def induce_linear(
    layer: EquivariantLinear, variables: Mapping[str, Any], group: MatrixGroup
) -> tuple[EquivariantLinear, dict[str, Any]]:
    """Return the layer of a larger finite group that does the same on every coset, and its variables.

    Raises:
        ValueError: If the layer's group is no subgroup of the other, or that is not finite.
    """
    return _carried(layer, variables, group, induce_maps)


def _carried(
    layer: EquivariantLinear, variables: Mapping[str, Any], group: MatrixGroup, carry: Carry
) -> tuple[EquivariantLinear, dict[str, Any]]:
    params = variables["params"]
    plan = equivariant_maps(layer.rep_in, layer.rep_out)
    carried, kernel = carry(plan, _read(params["kernel"], plan), group)
    found = {"kernel": _written(kernel, carried, params["kernel"])}
    invariants = equivariant_basis(carried.rep_out)
    if layer.use_bias and invariants.dim:
        bias = np.zeros(plan.rep_out.size, kernel.dtype)
        if "bias" in params:
            own = equivariant_basis(plan.rep_out)
            bias = own.matrix(_read(params["bias"], own))[:, 0]
        everywhere = np.tile(bias, carried.rep_out.size // plan.rep_out.size)
        found["bias"] = _written(invariants.coefficients(everywhere[:, None]), carried, params["kernel"])
    return layer.copy(rep_in=carried.rep_in, rep_out=carried.rep_out), {"params": found}


def _read(param: Inexact[Any, "..."], plan: Plan) -> Inexact[np.ndarray, " r"]:
    param = np.asarray(param)
    return param if plan.group.is_real else param[0] + 1j * param[1]


def _written(numbers: Inexact[np.ndarray, " r"], plan: Plan, like: Inexact[Any, "..."]) -> Inexact[Array, "..."]:
    if not plan.group.is_real:
        return jnp.asarray(np.stack([np.real(numbers), np.imag(numbers)]), like.dtype)
    if np.abs(np.imag(numbers)).max(initial=0) > 0:
        raise ValueError(f"the weights are complex, and those of layers of {plan.group} are real")
    return jnp.asarray(np.real(numbers), like.dtype)
