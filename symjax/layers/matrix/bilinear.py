"""Bilinear maps of tensors: some of the features act on the others as matrices (Finzi et al. 2021, arXiv:2104.09459).

A tensor of type b (x) a* maps tensors of type a to type b. The matrices are contracted as they are; no weight matrix is
ever built for a sample.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Array, Float, Inexact, Int

from symjax.laws import Equivariance, Law
from symjax.layers.matrix.equivariant import coefficients, field, require_maps, unit_variance
from symjax.math import namespace, pick
from symjax.reps import LinearRep, Product, bound, ranks, summands
from symjax.solver import Plan, equivariant_maps

# Adam moves every parameter at about one pace, and those of linear maps start small, at 1 / sqrt(inputs). Parameters of
# deviation 1 would hardly move beside them; at 1/3 the weights of products are learnt three times as fast.
PACE = 3.0


class BilinearPath(NamedTuple):
    """Features of summand `operator` as matrices from summand `source` to summand `target`.

    Attributes:
        operator: which summand acts.
        source: which summand is acted on.
        target: which summand comes out.
        shape: how many copies come out, act, and are acted on.
        order: where each entry of the matrix, row by row, is among the numbers of the operator.
    """

    operator: int
    source: int
    target: int
    shape: tuple[int, int, int]
    order: Int[np.ndarray, " n"]


@functools.lru_cache(maxsize=256)
def bilinear_paths(rep: LinearRep) -> tuple[BilinearPath, ...]:
    """Return all ways in which features of a representation act on each other, scalars excepted.

    Of an operator with more copies than numbers only so many copies act, the first ones: a linear map before this one
    can put there what it wants.
    """
    parts, paths = summands(rep), []
    places = {part.rep: i for i, part in enumerate(parts)}
    for t, target in enumerate(parts):
        for s, source in enumerate(parts):
            [matrices] = summands(target.rep * source.rep.T)
            if matrices.rep in places and not _is_scalar(matrices.rep):
                operator = places[matrices.rep]
                acting = min(len(parts[operator].places), matrices.rep.size)
                shape = len(target.places), acting, len(source.places)
                paths.append(BilinearPath(operator, s, t, shape, np.argsort(matrices.places[0])))
    return tuple(paths)


def _is_scalar(rep: LinearRep) -> bool:
    return isinstance(rep, Product) and not rep.factors


def bilinear(rep: LinearRep, weights: Inexact[Any, " w"], x: Inexact[Any, "... n"]) -> Inexact[Any, "... n"]:
    """Return y_b[o] = sum over paths (t, a) into b and over c, m of w[o, c, m] x_t[c] x_a[m], x_t[c] being a matrix.

    Args:
        rep: the representation of x and y.
        weights: those of all `bilinear_paths(rep)`, in order, each with the path's shape [o, c, m] in row-major order.
        x: features along the last axis.
    """
    xp, parts, paths = namespace(weights, x), summands(rep), bilinear_paths(rep)
    features = [xp.swapaxes(part.read(x), -1, -2) for part in parts]
    sums: list[Any] = [xp.zeros((*x.shape[:-1], *part.places.shape[::-1]), x.dtype) for part in parts]
    for path, w in zip(paths, _split(weights, [math.prod(path.shape) for path in paths]), strict=True):
        sizes = parts[path.target].rep.size, parts[path.source].rep.size
        acting = pick(features[path.operator][..., : path.shape[1]], path.order, -2)
        matrices = acting.reshape(*x.shape[:-1], *sizes, path.shape[1])
        sums[path.target] += _act(w.reshape(path.shape), matrices, features[path.source])
    sorted_parts = [xp.swapaxes(y, -1, -2).reshape(*x.shape[:-1], y.shape[-2] * y.shape[-1]) for y in sums]
    y = xp.concatenate(sorted_parts, axis=-1)
    return pick(y, ranks(rep), -1)


def _act(
    w: Inexact[Any, "o c m"], matrices: Inexact[Any, "*n b a c"], x: Inexact[Any, "*n a m"]
) -> Inexact[Any, "*n b o"]:
    """Return sum over c and m of w[o, c, m] matrices[:, :, c] x[:, m].

    These are two products of matrices, in the cheaper order, laid out so that neither needs its result transposed: a
    transposition of features is one more kernel to compile, that of weights is read off with their slice.
    """
    xp, lead, (o, c, m), (b, a) = namespace(w, x), x.shape[:-2], w.shape, matrices.shape[-3:-1]
    with jax.default_matmul_precision("highest"):
        if b <= a:
            moved = xp.swapaxes(matrices, -1, -2).reshape(*lead, b * c, a) @ x
            return moved.reshape(*lead, b, c * m) @ w.reshape(o, c * m).T
        mixed = (x @ w.T.reshape(m, c * o)).reshape(*lead, a * c, o)
        return matrices.reshape(*lead, b, a * c) @ mixed


def _split(weights: Inexact[Any, " w"], sizes: Sequence[int]) -> list[Inexact[Any, " _"]]:
    return namespace(weights).split(weights, np.cumsum(sizes)[:-1])


def initial_deviations(rep: LinearRep) -> Float[np.ndarray, " w"]:
    """Return the deviations of random weights that make mean square 0.01 of independent features of mean square 1."""
    parts, paths = summands(rep), bilinear_paths(rep)
    deviations = [np.zeros(0)]
    for path in paths:
        rivals = sum(other.target == path.target for other in paths)
        fan_in = rivals * path.shape[1] * path.shape[2] * parts[path.source].rep.size
        deviations.append(np.full(math.prod(path.shape), 0.1 / math.sqrt(fan_in)))
    return np.concatenate(deviations)


def bilinear_maps(plan: Plan, coefficients: Inexact[Any, " r"], x: Inexact[Any, "... n"]) -> Inexact[Any, "... o"]:
    """Return B(x, x) for a bilinear map B, one from `rep * rep` as `plan` has all of them: cost n^2 for n numbers."""
    xp = namespace(x)
    return plan.apply(coefficients, xp.einsum("...i,...j->...ij", x, x).reshape(*x.shape[:-1], plan.rep_in.size))


class Bilinear(nn.Module):
    """Products of features with features, into the same representation or into another one.

    Into the same: `bilinear` with its own weights, `PACE initial_deviations(rep)` times parameters that are normal at
    first. Into another: `bilinear_maps`, all that there are: `Bilinear(2 * V(SO(3)), V)` holds the cross product.

    Attributes:
        rep: Representation of the last axis of the input, bound to a group.
        rep_out: Representation of the last axis of the output; None where it is that of the input.
    """

    rep: LinearRep
    rep_out: LinearRep | None = None

    def laws(self, x: Inexact[Any, "... n"]) -> tuple[Law, ...]:
        """The group acts on the last axis."""
        return (Equivariance.between(self.rep, self.rep if self.rep_out is None else self.rep_out),)

    @nn.compact
    def __call__(self, x: Inexact[Any, "... n"]) -> Inexact[Array, "... o"]:
        """Return the products of features with features.

        Raises:
            TypeError: If the input holds no floating-point numbers.
            ValueError: If no part of the representation acts on another, or no product is of the other one.
        """
        if self.rep_out is not None:
            return self._into(self.rep_out, x)
        if not bilinear_paths(self.rep):
            raise ValueError(f"no part of {self.rep} is a matrix between two others; leave the bilinear layer out")
        scale = initial_deviations(self.rep)
        dtype = field(bound(self.rep)[1], x.dtype)
        weights = coefficients(self, "weights", scale.size, init=nn.initializers.normal(1 / PACE), dtype=dtype)
        return bilinear(self.rep, weights * (PACE * scale).astype(dtype), x.astype(dtype))

    def _into(self, rep_out: LinearRep, x: Inexact[Any, "... n"]) -> Inexact[Array, "... o"]:
        (rep, rep_out), group = bound(self.rep, rep_out)
        plan = require_maps(equivariant_maps(rep * rep, rep_out))
        dtype = field(group, x.dtype)
        weights = coefficients(self, "weights", plan.dim, init=unit_variance(plan), dtype=dtype)
        return bilinear_maps(plan, weights, x.astype(dtype))
