"""What a multilayer perceptron of tensors can see of its input and move of its output, whatever its weights."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Inexact

from symjax.groups import MatrixGroup
from symjax.layers.matrix import bilinear, gate_places, gated_rep, initial_deviations, require_maps
from symjax.reps import LinearRep, bound, summands, uniform_rep
from symjax.solver import equivariant_basis, equivariant_maps

ZERO = 1e-10  # of changes of the output, relative to the largest, and to 1
LARGEST = 1024  # channels of the networks that are tried
SAMPLES = 256  # inputs at most; where their outputs are independent, those of more are taken to be


class Reach(NamedTuple):
    """How many dimensions of each summand of the input are seen, and of each summand of the output depend on it."""

    seen: tuple[int, ...]
    moved: tuple[int, ...]


@functools.lru_cache(maxsize=64)
def reach(rep_in: LinearRep, hidden: tuple[LinearRep, ...], rep_out: LinearRep) -> Reach:
    """Return what an EMLP sees and moves.

    Which parts feed which is not enough to tell: a T(2) that only scalars feed is a multiple of the identity, and gives
    no pseudovector. Instead, the network with random weights is computed in double precision at random inputs; what it
    can reach is with probability 1 what these outputs span, less one of them.

    Raises:
        ValueError: If zero is the only equivariant map between two layers.
    """
    draw = _Draw(bound(rep_in)[1])
    parts = summands(rep_out)
    x = draw(1 + min(max((part.rep.size for part in parts), default=0), SAMPLES), rep_in.size)
    y = network(rep_in, hidden, rep_out, draw, x)
    changes = (part.read(y[1:] - y[:1]).reshape(-1, part.rep.size) for part in parts)
    moved = [part.rep.size if (rank := _rank(y)) == len(y) else rank for part, y in zip(parts, changes, strict=True)]
    seen = [_seen(part.rep, hidden[0], draw) if hidden else part.rep.size for part in summands(rep_in)]
    return Reach(tuple(seen), tuple(moved))


class _Draw:
    """Random numbers, complex ones where the group is."""

    def __init__(self, group: MatrixGroup):
        self.rng, self.is_real = np.random.default_rng(0), group.is_real

    def __call__(self, *shape: int) -> Any:
        return self.rng.standard_normal(shape) + (0 if self.is_real else 1j * self.rng.standard_normal(shape))


def network(
    rep_in: LinearRep, hidden: tuple[LinearRep, ...], rep_out: LinearRep, draw: Callable, x: Inexact[np.ndarray, "n i"]
) -> Inexact[np.ndarray, "n o"]:
    """Return the outputs of an EMLP, computed by numpy, for rows of inputs, with weights that are drawn."""

    def linear(source: LinearRep, target: LinearRep, x: Any) -> Any:
        plan, invariants = require_maps(equivariant_maps(source, target)), equivariant_basis(target)
        return plan.apply(plan.scales * draw(plan.dim), x) + invariants.matrix(draw(invariants.dim))[:, 0]

    rep = rep_in
    for after in hidden:
        before = gated_rep(after)
        y = linear(rep, before, x)
        if len(deviations := initial_deviations(before)):
            y = y + bilinear(before, deviations * draw(len(deviations)), y)
        rep, x = after, _sigmoid(y[..., gate_places(after)].real) * y[..., : after.size]
    return linear(rep, rep_out, x)


def _sigmoid(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return (1 + np.tanh(x / 2)) / 2


def _seen(part: LinearRep, hidden: LinearRep, draw: Callable) -> int:
    """Return the rank of a random map from a summand of the input to the hidden features."""
    if any(part == held.rep for held in summands(hidden)):
        return part.size
    plan = equivariant_maps(part, hidden)
    return _rank(plan.matrix(draw(plan.dim)))


def _rank(matrix: Any) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(values > ZERO * max(1.0, values.max(initial=0))))


@functools.lru_cache(maxsize=64)
def best_width(rep_in: LinearRep, channels: int, rep_out: LinearRep, layers: int) -> tuple[int, tuple[int, ...]]:
    """Return how many channels move most of the output, and what they move: so many as came, or more.

    Widths up to `LARGEST` are tried, and the next at which there are other hidden features where that is more.
    """
    drawn = functools.partial(_drawn, rep_in, rep_out)
    widths = itertools.chain([channels], _wider(channels, drawn))
    tried = ((width, reach(rep_in, (drawn(width),) * layers, rep_out).moved) for width in widths)
    return max(tried, key=lambda each: sum(each[1]))


def shortfall(rep_in: LinearRep, channels: int, rep_out: LinearRep, layers: int) -> str | None:
    """Return in a sentence what so many channels miss of the input or of the output, and how many would not.

    Parts of the output that no width of `best_width` moves are not missed.
    """
    drawn = functools.partial(_drawn, rep_in, rep_out)
    seen, moved = reach(rep_in, (drawn(channels),) * layers, rep_out)
    for part, few in zip(summands(rep_in), seen, strict=True):
        if few < part.rep.size:
            enough = _least(channels, lambda width: _parts(rep_in) <= _parts(drawn(width)))
            return _sentence(channels, part.rep, "input are seen", few, enough, part.rep.size)
    if moved == tuple(part.rep.size for part in summands(rep_out)):
        return None
    enough, best = best_width(rep_in, channels, rep_out, layers)
    for part, few, more in zip(summands(rep_out), moved, best, strict=True):
        if few < more:
            return _sentence(channels, part.rep, "output depend on the input", few, enough, more)
    return None


def _drawn(rep_in: LinearRep, rep_out: LinearRep, width: int) -> LinearRep:
    return uniform_rep(width, rep_in.require_group(), rep_in, rep_out)


def _parts(rep: LinearRep) -> set[LinearRep]:
    return {part.rep for part in summands(rep)}


def _sentence(channels: int, part: LinearRep, where: str, few: int, enough: int, more: int) -> str:
    return (
        f"channels={channels} are too few: only {few} of the {part.size} dimensions of {part.text} in the {where}; "
        f"with channels={enough}, {more} would"
    )


def _wider(channels: int, drawn: Callable[[int], LinearRep]) -> Iterator[int]:
    """Yield the least larger widths at which other summands are held, up to `LARGEST`, or one where there is none."""
    width = channels
    while width == channels or width <= LARGEST:
        held = _parts(drawn(width))
        width = _least(width, lambda larger, held=held: not _parts(drawn(larger)) <= held)
        if width <= LARGEST or held == _parts(drawn(channels)):
            yield width


def _least(low: int, enough: Callable[[int], bool]) -> int:
    """Return the least width above `low` that is enough, by doubling and halving steps."""
    step = 1
    while not enough(low + step):
        low, step = low + step, 2 * step
    while step > 1:
        step //= 2
        low += 0 if enough(low + step) else step
    return low + 1
