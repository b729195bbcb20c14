"""Linear maps of irreps: by Schur's lemma a matrix between the channels of equal irreps, and nothing else."""

import math
from collections.abc import Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.groups import O
from symjax.laws import Equivariance, Law
from symjax.reps import Irreps

FEW_KINDS = 4  # up to so many, one product with zeros for the other kinds costs less than a matrix for each row


def irreps_blocks(x: e3nn.IrrepsArray) -> list[Float[Array, "n _ _"]]:
    """Return the block of each irrep, channels innermost: [n, 2 l + 1, multiplicity], zeros where e3nn stores none."""
    parts = zip(x.irreps, x.chunks, strict=True)
    return [
        jnp.zeros((x.shape[0], ir.dim, mul), x.dtype) if chunk is None else jnp.swapaxes(chunk, 1, 2)
        for (mul, ir), chunk in parts
    ]


def from_blocks(
    irreps: e3nn.Irreps, blocks: Sequence[Float[Array, "n _ _"]], like: e3nn.IrrepsArray
) -> e3nn.IrrepsArray:
    """Return the array of irreps that has these blocks, with as many rows as another."""
    return e3nn.from_chunks(irreps, [jnp.swapaxes(block, 1, 2) for block in blocks], like.shape[:1], like.dtype)


def irreps_linear(
    matrices: Sequence[Float[Array, "_ _"] | Float[Array, "s _ _"]],
    x: e3nn.IrrepsArray,
    irreps: e3nn.Irreps,
    kind: Int[Array, " n"] | None = None,
) -> e3nn.IrrepsArray:
    """Return y[k, o] = sum_i x[k, i] W[i, o] / sqrt(I) for each irrep of the output, where I channels of x have it.

    Args:
        matrices: W [I, O] for each irrep of the output, or one for each kind of row [kinds, I, O].
        x: [n, irreps].
        irreps: of the output; those that x lacks are zero.
        kind: of each row.

    Raises:
        ValueError: If the matrices are not of the shapes that `linear_shapes` says.
    """
    shapes = linear_shapes(x.irreps, irreps)
    if [matrix.shape[-2:] for matrix in matrices] != shapes:
        got = [matrix.shape for matrix in matrices]
        raise ValueError(f"expected matrices of shapes {shapes} to map {x.irreps} to {irreps}, got {got}")
    owned, blocks = irreps_blocks(x), []
    for (_, ir), (channels, outputs), matrix in zip(irreps, shapes, matrices, strict=True):
        inputs = [block for (_, own), block in zip(x.irreps, owned, strict=True) if own == ir]
        block = jnp.concatenate([*inputs, jnp.zeros((x.shape[0], ir.dim, 0), x.dtype)], axis=2)
        scaled = matrix / math.sqrt(max(1, channels))
        if kind is not None and len(matrix) <= FEW_KINDS:
            own = jax.nn.one_hot(kind, len(matrix), dtype=x.dtype)
            block = (block[:, :, None] * own[:, None, :, None]).reshape(*block.shape[:2], len(matrix) * channels)
            scaled = scaled.reshape(-1, outputs)
        elif kind is not None:
            scaled = scaled[kind]
        blocks.append(jnp.matmul(block, scaled, precision=Precision.HIGHEST))
    return from_blocks(irreps, blocks, x)


def linear_shapes(source: e3nn.Irreps, target: e3nn.Irreps) -> list[tuple[int, int]]:
    """Return the shape of the matrix into each irrep of the target."""
    return [(source.count(ir), mul) for mul, ir in target]


class IrrepsLinear(nn.Module):
    """`irreps_linear` with its own weights, standard normal at first.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; those that the input lacks are zero.
        kinds: Number of kinds of rows where each kind has its own weights; None for one kind.
        bias: Whether even scalars have a bias, zero at first.
    """

    irreps: str
    kinds: int | None = None
    bias: bool = False

    def laws(self, x: e3nn.IrrepsArray) -> tuple[Law, ...]:
        """Rotations and reflections turn the input and the output."""
        return (Equivariance(O(3), Irreps(str(x.irreps)), Irreps(self.irreps)),)

    @nn.compact
    def __call__(self, x: e3nn.IrrepsArray, kind: Int[Array, " n"] | None = None) -> e3nn.IrrepsArray:
        """Return the mapped rows; `kind` [n] says which weights each row uses."""
        irreps, normal = e3nn.Irreps(self.irreps), nn.initializers.normal(1.0)
        rows = () if self.kinds is None else (self.kinds,)
        matrices = []
        for place, ((_, ir), shape) in enumerate(zip(irreps, linear_shapes(x.irreps, irreps), strict=True)):
            lacking = jnp.zeros((*rows, *shape), x.dtype)
            matrices.append(self.param(f"{ir}_{place}", normal, lacking.shape, x.dtype) if shape[0] else lacking)
        y = irreps_linear(matrices, x, irreps, kind)
        return y + self._bias(irreps, x.dtype) if self.bias else y

    def _bias(self, irreps: e3nn.Irreps, dtype: jnp.dtype) -> e3nn.IrrepsArray:
        """Return one row with a bias at the even scalars."""
        scalars = np.repeat([ir == "0e" for _, ir in irreps], [mul * ir.dim for mul, ir in irreps])
        bias = self.param("bias", nn.initializers.zeros, (scalars.sum(),), dtype)
        return e3nn.IrrepsArray(irreps, jnp.zeros((1, irreps.dim), dtype).at[0, scalars].set(bias))
