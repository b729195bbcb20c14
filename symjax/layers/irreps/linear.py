"""Linear maps of irreps: by Schur's lemma a matrix between the channels of equal irreps, and nothing else."""

import math
from collections.abc import Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax.numpy as jnp
from jax.lax import Precision
from jaxtyping import Array, Float, Int

from symjax.groups import O
from symjax.laws import Equivariance, Law
from symjax.reps import Irreps


def irreps_blocks(x: e3nn.IrrepsArray) -> list[Float[Array, "n c k"]]:
    """Return the block of each irrep: [n, multiplicity, 2 l + 1], zeros where e3nn stores nothing."""
    parts = zip(x.irreps, x.chunks, strict=True)
    return [jnp.zeros((x.shape[0], mul, ir.dim), x.dtype) if block is None else block for (mul, ir), block in parts]


def irreps_linear(
    matrices: Sequence[Float[Array, "_ _"] | Float[Array, "n _ _"]], x: e3nn.IrrepsArray, irreps: e3nn.Irreps
) -> e3nn.IrrepsArray:
    """Return y[o, k] = sum_i x[i, k] W[i, o] / sqrt(I) for each irrep of the output, where I channels of x have it.

    Args:
        matrices: W [I, O] for each irrep of the output, for all rows of x or for each one.
        x: [n, irreps].
        irreps: of the output; those that x lacks are zero.

    Raises:
        ValueError: If the matrices are not of the shapes that `linear_shapes` says.
    """
    shapes = linear_shapes(x.irreps, irreps)
    if [matrix.shape[-2:] for matrix in matrices] != shapes:
        got = [matrix.shape for matrix in matrices]
        raise ValueError(f"expected matrices of shapes {shapes} to map {x.irreps} to {irreps}, got {got}")
    chunks = []
    for (_, ir), (channels, _), matrix in zip(irreps, shapes, matrices, strict=True):
        inputs = [block for (_, own), block in zip(x.irreps, irreps_blocks(x), strict=True) if own == ir]
        block = jnp.concatenate([*inputs, jnp.zeros((x.shape[0], 0, ir.dim), x.dtype)], axis=1)
        product = "nik,io->nok" if matrix.ndim == 2 else "nik,nio->nok"
        scaled = matrix / math.sqrt(max(1, channels))
        chunks.append(jnp.einsum(product, block, scaled, precision=Precision.HIGHEST))
    return e3nn.from_chunks(irreps, chunks, (x.shape[0],), x.dtype)


def linear_shapes(source: e3nn.Irreps, target: e3nn.Irreps) -> list[tuple[int, int]]:
    """Return the shape of the matrix into each irrep of the target."""
    return [(source.count(ir), mul) for mul, ir in target]


class IrrepsLinear(nn.Module):
    """`irreps_linear` with its own weights, standard normal at first.

    Attributes:
        irreps: Wanted output, e.g. "32x0e + 32x1o"; those that the input lacks are zero.
        kinds: Number of kinds of rows where each kind has its own weights; None for one kind.
    """

    irreps: str
    kinds: int | None = None

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
        return irreps_linear(matrices if kind is None else [matrix[kind] for matrix in matrices], x, irreps)
