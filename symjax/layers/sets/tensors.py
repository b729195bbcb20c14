"""All affine maps between tensors over a set, one for each way to split their indices (Maron et al. 2019, 1812.09902).

A graph with features on its edges is such a tensor of rank two, and its nodes' features are one of rank one.
"""

import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from symjax.groups import S
from symjax.laws import Equivariance, Law
from symjax.layers.sets.linear import present
from symjax.reps import Axes, Trivial
from symjax.solver import set_partitions

Slots = tuple[int, ...]
Parts = tuple[Slots, ...]


def tensor_maps(rank_in: int, rank_out: int) -> tuple[Parts, ...]:
    """Return the partitions of the indices, those that come out first; each is one map, Bell(in + out) together.

    In a part that holds indices of both, they are equal; one among those that come in alone is averaged over, one among
    those that come out alone is filled with equal values. For fewer than in + out members some maps are sums of others.
    """
    slots = range(rank_out + rank_in)
    return tuple(tuple(sorted(parts)) for parts in set_partitions(slots, len(slots)))


def tensor_linear(
    kernel: Float[Array, "r i o"],
    bias: Float[Array, "b o"],
    x: Float[Array, "... i"],
    mask: Bool[Array, " n"] | None = None,
    *,
    rank: int,
) -> Float[Array, "... o"]:
    """Return y = sum_r D_r(x) kernel_r + sum_b C_b bias_b, every S(n)-equivariant affine map between tensors.

    D_r takes a diagonal, the mean over some indices (not the sum: one kernel serves sets of any size), and spreads what
    is left, in O(n^max(k, rank)) and without a matrix; C_b is one where the indices of each part are equal.

    Args:
        kernel: one matrix for each of `tensor_maps(k, rank)`.
        bias: one vector for each of `tensor_maps(0, rank)`.
        x: a tensor [n, ..., n, i] with k >= 1 axes of members.
        mask: of the n members; what has a masked index adds to no mean and comes out as zero.
        rank: how many axes of members come out.

    Raises:
        ValueError: If the axes of members are of different lengths.
    """
    n, k = x.shape[0], x.ndim - 1
    if x.shape[:-1] != (n,) * k:
        raise ValueError(f"expected axes of {n} members and one of channels, got shape {x.shape}")
    x = _present(x, mask, k)
    members = jnp.maximum(1, mask.sum()).astype(x.dtype) if mask is not None else max(1, n)
    sums: dict[tuple[Parts, Slots], Array] = {
        (parts, ()): row for parts, row in zip(tensor_maps(0, rank), bias, strict=True)
    }
    for parts, weights in zip(tensor_maps(k, rank), kernel, strict=True):
        carried = tuple(part[0] for part in parts if part[0] < rank <= part[-1])
        averaged = sum(part[0] >= rank for part in parts)
        z = _contract(x, parts, carried, rank) @ weights / members**averaged
        where = tuple(tuple(slot for slot in part if slot < rank) for part in parts if part[0] < rank), carried
        sums[where] = sums[where] + z if where in sums else z
    spread = (_spread(z, *where, n, rank) for where, z in sums.items())
    return _present(functools.reduce(jnp.add, spread), mask, rank)


def _contract(x: Float[Array, "... i"], parts: Parts, carried: Slots, rank: int) -> Float[Array, "... i"]:
    """Return the tensor with the carried indices, summed over the others, where the indices of each part are equal."""
    label = {slot: part[0] for part in parts for slot in part}
    channel = len(label)
    return jnp.einsum(x, [*(label[slot] for slot in range(rank, channel)), channel], [*carried, channel])


def _spread(z: Float[Array, "... o"], parts: Parts, carried: Slots, n: int, rank: int) -> Float[Array, "... o"]:
    """Return the tensor that is z of its carried indices where the indices of each part are equal, and else zero."""
    y = z.reshape(*(n if slot in carried else 1 for slot in range(rank)), z.shape[-1])
    for part in parts:
        for slot in part[1:]:
            shape = [n if other in (part[0], slot) else 1 for other in range(rank)]
            y = y * jnp.asarray(np.eye(n), z.dtype).reshape(*shape, 1)
    return jnp.broadcast_to(y, (*(n,) * rank, y.shape[-1]))


def _present(x: Float[Array, "..."], mask: Bool[Array, " n"] | None, rank: int) -> Float[Array, "..."]:
    for axis in range(rank):
        x = jnp.moveaxis(present(jnp.moveaxis(x, axis, 0), mask), 0, axis)
    return x


class SetTensorLinear(nn.Module):
    """`tensor_linear` with its own weights.

    Attributes:
        features: Channels that come out.
        rank: Axes of members that come out, from as many as x has before its channels; 0 is invariant.
    """

    features: int
    rank: int = 2

    def laws(self, x: Float[Any, "n ... i"]) -> tuple[Law, ...]:
        """The order of the members means nothing."""
        axes_in, axes_out = tuple(range(len(x.shape) - 1)), tuple(range(self.rank))
        return (Equivariance(S(x.shape[0]), Axes(axes_in), Axes(axes_out) if axes_out else Trivial()),)

    @nn.compact
    def __call__(self, x: Float[Array, "n ... i"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "... o"]:
        """Return the features of every tuple of members."""
        maps, constants = len(tensor_maps(x.ndim - 1, self.rank)), len(tensor_maps(0, self.rank))
        init, zeros = nn.initializers.lecun_normal(batch_axis=(0,)), nn.initializers.zeros
        kernel = self.param("kernel", init, (maps, x.shape[-1], self.features), x.dtype)
        bias = self.param("bias", zeros, (constants, self.features), x.dtype)
        return tensor_linear(kernel, bias, x, mask, rank=self.rank)
