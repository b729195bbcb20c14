"""What a thorough check tries besides: inputs of many sizes, and ascent on the residual; and ties among numbers."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import expm
from jaxtyping import Array, Key

from symjax.groups import SE, SO, E, MatrixGroup, Motion, Translations
from symjax.laws.equivariance import Equivariance, Word, is_rounded
from symjax.laws.law import Law, Point
from symjax.laws.probe import at_hand, is_floating, nudge, typical

Trial = tuple[Point, Any]
POINTS, STEPS, STRIDE = 12, 6, 0.5
SIZES, REACHES = (1e-2, 1e2), (1e-1, 1e3)


def further_trials(law: Law, fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> list[Trial]:
    """Return trials of one law at inputs between a hundredth and a hundred times x."""
    rng = np.random.default_rng(np.asarray(jax.random.bits(key, (2,))).tolist())
    trials = []
    for i in range(POINTS):
        draw = jax.random.fold_in(key, i)
        stretch, reach = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in (SIZES, REACHES))
        at = nudge(x, draw, scale=float(rng.choice([0.1, 0.3, 1.0])), stretch=stretch)
        point = Point.of(fn, at, reach=reach)
        trials += [(point, element) for element in law.elements(point, draw, thorough=True)]
    return trials


def trials_with_ties(law: Law, fn: Callable[[Any], Any], origin: Point, key: Key[Array, ""]) -> list[Trial]:
    """Return trials at inputs with ties, for elements without roundings, such as permutations: others undo ties."""
    exact = [element for element in law.elements(origin, key) if not is_rounded(element)]
    points = [Point.of(fn, at, beside=origin.usual) for at in _with_ties(origin.x)] if exact else []
    return [(point, element) for point in points for element in exact]


def _with_ties(x: Any) -> list[Any]:
    """Return x with every leaf made constant, and with its numbers rounded to few values."""

    def on_floats(change: Callable[[Any, Any], Any]) -> Any:
        def change_leaf(leaf: Any) -> Any:
            if not is_floating(leaf):
                return leaf
            values = at_hand(leaf)
            changed = np.where(np.isfinite(values), change(values, typical(values)), values)
            return jnp.asarray(changed.astype(values.dtype))

        return jax.tree.map(change_leaf, x)

    return [on_floats(lambda values, size: size), on_floats(lambda values, size: size * np.round(values / size))]


def climb(law: Law, fn: Callable[[Any], Any], start: Trial) -> list[Trial]:
    """Return the trials along a gradient ascent on the residual, over the input and over elements near the first.

    There are none where the function cannot be differentiated.
    """
    point, element = start
    leaves, structure = jax.tree.flatten(point.x)
    moving = [i for i, leaf in enumerate(leaves) if is_floating(leaf) and not jnp.iscomplexobj(leaf)]
    turns = _turns(law, point)

    def trial(floats: list[Any], tangent: Any) -> Trial:
        changed = dict(zip(moving, floats, strict=True))
        x = structure.unflatten([changed.get(i, leaf) for i, leaf in enumerate(leaves)])
        turned = Word((element, _exponential(turns, tangent))) if len(tangent) else element
        return Point.of(fn, x, reach=point.reach), turned

    @jax.jit
    def uphill(floats: list[Any], tangent: Any) -> Any:
        slopes = jax.grad(lambda *at: law.failure(fn, *trial(*at)).residual, argnums=(0, 1))(floats, tangent)
        norm = jnp.sqrt(sum(jnp.sum(slope.astype(float) ** 2) for slope in jax.tree.leaves(slopes)))
        return jax.tree.map(lambda slope: jnp.nan_to_num(slope / norm.astype(slope.dtype)), slopes)

    floats, tangent, trials = [leaves[i] for i in moving], jnp.zeros(sum(map(len, turns))), []
    strides = [STRIDE * float(typical(at_hand(leaf))) * leaf.size**0.5 for leaf in floats]
    for _ in range(STEPS):
        try:
            slopes, turn = uphill(floats, tangent)
        except (TypeError, ValueError, NotImplementedError):
            break
        floats = [a + jnp.asarray(stride, a.dtype) * b for a, stride, b in zip(floats, strides, slopes, strict=True)]
        tangent = tangent + STRIDE * turn
        trials.append(trial(floats, tangent))
    return trials


def _turns(law: Law, point: Point) -> tuple[Array, ...]:
    """Return the tangents of a group of matrices, or those of the rotations and then the translations of motions."""
    if not isinstance(law, Equivariance):
        return ()
    group = law.group
    if isinstance(group, MatrixGroup) and isinstance(group.identity, np.ndarray) and group.directions:
        return (jnp.stack(group.directions),)
    if isinstance(group, E | SE | Translations):
        n, turns = group.n, () if isinstance(group, Translations) else SO(group.n).directions
        return jnp.asarray(np.reshape(turns, (-1, n, n))), law.length(point, n) * jnp.eye(n)
    return ()


def _exponential(turns: tuple[Array, ...], tangent: Array) -> Any:
    """Return the element that tangents with these coordinates lead to."""
    turn = expm(jnp.tensordot(tangent[: len(turns[0])].astype(turns[0].dtype), turns[0], 1))
    return Motion(turn, tangent[len(turns[0]) :] @ turns[1]) if len(turns) > 1 else turn
