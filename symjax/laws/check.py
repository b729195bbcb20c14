"""The one checker: it measures every law of a function at many inputs, near the given one and far away."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from symjax.laws.law import EXPLAINED, Entry, Failure, Law, Point, Report, require_tolerance
from symjax.laws.parts import ignores_input
from symjax.laws.probe import noise_level, nudge, random_params
from symjax.laws.search import climb, further_trials, trials_with_ties
from symjax.reps import Trivial

# Nudges and stretches of the input, and how far moves go from there, relative to its size.
TRIALS = (
    (0.0, 1.0, 1.0),
    (0.1, 1.0, 10.0),
    (0.1, 1.0, 0.1),
    (1.0, 1.0, 1.0),
    (1.0, 0.03, 1.0),
    (1.0, 3.0, 1.0),
    (0.3, 10.0, 100.0),
)
FAR = 10.0  # stretches so large that a function need not have values there


def check(
    layer: Any,
    x: Any,
    *,
    key: Key[Array, ""],
    laws: Sequence[Law] | None = None,
    params: Any = None,
    atol: float | None = None,
    effort: Literal["usual", "thorough"] = "usual",
) -> Report:
    """Measure the laws of a layer or of any function, at x, near it and at other scales.

    A linen module is checked with random parameters, because initial values often make a layer trivial, or with the
    `params` given (the variables that `apply` takes). Any other callable is checked as it is: a function, a method, a
    module of equinox or nnx with the values that it holds. The residual of a law is the worst of several random trials:
    at x, at x nudged, because at zero or at a symmetric input unlawful functions may pass, at x stretched and shrunk,
    with moves that are short and long, and for permutations at ties. It is relative to the parts of the output that the
    representation knows. A law is obeyed up to the larger of `atol` and the tolerance it declares, and where there is
    neither up to the rounding noise of a deep network in the precision of x: 1e-10 in float64, 1e-4 in float32
    (products in tf32 break that); and up to what a few roundings of the input do to the output. It is vacuous, and not
    obeyed, where some floating-point channel of the output does not move when x is nudged, unless the law declares
    `constant=True`.

    With `effort="thorough"` there are many more inputs, more elements and products of
    elements, and a few steps of gradient ascent on the residual; and the report prints the worst input and element of a
    broken law.

    A transformed function is a function like any other, so the forces of an energy are checked by
    `check(jax.grad(energy), x, key=key, laws=[Equivariance(E(3), Points(), Vectors())])`.

    Args:
        layer: A linen module, or anything else that is called with x and can be jitted.
        x: The input, a pytree of arrays. Only floating-point leaves are nudged.
        key: Decides the parameters and the trials.
        laws: The laws to measure; by default what `layer.laws(x)` declares.
        params: Variables for a linen module.
        atol: Tolerance for the laws that declare none, or a smaller one.
        effort: How long to search.

    Raises:
        TypeError: If there is nothing to call, if there are no laws to measure, if `laws` is no list of laws, or if x
            has no floating-point leaf to nudge.
        ValueError: If the tolerance or the effort is none, or an element of a group cannot act on the input or output.
    """
    x = jax.tree.map(jnp.asarray, x)
    if laws is not None and not isinstance(laws, Sequence):
        raise TypeError(f"expected laws=[...], a list of laws, got {laws!r}")
    laws = declared_laws(layer, x) if laws is None else laws
    if not laws or not all(isinstance(law, Law) for law in laws):
        raise TypeError(
            f"expected a list of at least one law, such as Equivariance(...), got {laws!r}; pass laws=[...]"
        )
    require_tolerance(atol, "atol")
    if effort not in ("usual", "thorough"):
        raise ValueError(f'expected effort "usual" or "thorough", got {effort!r}')
    noise, thorough = noise_level(x), effort == "thorough"
    fn = as_function(layer, x, params, key)
    points = _points(fn, x, key)
    measure = partial(_measure, fn=fn, points=points, key=key, noise=noise, atol=atol, thorough=thorough)
    return Report(tuple(measure(law) for law in laws), thorough)


def declared_laws(layer: Any, x: Any) -> Sequence[Law]:
    """Return what a layer promises."""
    if not hasattr(layer, "laws"):
        raise TypeError(f"expected a layer with a method laws(x), got {layer!r}; pass laws=[...] to check a function")
    return layer.laws(x)


def as_function(layer: Any, x: Any, params: Any, key: Key[Array, ""]) -> Callable[[Any], Any]:
    """Return a compiled function of x alone; a linen module has the parameters given, or random ones."""
    if not (hasattr(layer, "init") and hasattr(layer, "apply")):
        if not callable(layer):
            raise TypeError(f"expected a linen module or something that is called with x, got {layer!r}")
        return jax.jit(lambda x: layer(x))  # the wrapper has a hash, which a module with arrays in it has not
    params = random_params(layer, x, key=key) if params is None else params
    return partial(_apply, layer, params) if _has_hash(layer) else partial(jax.jit(layer.apply), params)


@partial(jax.jit, static_argnums=0)
def _apply(layer: Any, params: Any, x: Any) -> Any:
    """Call a module, compiled once for all that are equal."""
    return layer.apply(params, x)


def _has_hash(layer: Any) -> bool:
    try:
        hash(layer)
    except TypeError:
        return False
    return True


def _points(fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> list[Point]:
    """Return the inputs of a check, the first of them x.

    What comes out there is held to its own size, or where it vanishes to that at the first nudge, and at x always.
    """

    def at(i: int) -> Any:
        scale, stretch, _ = TRIALS[i]
        return nudge(x, jax.random.fold_in(key, i), scale=scale, stretch=stretch) if scale else x

    usual = fn(at(1))
    points = [
        Point.of(fn, at(i), reach=reach, near=stretch < FAR, beside=usual)
        for i, (_, stretch, reach) in enumerate(TRIALS)
    ]
    return [points[0]._replace(usual=usual), *points[1:]]


def _measure(
    law: Law,
    *,
    fn: Callable[[Any], Any],
    points: list[Point],
    key: Key[Array, ""],
    noise: float,
    atol: float | None,
    thorough: bool,
) -> Entry:
    """Return the worst of all trials of one law."""
    trials = [
        (point, element)
        for i, point in enumerate(points)
        for element in law.elements(point, jax.random.fold_in(key, i), thorough=thorough)
    ]
    trials += trials_with_ties(law, fn, points[0], key)
    if thorough:
        trials += further_trials(law, fn, points[0].x, key)
    allowed = max((t for t in (law.tolerance, atol) if t is not None), default=noise)
    if not trials:
        return Entry(str(law), 0.0, allowed, "obeyed")
    failures = [_failure(law, fn, *trial) for trial in trials]
    worst = _worst(failures, allowed)
    if thorough and not _is_broken(failures[worst], allowed):
        ascent = climb(law, fn, trials[worst])
        trials, failures = trials + ascent, failures + [_failure(law, fn, *trial) for trial in ascent]
        worst = _worst(failures, allowed)
    outputs = [point.y for point in points if point.near]
    ignored = not law.constant and ignores_input(getattr(law, "rep_out", Trivial()), outputs)
    verdict = "BROKEN" if _is_broken(failures[worst], allowed) else "VACUOUS" if ignored else "obeyed"
    (point, element), failure = trials[worst], failures[worst]
    spread = max(failure.spread for failure in failures)
    limit = _limit(failure, allowed) if failure.residual > allowed else allowed
    return Entry(str(law), failure.residual, limit, verdict, point.x, element, spread)


def _failure(law: Law, fn: Callable[[Any], Any], point: Point, element: Any) -> Failure:
    failure = law.failure(fn, point, element)
    return Failure(*map(float, failure))


def _worst(failures: list[Failure], allowed: float) -> int:
    """Return which failure is the farthest beyond its limit, or else the nearest to it."""

    def size(i: int) -> tuple[bool, float]:
        residual, limit = failures[i].residual, _limit(failures[i], allowed)
        return residual > limit, residual - limit if residual > limit or not limit else residual / limit

    return max(range(len(failures)), key=size)


def _is_broken(failure: Failure, allowed: float) -> bool:
    return failure.residual > _limit(failure, allowed)


def _limit(failure: Failure, allowed: float) -> float:
    return max(allowed, EXPLAINED * failure.rounding)
