"""How anything is learnt: the optimiser, its schedule, how long and how often, on which devices."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any, Literal

import jax
import optax
import optax.contrib
from jaxtyping import PyTree

from symjax.training.recipe.schedule import Plateau, piecewise_linear, warmup_cosine

LEAST = {"epochs": 1, "evaluate_every": 1, "patience": 1, "warmup": 0}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What every training has, whatever it learns."""

    epochs: int = 200
    optimizer: Literal["muon", "amsgrad", "adam"] = "muon"  # Muon on matrices and Adam on the rest, or one for all
    learning_rate: float = 2e-2
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup: int = 100  # steps
    weight_decay: float = 0.0  # relative to the learning rate (AdamW)
    ema: float = 0.99  # decay of the average of the parameters, which is what is evaluated; 0 for none
    clip: float | None = 100.0  # largest norm of the gradient
    patience: int | None = None  # evaluations without a new best before stopping
    evaluate_every: int = 10  # epochs
    parallel: Literal["jit", "pmap", "shard_map"] = "jit"
    distributed: bool = False  # join the other processes of a pod first
    seed: int = 0

    @property
    def plateau(self) -> Plateau | None:
        """The rule that lowers the learning rate where nothing improves."""
        return Plateau() if self.schedule == "plateau" else None


def require_sound(recipe: Recipe) -> None:
    """Refuse numbers that no training can use.

    Raises:
        ValueError: a number is out of its range.
    """
    for name, least in LEAST.items():
        value = getattr(recipe, name)
        if not is_count(value, least) and not (value is None and name == "patience"):
            kind = f"at least {least}" if isinstance(value, int) else "a whole number"
            raise ValueError(f"{_flag(name)} must be {kind}, not {value}")
    for name in ("learning_rate", "clip"):
        value = getattr(recipe, name)
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{_flag(name)} must be a positive number, not {value}")
    if not 0 <= recipe.weight_decay < math.inf:
        raise ValueError(f"--weight-decay must be at least 0 and finite, not {recipe.weight_decay}")
    if not 0 <= recipe.ema < 1:
        raise ValueError(f"--ema is a decay of at least 0 and below 1, not {recipe.ema}")
    if not is_count(recipe.seed, 0) or recipe.seed >= 2**32:
        raise ValueError(f"--seed must be at least 0 and below 2^32, not {recipe.seed}")


def is_count(value: Any, least: int = 1) -> bool:
    """Return whether a value is a whole number, and not less than the least."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= least


def make_optimizer(
    recipe: Recipe, *, steps: int, frozen: Callable[[PyTree], PyTree] | None = None
) -> optax.GradientTransformation:
    """Return the optimiser of a run of so many steps: clipping, then the rule at its scheduled rate.

    Parameters that are `frozen`, a function of all of them to a tree of booleans, are left as they are; neither
    clipping nor decay knows of them.
    """
    warmup, peak = min(recipe.warmup, steps - 1), recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = warmup_cosine(peak, steps=steps, warmup=warmup)
    else:
        rate = piecewise_linear({0: 0.0, warmup: peak} if warmup else {0: peak})
    rule = RULES[recipe.optimizer](rate, weight_decay=recipe.weight_decay)
    rule = rule if recipe.clip is None else optax.chain(optax.clip_by_global_norm(recipe.clip), rule)
    if frozen is None:
        return rule

    def kinds(params: PyTree) -> PyTree:
        return jax.tree.map(lambda stays: "frozen" if stays else "learnt", frozen(params))

    return optax.partition({"learnt": rule, "frozen": optax.set_to_zero()}, kinds)


def _muon(rate: Callable, *, weight_decay: float) -> optax.GradientTransformation:
    """Return Muon with the usual five steps one by one; a loop of them compiles half as long again."""
    return optax.contrib.muon(
        rate,
        ns_coeffs=((3.4445, -4.7750, 2.0315),) * 5,
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
        muon_weight_dimension_numbers=_matrices,
    )


def _amsgrad(rate: Callable, *, weight_decay: float) -> optax.GradientTransformation:
    if not weight_decay:
        return optax.amsgrad(rate)
    decay = optax.add_decayed_weights(weight_decay)
    return optax.chain(optax.scale_by_amsgrad(), decay, optax.scale_by_learning_rate(rate))


def _matrices(params: Any) -> Any:
    """Tell Muon that the last two axes of a parameter are a matrix, and the ones before them count matrices."""
    axes = optax.contrib.MuonDimensionNumbers
    return jax.tree.map(lambda leaf: axes(leaf.ndim - 2, leaf.ndim - 1) if leaf.ndim > 1 else None, params)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


RULES: dict[str, Callable[..., optax.GradientTransformation]] = {
    "muon": _muon,
    "amsgrad": _amsgrad,
    "adam": optax.adamw,
}
