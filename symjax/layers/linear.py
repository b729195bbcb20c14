"""Linear maps of irreps: by Schur's lemma a matrix between the channels of equal irreps, and nothing else."""

import math

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
    weights: Float[Array, " w"] | Float[Array, "n w"], x: e3nn.IrrepsArray, irreps: e3nn.Irreps
) -> e3nn.IrrepsArray:
    """Return y[o, k] = sum_i x[i, k] W[i, o] / sqrt(I) for each irrep of the output, where I channels of x have it.

    Args:
        weights: the matrices W [I, O] flattened one after the other, for all rows of x or for each one.
        x: [n, irreps].
        irreps: of the output; those that x lacks are zero.

    Raises:
        ValueError: If the weights have another width than `linear_width` says.
    """
    width = linear_width(x.irreps, irreps)
    if weights.shape[-1] != width:
        raise ValueError(f"expected {width} weights to map {x.irreps} to {irreps}, got {weights.shape[-1]}")
    product = "nik,io->nok" if weights.ndim == 1 else "nik,nio->nok"
    chunks, start = [], 0
    for mul, ir in irreps:
        inputs = [block for (_, own), block in zip(x.irreps, irreps_blocks(x), strict=True) if own == ir]
        block = jnp.concatenate([*inputs, jnp.zeros((x.shape[0], 0, ir.dim), x.dtype)], axis=1)
        stop = start + block.shape[1] * mul
        matrix = weights[..., start:stop].reshape(*weights.shape[:-1], block.shape[1], mul)
        matrix = matrix / math.sqrt(max(1, block.shape[1]))
        chunks.append(jnp.einsum(product, block, matrix, precision=Precision.HIGHEST))
        start = stop
    return e3nn.from_chunks(irreps, chunks, (x.shape[0],), x.dtype)


def linear_width(source: e3nn.Irreps, target: e3nn.Irreps) -> int:
    """Return the number of weights of all linear maps from one sum of irreps to another."""
    return sum(source.count(ir) * mul for mul, ir in target)


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
        irreps = e3nn.Irreps(self.irreps)
        rows = () if self.kinds is None else (self.kinds,)
        weights = self.param("weights", nn.initializers.normal(1.0), (*rows, linear_width(x.irreps, irreps)), x.dtype)
        return irreps_linear(weights if kind is None else weights[kind], x, irreps)
