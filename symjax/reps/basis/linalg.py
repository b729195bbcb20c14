"""Dense linear algebra in double precision on the CPU, whatever the program around it uses."""

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Compute at once, in float64, on the CPU: also while the program around is being traced."""
    cpu = jax.local_devices(backend="cpu")[0]
    with jax.ensure_compile_time_eval(), jax.enable_x64(True), jax.default_device(cpu):
        yield


_eigh = jax.jit(jnp.linalg.eigh)


def eigh(a: Inexact[np.ndarray, "n n"]) -> tuple[Float[np.ndarray, " n"], Inexact[np.ndarray, "n n"]]:
    """Return eigenvalues in rising order and eigenvectors, as columns, of a Hermitian matrix."""
    with double_precision():
        values, vectors = _eigh(a)
    return np.asarray(values), np.asarray(vectors)
