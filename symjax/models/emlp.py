"""Equivariant multilayer perceptrons for any matrix group (Finzi, Welling and Wilson 2021, arXiv:2104.09459)."""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Inexact

from symjax.laws import Equivariance, Law
from symjax.layers.bilinear import Bilinear, bilinear_paths
from symjax.layers.equivariant import EquivariantLinear
from symjax.layers.gated import gated, gated_rep
from symjax.reps import LinearRep
from symjax.reps.factors import bound
from symjax.reps.uniform import uniform_rep


class EMLPBlock(nn.Module):
    """A linear map, plus products of its features with each other, then gates: gated(y + bilinear(y)), y = W x + b.

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
        y = EquivariantLinear(self.rep_in, before, name="linear")(x)
        if bilinear_paths(before):
            y = y + Bilinear(before, name="bilinear")(y)
        return gated(self.rep_out, y)


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
    channels: int | LinearRep = 384
    layers: int = 3

    def laws(self, x: Inexact[Any, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep_in, self.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Array, "... i"]) -> Inexact[Array, "... o"]:
        """Return the mapped vectors."""
        (rep, rep_out), group = bound(self.rep_in, self.rep_out)
        hidden = uniform_rep(self.channels, group) if isinstance(self.channels, int) else self.channels(group)
        for i in range(self.layers):
            x = EMLPBlock(rep, hidden, name=f"block_{i}")(x)
            rep = hidden
        return EquivariantLinear(rep, rep_out, name="linear")(x)
