"""`symjax doctor`: versions, devices, and the faults of an installation that are known to give wrong numbers."""

import dataclasses
import platform
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np

from symjax.cli.cache import cache_folder, cache_size, clear_cache
from symjax.cli.memory import describe_memory
from symjax.cli.options import parse_options

PACKAGES = ("symjax", "jax", "jaxlib", "flax", "optax", "e3nn-jax", "jraph", "chex", "orbax-checkpoint", "numpy", "ase")


@dataclasses.dataclass(frozen=True)
class Doctor:
    """Show versions and devices, and look for known faults of the installation."""

    clear_cache: bool = False  # delete the compiled programs that are kept between runs


def parse(arguments: list[str]) -> Doctor:
    """Return the options."""
    return parse_options(Doctor, "doctor", arguments)


def run(command: Doctor) -> int:
    """Print what was found; the exit code is 1 where something is wrong."""
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}")
    print(f"devices: {', '.join(str(device) for device in jax.devices())}")
    folder = cache_folder()
    deleted = f", {clear_cache(folder)} programs deleted" if command.clear_cache else ""
    print(f"compiled programs: {folder}, {cache_size(folder) / 2**20:.1f} MiB{deleted}")
    print(f"memory of steps: {describe_memory()}")
    verdicts = {
        "squared norms of 16385 rows": compiles_rightly(),
        "pmap over all local devices": pmap_sums(),
    }
    for name, right in verdicts.items():
        print(
            f"{name}: {'right' if right else 'WRONG; install another version of jax (jax!=0.10.2,!=0.11.0,!=0.11.1)'}"
        )
    return 0 if all(verdicts.values()) else 1


def compiles_rightly() -> bool:
    """Return whether jit gets |M x|^2 right in every one of 16385 rows; jax 0.10.2 misses the last, on a CPU."""
    norm = jax.vmap(lambda row: jnp.sum((jnp.eye(3, dtype=row.dtype) @ row) ** 2))
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        rows = np.zeros((16385, 3))
        rows[:, 0] = np.arange(len(rows))
        return bool(np.array_equal(jax.jit(norm)(rows), rows[:, 0] ** 2))


def pmap_sums() -> bool:
    """Return whether a sum over devices by pmap is right."""
    count = jax.local_device_count()
    total = jax.pmap(lambda x: jax.lax.psum(x, "devices"), axis_name="devices")(jnp.arange(1.0, count + 1))
    return bool(np.all(np.asarray(total) == count * (count + 1) / 2))
