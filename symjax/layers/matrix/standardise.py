"""Standardisation that keeps a symmetry: an invariant mean is taken off, each tensor is divided by one number."""

import dataclasses
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from symjax.laws import Law
from symjax.layers.matrix.equivariant import precision
from symjax.reps import LinearRep, bound, summands
from symjax.solver import equivariant_basis


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Standard:
    """What is taken off data of a representation, and what they are divided by.

    Attributes:
        rep: the representation, bound to a group.
        mean: a vector that the group leaves alone.
        scale: the same positive number on all coordinates of a tensor.
    """

    rep: LinearRep = dataclasses.field(metadata={"static": True})
    mean: Inexact[Any, " n"]
    scale: Float[Any, " n"]


def fit_standard(rep: LinearRep, data: Inexact[np.ndarray, "*b n"]) -> Standard:
    """Return the invariant part of the mean, and for each tensor its root mean square about it.

    Where that is no more than 1e-6 of the root mean square about zero, the tensor is constant and its scale is 1.

    Args:
        rep: how the data transform, bound to a group.
        data: samples along the last axis.

    Raises:
        ValueError: If the last axis of the data does not have the size of the representation, if there are no samples,
            or if some number is not finite.
    """
    if np.shape(data)[-1:] != (rep.size,):
        raise ValueError(f"expected {rep.size} numbers of {rep} along the last axis, got {np.shape(data)}")
    rows = np.asarray(data).reshape(math.prod(np.shape(data)[:-1]), rep.size)
    if not len(rows) or not np.isfinite(rows).all():
        found = f"{np.sum(~np.isfinite(rows))} that are not" if len(rows) else "no samples"
        raise ValueError(f"expected samples of finite numbers, got {found}")
    mean = equivariant_basis(rep).project(np.mean(rows, axis=0)[:, None])[:, 0]
    squares, raw = (np.mean(np.abs(offset) ** 2, axis=0) for offset in (rows - mean, rows))
    scale = np.ones(rep.size)
    for part in summands(rep):
        size, whole = (np.sqrt(np.mean(s[part.places], axis=1, keepdims=True)) for s in (squares, raw))
        scale[part.places] = np.where(size > 1e-6 * whole, size, 1)
    return Standard(rep, mean, scale)


def standardise(standard: Standard, x: Inexact[Any, "*b n"]) -> Inexact[Array, "*b n"]:
    """Return (x - mean) / scale, in the precision of x, complex if x or the mean is."""
    x, mean, scale = _alike(standard, x)
    return (x - mean) / scale


def restore(standard: Standard, x: Inexact[Any, "*b n"]) -> Inexact[Array, "*b n"]:
    """Return mean + scale x, the inverse of `standardise`."""
    x, mean, scale = _alike(standard, x)
    return mean + scale * x


def _alike(standard: Standard, x: Inexact[Any, "*b n"]) -> list[Inexact[Array, "*b n"]]:
    """Return x, mean and scale in one shape and one kind of numbers."""
    own = precision(x.dtype)
    dtype = np.result_type(own, np.complex64) if jnp.iscomplexobj(standard.mean) else own
    return [jnp.broadcast_to(jnp.asarray(row, dtype), x.shape) for row in (x, standard.mean, standard.scale)]


def _require_same(of_model: Any, own: LinearRep) -> None:
    if isinstance(of_model, LinearRep):
        rep, other = bound(of_model, own)[0]
        if rep != other:
            raise ValueError(f"expected data standardised as {of_model}, the representation of the model, got {own}")


class Standardise(nn.Module):
    """A model between standardised inputs and outputs, which learns from both in natural units.

    Attributes:
        model: what maps standardised inputs to standardised outputs; its law is kept.
        inputs: of its representation of the input.
        outputs: of its representation of the output.
    """

    model: nn.Module
    inputs: Standard
    outputs: Standard

    def laws(self, x: Inexact[Any, "*b i"]) -> tuple[Law, ...]:
        """Those of the model.

        Raises:
            ValueError: If the data are standardised as other representations than the model's.
        """
        laws = self.model.laws(x)
        for law in laws:
            _require_same(getattr(law, "rep_in", None), self.inputs.rep)
            _require_same(getattr(law, "rep_out", None), self.outputs.rep)
        return laws

    def __call__(self, x: Inexact[Any, "*b i"]) -> Inexact[Array, "*b o"]:
        """Return the outputs of the model in natural units."""
        return restore(self.outputs, self.model(standardise(self.inputs, x)))
