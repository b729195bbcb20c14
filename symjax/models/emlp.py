"""Equivariant multilayer perceptrons for any matrix group (Finzi, Welling and Wilson 2021, arXiv:2104.09459)."""

import functools
import operator
from collections.abc import Callable
from typing import Any, SupportsIndex

import flax.linen as nn
import numpy as np
from jaxtyping import Array, Inexact
from scipy.special import expit

from symjax.groups import MatrixGroup
from symjax.laws import Equivariance, Law
from symjax.layers.matrix import (
    Bilinear,
    EquivariantLinear,
    bilinear,
    bilinear_paths,
    gate_places,
    gated,
    gated_rep,
    initial_deviations,
    require_maps,
)
from symjax.reps import LinearRep, bound, natural, summands, uniform_rep
from symjax.solver import equivariant_basis, equivariant_maps


def emlp_block(
    rep: LinearRep, linear: Callable, products: Callable | None, x: Inexact[Array, "... i"]
) -> Inexact[Array, "... o"]:
    """Return gated(y + products(y)), y = linear(x): a linear map, products of its features with each other, gates.

    Args:
        rep: the representation of the result, bound to a group.
        linear: x to features of `gated_rep(rep)`.
        products: `bilinear` of these features; None where no part of them acts on another.
        x: features along the last axis.
    """
    y = linear(x)
    return gated(rep, y if products is None else y + products(y))


class EMLPBlock(nn.Module):
    """`emlp_block` with its own weights.

    Attributes:
        rep_in: Representation of the last axis of the input, bound to a group.
        rep_out: Representation of the last axis of the output.
    """

    rep_in: LinearRep
    rep_out: LinearRep

    def laws(self, x: Inexact[Any, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep_in, self.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Array, "... i"]) -> Inexact[Array, "... o"]:
        """Return the features of the next layer."""
        before = gated_rep(self.rep_out)
        linear = EquivariantLinear(self.rep_in, before, name="linear")
        products = Bilinear(before, name="bilinear") if bilinear_paths(before) else None
        return emlp_block(self.rep_out, linear, products, x)


class EMLP(nn.Module):
    """Blocks of a uniform representation and a linear map.

    Attributes:
        rep_in: Representation of the last axis of the input, bound to a group.
        rep_out: Representation of the last axis of the output.
        channels: Width of the hidden layers, spread evenly over tensor ranks, or a representation of theirs.
        layers: Number of hidden layers.
    """

    rep_in: LinearRep
    rep_out: LinearRep
    channels: SupportsIndex | LinearRep = 384
    layers: int = 3

    def laws(self, x: Inexact[Any, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep_in, self.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Array, "... i"]) -> Inexact[Array, "... o"]:
        """Return the mapped vectors.

        Raises:
            TypeError: If `channels` is neither a number nor a representation, `layers` no number, or the input no
                floating-point numbers.
            ValueError: If no weights make some part of the output depend on the input.
        """
        (rep, rep_out), group = bound(self.rep_in, self.rep_out)
        layers = natural(self.layers)
        hidden = hidden_rep(self.channels, group)
        if frozen := unreached(rep, hidden, rep_out, layers):
            raise ValueError(
                f"no weights make {frozen[0]} in the output depend on the input: products of the hidden features "
                f"{hidden} do not reach it. Take more channels, so that higher ranks fit, or name some, as in "
                "channels=20*Scalar + 8*V + 4*T(2) + 2*T(3)"
            )
        for i in range(layers):
            x = EMLPBlock(rep, hidden, name=f"block_{i}")(x)
            rep = hidden
        return EquivariantLinear(rep, rep_out, name="linear")(x)


def hidden_rep(channels: Any, group: MatrixGroup) -> LinearRep:
    """Return the representation of hidden layers: the one that came, or a uniform one of so many channels.

    Raises:
        TypeError: If `channels` is neither a number nor a representation.
        ValueError: If it is less than 1.
    """
    if isinstance(channels, LinearRep):
        return channels(group)
    try:
        count = operator.index(channels)
    except TypeError:
        raise TypeError(f"expected a number of channels or a representation, got {channels!r}") from None
    if count < 1:
        raise ValueError(f"expected at least 1 channel, got {count}")
    return uniform_rep(count, group)


@functools.lru_cache(maxsize=64)
def unreached(rep_in: LinearRep, hidden: LinearRep, rep_out: LinearRep, layers: int) -> tuple[LinearRep, ...]:
    """Return the parts of the output of an EMLP that ignore its input whatever the weights.

    Which parts feed which is not enough to tell: a T(2) that only scalars feed is a multiple of the identity, and gives
    no pseudovector. Instead, the network with random weights is computed in double precision at two random inputs; a
    part that can depend on the input differs between them with probability 1.

    Raises:
        ValueError: If zero is the only equivariant map between two layers.
    """
    rng, is_real = np.random.default_rng(0), bound(rep_in)[1].is_real

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape) + (0 if is_real else 1j * rng.standard_normal(shape))

    def linear(source: LinearRep, target: LinearRep, x: Any) -> Any:
        plan, invariants = require_maps(equivariant_maps(source, target)), equivariant_basis(target)
        return plan.apply(plan.scales * draw(plan.dim), x) + invariants.matrix(draw(invariants.dim))[:, 0]

    rep, x = rep_in, draw(2, rep_in.size)
    for _ in range(layers):
        before = gated_rep(hidden)
        y = linear(rep, before, x)
        if len(deviations := initial_deviations(before)):
            y = y + bilinear(before, deviations * draw(len(deviations)), y)
        rep, x = hidden, expit(y[..., gate_places(hidden)].real) * y[..., : hidden.size]
    change = np.abs(np.subtract(*linear(rep, rep_out, x)))
    return tuple(part.rep for part in summands(rep_out) if change[part.places].max() < 1e-10)
