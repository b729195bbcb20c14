"""The symmetric contraction of MACE (Batatia et al. 2022, arXiv:2206.07697, eqs. 10 and 11), for any order and parity.

All products of up to `correlation` features of one channel are the symmetric powers of its irreps; the equivariant maps
from them are solved for, once for each pair of irreps and order.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.groups import O
from symjax.laws import Equivariance, Law
from symjax.layers.irreps.interaction import InteractionNodes
from symjax.layers.irreps.linear import from_blocks, irreps_blocks
from symjax.reps import Irreps, Tree, Trivial, symmetric
from symjax.solver import equivariant_maps


class Contraction(NamedTuple):
    """The maps from products of the features of a channel, in the order of `monomials`, to one irrep.

    Attributes:
        target: the irrep.
        maps: by order, from 1 on.
    """

    target: e3nn.Irrep
    maps: tuple[Float[np.ndarray, "_ k _"], ...]

    @property
    def paths(self) -> int:
        """The number of maps of all orders."""
        return sum(len(order) for order in self.maps)


def contractions(source: e3nn.Irreps, target: e3nn.Irreps, correlation: int) -> tuple[Contraction, ...]:
    """Return the maps from symmetric products of up to `correlation` vectors of `source` to each irrep of `target`.

    Args:
        source: of one channel; multiplicities are ignored.
        target: likewise.
        correlation: the largest number of factors.

    Raises:
        ValueError: there is no room for the products.
    """
    one = str(e3nn.Irreps([(1, ir) for _, ir in source]))
    falling = range(correlation, 0, -1)  # where there is no room for the most factors, nothing is solved in vain
    found = [Contraction(ir, tuple(_maps(one, str(ir), k) for k in falling)[::-1]) for _, ir in target]
    return tuple(contraction for contraction in found if contraction.paths)


@functools.cache
def _maps(source: str, target: str, order: int) -> Float[np.ndarray, "p k m"]:
    """Return the maps of one order: orthonormal, times the root of the target's dimension over that of order!.

    So each component of a product of independent normal features has a variance near 1.
    """
    plan = equivariant_maps(symmetric(Irreps(source), order), Irreps(target))
    matrices = np.asarray(plan.matrix(np.eye(plan.dim)))
    lists = np.array(_lists(Irreps(source).size, order))
    rising = np.lexsort(lists.T)  # by the largest member, then by the next: the order of `monomials`
    counts = [math.prod(math.factorial(n) for n in np.bincount(members)) for members in lists[rising]]
    return matrices[:, :, rising] * np.sqrt(matrices.shape[1] / np.array(counts, float))


def _lists(size: int, order: int) -> list[tuple[int, ...]]:
    return list(itertools.combinations_with_replacement(range(size), order))


def monomials(x: Float[Array, "d *rest"], order: int) -> list[Float[Array, "_ *rest"]]:
    """Return the products of 1, 2, ..., `order` rows of x: those whose largest row is 0 first, then 1, and so on."""
    products, below = [x], np.arange(1, len(x) + 1)  # how many products have no row beyond i
    for _ in range(order - 1):
        products.append(jnp.concatenate([x[i : i + 1] * products[-1][:count] for i, count in enumerate(below)]))
        below = np.cumsum(below)
    return products


def _channels(irreps: e3nn.Irreps) -> int:
    return next(mul for mul, _ in irreps)


def symmetric_contraction(
    weights: Sequence[Float[Array, "s _ c"]], maps: Sequence[Contraction], x: e3nn.IrrepsArray, kind: Int[Array, " n"]
) -> e3nn.IrrepsArray:
    """Return B[n, c, k] = sum_p W[z_n, p, c] U_p(x[n, c], ..., x[n, c])[k] for each irrep of `maps`.

    Cost: the monomials of a channel are made once, one order less than asked for; for each order one matrix product
    with U follows, and a sum over the last factor.

    Args:
        weights: W for each contraction.
        maps: from `contractions`.
        x: [n, irreps], every irrep with the same number of channels.
        kind: z of each row.

    Raises:
        ValueError: the irreps of x have different numbers of channels, or the weights are not of the shapes of `maps`.
    """
    channels = {mul for mul, _ in x.irreps}
    if len(channels) != 1 or [w.shape[1:] for w in weights] != [(m.paths, *channels) for m in maps]:
        raise ValueError(
            f"expected irreps of one number of channels c and weights [kinds, paths, c] of "
            f"{[m.paths for m in maps]} paths, got {x.irreps} and weights {[w.shape for w in weights]}"
        )
    rows = jnp.concatenate([block.swapaxes(0, 1) for block in irreps_blocks(x)])
    below = monomials(rows, max(1, len(maps[0].maps) - 1))
    blocks = []
    for contraction, weight in zip(maps, weights, strict=True):
        parts = [_product(u, rows, below) for u in contraction.maps if len(u)]
        own = weight.swapaxes(0, 1)[:, kind]  # a sum of products: a batch of tiny matrix products is slow
        blocks.append(jnp.sum(jnp.concatenate(parts) * own[:, None], axis=0).swapaxes(0, 1))
    return from_blocks(e3nn.Irreps([(*channels, m.target) for m in maps]), blocks, x)


def _product(
    u: Float[np.ndarray, "p k _"], x: Float[Array, "d n c"], below: Sequence[Float[Array, "_ n c"]]
) -> Float[Array, "p k n c"]:
    """Return U applied to the products of its order: to those of one order less, then times each row, and summed.

    A product whose largest row is i is row i times one of the first products of the order below, so that those of the
    highest order, which are most, are never formed.
    """
    if u.shape[2] == len(x):
        return jnp.einsum("pkm,mnc->pknc", u.astype(x.dtype), x, precision=Precision.HIGHEST)
    order = next(k for k, product in enumerate(below, 2) if _count(len(x), k) == u.shape[2])
    table, start = np.zeros((*u.shape[:2], len(x), len(below[order - 2]))), 0
    for i in range(len(x)):
        count = _count(i + 1, order - 1)
        table[:, :, i, :count] = u[:, :, start : start + count]
        start += count
    turned = jnp.einsum("pkim,mnc->pkinc", table.astype(x.dtype), below[order - 2], precision=Precision.HIGHEST)
    return jnp.sum(turned * x[None, None], axis=2)


def _count(rows: int, order: int) -> int:
    return math.comb(rows + order - 1, order)


class SymmetricContraction(nn.Module):
    """`symmetric_contraction` with its own weights, normal at first, so that outputs keep the size of products.

    Attributes:
        irreps: Wanted output, e.g. "0e + 1o"; multiplicities are ignored, and what no product reaches is left out.
        correlation: The largest number of factors.
        species: Number of species, each with weights of its own.
    """

    irreps: str
    correlation: int
    species: int

    def output_irreps(self, x: e3nn.IrrepsArray) -> e3nn.Irreps:
        """Return the irreps that products of the input reach."""
        found = contractions(x.irreps, e3nn.Irreps(self.irreps), self.correlation)
        return e3nn.Irreps([(_channels(x.irreps), contraction.target) for contraction in found])

    def laws(self, nodes: InteractionNodes) -> tuple[Law, ...]:
        """Rotations and reflections turn the input and the output."""
        features = nodes.features
        rep = Tree(InteractionNodes._make((Irreps(str(features.irreps)), Trivial())))
        return (Equivariance(O(3), rep, Irreps(str(self.output_irreps(features)))),)

    @nn.compact
    def __call__(self, nodes: InteractionNodes) -> e3nn.IrrepsArray:
        """Return the contracted features."""
        x = nodes.features
        maps = contractions(x.irreps, e3nn.Irreps(self.irreps), self.correlation)
        weights = []
        for place, contraction in enumerate(maps):
            init = nn.initializers.normal(1 / math.sqrt(contraction.paths))
            shape = (self.species, contraction.paths, _channels(x.irreps))
            weights.append(self.param(f"{contraction.target}_{place}", init, shape, x.dtype))
        return symmetric_contraction(weights, maps, x, nodes.species)
