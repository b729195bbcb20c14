"""Gates of irreps: even scalars open and close the others (Weiler et al. 2018, arXiv:1807.02547)."""

from collections.abc import Callable
from typing import cast

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.layers.irreps.linear import from_blocks, irreps_blocks


def scaled_silu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return silu over its root mean square under a standard normal input."""
    return 1.6765324703310909 * jax.nn.silu(x)


def scaled_tanh(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return tanh over its root mean square under a standard normal input."""
    return 1.5925374197228312 * jnp.tanh(x)


def scaled_sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return the logistic sigmoid over its root mean square under a standard normal input."""
    return 1.8462285453386058 * jax.nn.sigmoid(x)


def gate(x: e3nn.IrrepsArray, opening: Callable = scaled_silu) -> e3nn.IrrepsArray:
    """Return silu of even scalars, tanh of odd ones, and other irreps times an activation of one even scalar each.

    The last scalars are the gates: "12x0e + 2x1o" becomes "10x0e + 2x1o". Activations are scaled to unit mean square.

    Args:
        x: [n, irreps].
        opening: what the gates go through; silu in NequIP, sigmoid in Equiformer.

    Raises:
        ValueError: If there are fewer even scalars at the end of the scalars than irreps to gate.
    """
    scalars, others = x.filter(lmax=0), x.filter(lambda part: part.ir.l > 0)
    free = scalars.irreps.dim - others.irreps.num_irreps
    kept, gates = (cast(e3nn.IrrepsArray, scalars.slice_by_mul[part]) for part in (np.s_[:free], np.s_[free:]))
    if free < 0 or any(ir != "0e" for _, ir in gates.irreps):
        raise ValueError(f"expected an even scalar for each irrep to gate, after all other scalars, got {x.irreps}")
    activations = [scaled_silu if ir.p == 1 else scaled_tanh for _, ir in kept.irreps]
    blocks = [activate(block) for activate, block in zip(activations, irreps_blocks(kept), strict=True)]
    opened, start = opening(gates.array)[:, None], 0
    for block in irreps_blocks(others):
        stop = start + block.shape[2]
        blocks.append(block * opened[:, :, start:stop])
        start = stop
    return from_blocks(kept.irreps + others.irreps, blocks, x)


def gated_irreps(wanted: e3nn.Irreps) -> e3nn.Irreps:
    """Return the irreps that `gate` turns into `wanted`: its scalars, one even scalar a gated irrep, and the rest."""
    scalars, others = scalars_and_others(wanted)
    return (scalars + e3nn.Irreps(f"{others.num_irreps}x0e") + others).simplify()


def scalars_and_others(irreps: e3nn.Irreps) -> tuple[e3nn.Irreps, e3nn.Irreps]:
    """Return the irreps of degree zero, and the rest."""
    return irreps.filter(lmax=0), irreps.filter(lambda part: part.ir.l > 0)
