"""Augmentation: every sample of a batch is moved by an element of its own, and its label by the same."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Key

from symjax.groups import Group, MatrixGroup, samples
from symjax.reps.linear import LinearRep, bound
from symjax.reps.rep import Rep


def augment(
    rep_in: Rep, rep_out: Rep, group: Group | None = None
) -> Callable[[Key[Array, ""], Any, Any], tuple[Any, Any]]:
    """Return a function of a key and a batch (x, y) that moves each pair by a random element, of every component.

    The first axis of x and y, which may be trees of arrays, counts the samples.

    Args:
        rep_in: how x moves.
        rep_out: how y moves; linear representations of different groups become ones of the direct product.
        group: who moves them, where neither is a linear representation: `augment(Points(), Vectors(), E(3))`.

    Raises:
        ValueError: If there is no group, or the arrays have different numbers of samples.
    """
    if isinstance(rep_in, LinearRep) and isinstance(rep_out, LinearRep):
        pair = [rep(group) if isinstance(group, MatrixGroup) else rep for rep in (rep_in, rep_out)]
        (rep_in, rep_out), group = bound(*pair)
    known = (group, *(getattr(rep, "group", None) for rep in (rep_in, rep_out)))
    group = next((one for one in known if one is not None), None)
    if group is None:
        raise ValueError(
            f"expected a group that moves {rep_in} and {rep_out}, as in augment(Points(), Vectors(), E(3))"
        )

    def move(key: Key[Array, ""], x: Any, y: Any) -> tuple[Any, Any]:
        shapes = [np.shape(leaf) for leaf in jax.tree.leaves((x, y))]
        counts = {shape[:1] for shape in shapes}
        if len(counts) != 1 or () in counts:
            raise ValueError(f"expected one number of samples along the first axis of x and y, got shapes {shapes}")
        elements = samples(group, key, shapes[0][0])
        return jax.vmap(rep_in.act)(elements, x), jax.vmap(rep_out.act)(elements, y)

    return move
