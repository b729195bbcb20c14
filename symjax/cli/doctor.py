"""`symjax doctor`: versions, devices, and the faults of an installation that are known to give wrong numbers."""

import platform
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np

from symjax.cli.config import Doctor

PACKAGES = ("symjax", "jax", "jaxlib", "flax", "optax", "e3nn-jax", "jraph", "chex", "orbax-checkpoint", "numpy", "ase")


def run(command: Doctor) -> int:
    """Print what was found; the exit code is 1 where something is wrong."""
    del command
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    print(f"devices: {', '.join(str(device) for device in jax.devices())}")
    verdicts = {
        "matrix products in a fused reduction": compiles_rightly(),
        "pmap over all local devices": pmap_sums(),
    }
    for name, right in verdicts.items():
        print(
            f"{name}: {'right' if right else 'WRONG; install another version of jax (jax!=0.10.2,!=0.11.0,!=0.11.1)'}"
        )
    return 0 if all(verdicts.values()) else 1


def compiles_rightly() -> bool:
    """Return whether jit gets sum_i |M x_i|^2 right on 16385 rows, which jax 0.10.2 and 0.11.0 do not on a CPU."""
    with jax.enable_x64(True):
        matrix, rows = jnp.full((3, 3), 16.0 / 3), jnp.ones((16385, 3))
        compiled = jax.jit(jax.vmap(lambda row: jnp.sum((matrix @ row) ** 2)))(rows)
        return bool(np.allclose(compiled, 3 * 16.0**2, rtol=1e-6))


def pmap_sums() -> bool:
    """Return whether a sum over devices by pmap is right."""
    count = jax.local_device_count()
    total = jax.pmap(lambda x: jax.lax.psum(x, "devices"), axis_name="devices")(jnp.arange(1.0, count + 1))
    return bool(np.all(np.asarray(total) == count * (count + 1) / 2))
