"""The tensor-product convolution of irreps (Thomas et al. 2018, arXiv:1802.08219, sec. 4.2)."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.layers.irreps.linear import from_blocks, irreps_blocks
from symjax.math import segment_sum


class ProductPath(NamedTuple):
    """One allowed product: block `source` of the features times block `harmonic` of the harmonics gives `target`."""

    source: int
    harmonic: int
    target: e3nn.MulIrrep


def tensor_product_paths(features: e3nn.Irreps, harmonics: e3nn.Irreps, keep: e3nn.Irreps) -> tuple[ProductPath, ...]:
    """Return the paths (l1, p1) x (l2, p2) -> (l3, p3) into irreps of `keep`: |l1 - l2| <= l3 <= l1 + l2, p3 = p1 p2.

    Every path keeps the multiplicity of its features; paths with one source are neighbours.
    """
    kept = {ir for _, ir in keep}
    return tuple(
        ProductPath(source, harmonic, e3nn.MulIrrep(mul, ir))
        for source, (mul, left) in enumerate(features)
        for harmonic, (_, right) in enumerate(harmonics)
        for ir in left * right
        if ir in kept
    )


def tensor_product_conv(
    features: e3nn.IrrepsArray,
    harmonics: e3nn.IrrepsArray,
    weights: Float[Array, "e w"],
    *,
    senders: Int[Array, " e"],
    receivers: Int[Array, " e"],
    paths: tuple[ProductPath, ...],
) -> e3nn.IrrepsArray:
    """Return m_i = sum_j w_ij (x_j (x) Y_ij) over the edges j -> i, one block of channels for each path p.

        m_i[p, c, k] = sum_j w_ij[p, c] sum_{a, b} C^p[a, b, k] x_j[c, a] Y_ij[b]

    C are the Clebsch-Gordan coefficients with e3nn's "component" normalisation (times the root of the target's
    dimension), so that a path without weights equals that block of `e3nn.tensor_product(x_j, Y_ij)`.

    Cost: for each block of the features an edge turns all its C and Y into one small matrix, and one batched product
    over the channels, one weighting and one sum do the rest. Channels are the innermost axis, so that a gathered sender
    is one contiguous row.

    Args:
        features: x [n, irreps].
        harmonics: Y [e, irreps], every multiplicity 1.
        weights: w [e, sum of the multiplicities of the paths], path after path.
        senders: node j of each edge.
        receivers: node i of each edge, in rising order.
        paths: from `tensor_product_paths`.

    Raises:
        ValueError: If the harmonics have multiplicities or the weights another width.
    """
    n, sums = features.shape[0], []
    for products in _products(features, harmonics, weights, paths, lambda block: block[senders]):
        summed = segment_sum(jnp.concatenate(products, axis=1), receivers, n, indices_are_sorted=True)
        sums += jnp.split(summed, np.cumsum([block.shape[1] for block in products])[:-1], axis=1)
    return from_blocks(e3nn.Irreps([path.target for path in paths]), sums, features)


def tensor_product(
    features: e3nn.IrrepsArray,
    harmonics: e3nn.IrrepsArray,
    weights: Float[Array, "e w"],
    *,
    paths: tuple[ProductPath, ...],
) -> e3nn.IrrepsArray:
    """Return w_e[p] x_e (x) Y_e for features of the edges themselves, otherwise as `tensor_product_conv`.

    Weights may have one row for all edges.
    """
    blocks = [block for group in _products(features, harmonics, weights, paths, lambda block: block) for block in group]
    return from_blocks(e3nn.Irreps([path.target for path in paths]), blocks, features)


def _products(
    features: e3nn.IrrepsArray,
    harmonics: e3nn.IrrepsArray,
    weights: Float[Array, "e w"],
    paths: tuple[ProductPath, ...],
    send: Callable,
) -> Iterator[list[Float[Array, "e _ _"]]]:
    """Yield the weighted products of each block of the features, which `send` brings to the edges."""
    widths = [path.target.mul for path in paths]
    if any(mul != 1 for mul, _ in harmonics.irreps) or weights.shape[-1] != sum(widths):
        raise ValueError(
            f"expected harmonics of multiplicity 1 and weights of width {sum(widths)}, one a channel of each path, "
            f"got {harmonics.irreps} and width {weights.shape[-1]}"
        )
    blocks = irreps_blocks(features)
    weight = iter(jnp.split(weights[:, None], np.cumsum(widths)[:-1], axis=-1))
    for source, group in itertools.groupby(paths, key=lambda path: path.source):
        group = tuple(group)
        coefficients = _coefficients(tuple(features.irreps)[source].ir, harmonics.irreps, group).astype(features.dtype)
        ends = np.cumsum([path.target.ir.dim for path in group])[:-1]
        turn = jnp.einsum("abk,eb->eak", coefficients, harmonics.array, precision=Precision.HIGHEST)
        turned = jnp.einsum("eak,eac->ekc", turn, send(blocks[source]), precision=Precision.HIGHEST)
        yield [next(weight) * block for block in jnp.split(turned, ends, axis=1)]


def _coefficients(left: e3nn.Irrep, harmonics: e3nn.Irreps, paths: Sequence[ProductPath]) -> Float[np.ndarray, "a b k"]:
    """Return the coefficients of paths from one irrep side by side, zero at the harmonics that a path does not use."""
    table = np.zeros((left.dim, harmonics.dim, sum(path.target.ir.dim for path in paths)))
    start = 0
    for path in paths:
        right, target = tuple(harmonics)[path.harmonic].ir, path.target.ir
        block = e3nn.clebsch_gordan(left.l, right.l, target.l) * math.sqrt(target.dim)
        table[:, harmonics.slices()[path.harmonic], start : start + target.dim] = block
        start += target.dim
    return table
