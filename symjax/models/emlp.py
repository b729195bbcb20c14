"""Equivariant multilayer perceptrons for any matrix group (Finzi, Welling and Wilson 2021, arXiv:2104.09459)."""

import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import flax.linen as nn
from jaxtyping import Array, Inexact

from symjax.groups import MatrixGroup
from symjax.laws import Equivariance, Law
from symjax.layers.matrix import Bilinear, EquivariantLinear, bilinear_paths, gated, gated_rep
from symjax.models.reach import best_width, reach, shortfall
from symjax.reps import LinearRep, bound, natural, pullback, summands, uniform_rep

LAYERS = 3


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
        channels: Width of the hidden layers, spread by `uniform_rep` over tensors and the summands of input and output;
            or a representation of theirs, of the group or a factor of it; or a list with one of these for each layer.
        layers: Number of hidden layers, 3 unless `channels` is a list.
    """

    rep_in: LinearRep
    rep_out: LinearRep
    channels: SupportsIndex | LinearRep | Sequence[SupportsIndex | LinearRep] = 384
    layers: SupportsIndex | None = None

    def laws(self, x: Inexact[Any, "... i"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep_in, self.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Array, "... i"]) -> Inexact[Array, "... o"]:
        """Return the mapped vectors.

        A number of channels that misses a part of the input or of the output is warned of, with one that does not.

        Raises:
            TypeError: If `channels` is neither a number nor a representation, `layers` no number, or the input no
                floating-point numbers.
            ValueError: If no weights make some summand of the output depend on the input, or there are not as many
                channels as layers.
        """
        (rep, rep_out), group = bound(self.rep_in, self.rep_out)
        hidden = hidden_reps(self.channels, self.layers, group, rep, rep_out)
        width = hidden[0].size if hidden and not isinstance(self.channels, LinearRep | Sequence) else None
        require_reach(rep, hidden, rep_out, width)
        if width and (missed := shortfall(rep, width, rep_out, len(hidden))):
            warnings.warn(missed, stacklevel=2)
        for i, after in enumerate(hidden):
            x = EMLPBlock(rep, after, name=f"block_{i}")(x)
            rep = after
        return EquivariantLinear(rep, rep_out, name="linear")(x)


def require_reach(rep_in: LinearRep, hidden: tuple[LinearRep, ...], rep_out: LinearRep, width: int | None) -> None:
    """Refuse hidden features whose products leave a summand of the output constant; `width`, if they have one, in all.

    Raises:
        ValueError: If they do.
    """
    for i, (part, moved) in enumerate(zip(summands(rep_out), reach(rep_in, hidden, rep_out).moved, strict=True)):
        if not moved:
            enough, best = best_width(rep_in, width, rep_out, len(hidden)) if width else (0, ())
            raise ValueError(
                f"no weights make {part.rep} in the output depend on the input: products of the hidden features "
                f"{' and '.join(map(str, dict.fromkeys(hidden))) or 'of none'} do not reach it. Take more channels, so "
                f"that higher ranks fit{f' ({enough} do)' if enough and best[i] else ''}, or name some, as in "
                "channels=20*Scalar + 8*V + 4*T(2) + 2*T(3)"
            )


def hidden_reps(channels: Any, layers: Any, group: MatrixGroup, *needed: LinearRep) -> tuple[LinearRep, ...]:
    """Return the representations of all hidden layers, each by `hidden_rep`.

    Raises:
        TypeError: If `channels` is neither a number nor a representation, or `layers` no number.
        ValueError: If `channels` lists other than `layers` layers, or something that `hidden_rep` refuses.
    """
    if isinstance(channels, str) or not isinstance(channels, Sequence):
        return (hidden_rep(channels, group, *needed),) * natural(LAYERS if layers is None else layers)
    if layers is not None and natural(layers) != len(channels):
        raise ValueError(f"expected channels for each of {layers} layers, got {len(channels)}; leave layers out")
    return tuple(hidden_rep(each, group, *needed) for each in channels)


def hidden_rep(channels: Any, group: MatrixGroup, *needed: LinearRep) -> LinearRep:
    """Return the representation of a hidden layer: the one that came, or `uniform_rep(channels, group, *needed)`.

    One of a factor of the group becomes one of the whole group.

    Raises:
        TypeError: If `channels` is neither a number nor a representation.
        ValueError: If it is less than 1, or of a group that is no factor of the other.
    """
    if isinstance(channels, LinearRep):
        return channels(group) if channels.group is None else pullback(channels, group)
    try:
        count = operator.index(channels)
    except TypeError:
        raise TypeError(f"expected a number of channels or a representation, got {channels!r}") from None
    if count < 1:
        raise ValueError(f"expected at least 1 channel, got {count}")
    return uniform_rep(count, group, *needed)
