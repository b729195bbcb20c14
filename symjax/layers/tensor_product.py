"""The tensor-product convolution of irreps (Thomas et al. 2018, arXiv:1802.08219, sec. 4.2), path by path."""

import math
from typing import NamedTuple

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.math.segment import segment_sum


class Path(NamedTuple):
    """One allowed product: block `source` of the features times block `harmonic` of the harmonics gives `target`."""

    source: int
    harmonic: int
    target: e3nn.MulIrrep


def tensor_product_paths(features: e3nn.Irreps, harmonics: e3nn.Irreps, keep: e3nn.Irreps) -> tuple[Path, ...]:
    """Return the paths (l1, p1) x (l2, p2) -> (l3, p3) with |l1 - l2| <= l3 <= l1 + l2, p3 = p1 p2, into irreps of `keep`.

    Every path keeps the multiplicity of its features; paths with one target are neighbours, in the order of e3nn.
    """
    kept = {ir for _, ir in keep}
    paths = [
        Path(source, harmonic, e3nn.MulIrrep(mul, ir))
        for source, (mul, left) in enumerate(features)
        for harmonic, (_, right) in enumerate(harmonics)
        for ir in left * right
        if ir in kept
    ]
    return tuple(sorted(paths, key=lambda path: path.target.ir))


def tensor_product_conv(
    features: e3nn.IrrepsArray,
    harmonics: e3nn.IrrepsArray,
    weights: Float[Array, "e w"],
    *,
    senders: Int[Array, " e"],
    receivers: Int[Array, " e"],
    paths: tuple[Path, ...],
) -> e3nn.IrrepsArray:
    """Return m_i = sum over edges j -> i of w_ij (x_j (x) Y_ij), one block of channels for each path p:

        m_i[p, c, k] = sum_j w_ij[p, c] sum_{a, b} C^p[a, b, k] x_j[c, a] Y_ij[b]

    C are the Clebsch-Gordan coefficients with e3nn's "component" normalisation (times the root of the target's
    dimension), so that a path without weights equals that block of `e3nn.tensor_product(x_j, Y_ij)`.

    Cost: an edge turns C and Y into a small matrix for each path, and one batched product over all channels does the
    rest; channels are the innermost axis, so a gathered sender is one contiguous row.

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
    sizes = [path.target.mul for path in paths]
    if any(mul != 1 for mul, _ in harmonics.irreps) or weights.shape[-1] != sum(sizes):
        raise ValueError(
            f"expected harmonics of multiplicity 1 and weights of width {sum(sizes)}, one for each channel of each path, "
            f"got {harmonics.irreps} and width {weights.shape[-1]}"
        )
    sent = [block[senders] for block in _channels_last(features)]
    angular = [block[..., 0] for block in _channels_last(harmonics)]
    blocks = []
    for path, weight in zip(paths, jnp.split(weights, np.cumsum(sizes)[:-1], axis=-1), strict=True):
        x, y = sent[path.source], angular[path.harmonic]
        coefficients = _coefficients(features.irreps[path.source].ir, harmonics.irreps[path.harmonic].ir, path.target.ir)
        turn = jnp.einsum("abk,eb->eak", coefficients.astype(x.dtype), y, precision=Precision.HIGHEST)
        message = jnp.einsum("eak,eac->ekc", turn, x, precision=Precision.HIGHEST) * weight[:, None]
        summed = segment_sum(message, receivers, features.shape[0], indices_are_sorted=True)
        blocks.append(jnp.swapaxes(summed, 1, 2).reshape(features.shape[0], -1))
    return e3nn.IrrepsArray(e3nn.Irreps([path.target for path in paths]), jnp.concatenate(blocks, axis=-1))


def _channels_last(x: e3nn.IrrepsArray) -> list[Float[Array, "n m c"]]:
    """Return the blocks [n, 2 l + 1, multiplicity] of an array whose multiplicities are the outer index."""
    blocks = zip(x.irreps, x.irreps.slices(), strict=True)
    return [jnp.swapaxes(x.array[:, part].reshape(-1, mul, ir.dim), 1, 2) for (mul, ir), part in blocks]


def _coefficients(left: e3nn.Irrep, right: e3nn.Irrep, target: e3nn.Irrep) -> Float[np.ndarray, "a b k"]:
    return e3nn.clebsch_gordan(left.l, right.l, target.l) * math.sqrt(target.dim)
