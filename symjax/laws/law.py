"""A law is what a function promises; `check` measures every promise and reports it."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from symjax.laws.probe import deviation, is_floating, noise_level, nudge, random_params

TRIALS = 4


@runtime_checkable
class Law(Protocol):
    """A promise about a function, printed in one line by `str`."""

    @property
    def tolerance(self) -> float | None:
        """The largest lawful residual; None means rounding noise, which depends on the precision of the input."""
        ...

    @property
    def constant(self) -> bool:
        """Whether an output that ignores its input may count as lawful."""
        ...

    def residual(self, fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> Float[Array, ""]:
        """Return how far fn is from lawful in one random trial at x, relative to the size of its output."""
        ...


class Entry(NamedTuple):
    """One line of a report."""

    law: str
    residual: float
    tolerance: float
    verdict: Literal["obeyed", "BROKEN", "VACUOUS"]


@dataclasses.dataclass(frozen=True)
class Report:
    """The measured laws of one function: true where all are obeyed, and printed as one line a law."""

    entries: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return all(entry.verdict == "obeyed" for entry in self.entries)

    def raise_if_broken(self) -> None:
        """Do nothing where every law is obeyed.

        Raises:
            ValueError: If a law is broken or holds only because the output ignores the input; with the whole report.
        """
        if not self:
            raise ValueError(f"expected every law to be obeyed, got\n{self}")

    def __repr__(self) -> str:
        return "\n".join(
            f"{verdict:<7}  residual {residual:.1e}, at most {f'{tolerance:g}':<6}  {law}"
            + ("; some output ignores the input" if verdict == "VACUOUS" else "")
            for law, residual, tolerance, verdict in self.entries
        )


def check(
    layer: Any,
    x: Any,
    *,
    key: Key[Array, ""],
    laws: Sequence[Law] | None = None,
    params: Any = None,
    atol: float | None = None,
) -> Report:
    """Measure the laws of a layer or of any function, at x and near it.

    A linen module is checked with random parameters, because initial values often make a layer trivial, or with the
    `params` given (the variables that `apply` takes). Any other callable is checked as it is: a function, a method, a
    module of equinox or nnx with the values that it holds. The residual of a law is the worst of several random trials,
    every second of them at x nudged, because at zero or at a symmetric input unlawful functions may pass. It is obeyed
    up to the tolerance the law declares, else up to `atol`, else up to the rounding noise of a deep network in the
    precision of x: 1e-10 in float64, 1e-4 in float32 (products in tf32 break that). A law is vacuous, and not obeyed,
    where some floating-point output does not move when x is nudged, unless the law declares `constant=True`.

    A transformed function is a function like any other, so the forces of an energy are checked by
    `check(jax.grad(energy), x, key=key, laws=[Equivariance(E(3), Points(), Vectors())])`.

    Args:
        layer: A linen module, or anything else that is called with x and can be jitted.
        x: The input, a pytree of arrays. Only floating-point leaves are nudged.
        key: Decides the parameters and the trials.
        laws: The laws to measure; by default what `layer.laws(x)` declares.
        params: Variables for a linen module.
        atol: Tolerance for the laws that declare none.

    Raises:
        TypeError: If there is nothing to call, if there are no laws to measure, if `laws` is no list of laws, or if x
            has no floating-point leaf to nudge.
    """
    x = jax.tree.map(jnp.asarray, x)
    if laws is not None and not isinstance(laws, Sequence):
        raise TypeError(f"expected laws=[...], a list of laws, got {laws!r}")
    laws = _declared_laws(layer, x) if laws is None else laws
    if not laws or not all(isinstance(law, Law) for law in laws):
        raise TypeError(
            f"expected a list of at least one law, such as Equivariance(...), got {laws!r}; pass laws=[...]"
        )
    noise = noise_level(x)
    fn = _as_function(layer, x, params, key)
    keys = [jax.random.fold_in(key, trial) for trial in range(TRIALS)]
    points = [nudge(x, jax.random.fold_in(trial, 1)) if i % 2 else x for i, trial in enumerate(keys)]
    ignored = _ignores_input(fn, x, keys, noise)

    def measure(law: Law) -> Entry:
        residual = float(np.max([law.residual(fn, point, trial) for point, trial in zip(points, keys, strict=True)]))
        tolerance = next(t for t in (law.tolerance, atol, noise) if t is not None)
        lawful = "VACUOUS" if ignored and not law.constant else "obeyed"
        return Entry(str(law), residual, tolerance, lawful if residual <= tolerance else "BROKEN")

    return Report(tuple(measure(law) for law in laws))


def _declared_laws(layer: Any, x: Any) -> Sequence[Law]:
    if not hasattr(layer, "laws"):
        raise TypeError(f"expected a layer with a method laws(x), got {layer!r}; pass laws=[...] to check a function")
    return layer.laws(x)


def _as_function(layer: Any, x: Any, params: Any, key: Key[Array, ""]) -> Callable[[Any], Any]:
    if not (hasattr(layer, "init") and hasattr(layer, "apply")):
        if not callable(layer):
            raise TypeError(f"expected a linen module or something that is called with x, got {layer!r}")
        return jax.jit(lambda x: layer(x))  # the wrapper has a hash, which a module with arrays in it has not
    return partial(jax.jit(layer.apply), random_params(layer, x, key=key) if params is None else params)


def _ignores_input(fn: Callable[[Any], Any], x: Any, keys: list[Array], noise: float) -> bool:
    """Whether some floating-point output, or where there are none every output, does not move with x."""
    y = fn(x)
    moves = [np.asarray(deviation(fn(nudge(x, k, scale=1.0)), y, y)) for k in keys]
    moved = np.max(moves, axis=0) > noise
    floating = np.array([is_floating(leaf) for leaf in jax.tree.leaves(y)], dtype=bool)
    return not moved[floating].all() if floating.any() else not moved.any()
