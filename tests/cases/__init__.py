"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line in the file of its room, `"name": lambda: (module, x)`. Inputs so degenerate that the
output may ignore them (a single atom, no edges) make up `DEGENERATE`, from the small modules on given positions that a
room may name in `SMALL`: there laws hold and gradients are finite too, but without edges may hold vacuously.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from symjax.laws import random_params
from tests.cases import graph, irreps, matrix, models, sequence, sets
from tests.cases.inputs import SYMMETRIC, without_edges

Case = Callable[[], tuple[nn.Module, Any]]

KEY = jax.random.key(7)
CASES: dict[str, Case] = graph.CASES | irreps.CASES | matrix.CASES | sets.CASES | sequence.CASES | models.CASES
SMALL: dict[str, Callable[[Any], tuple[nn.Module, Any]]] = irreps.SMALL | models.SMALL
DEGENERATE: dict[str, Case] = {
    f"{name}, {kind}": functools.partial(make, positions)
    for name, make in SMALL.items()
    for kind, positions in SYMMETRIC.items()
} | {f"{name}, no edges": functools.partial(without_edges, make) for name, make in SMALL.items()}


class Loaded(NamedTuple):
    """A module, its input and random variables in float64, and its jitted `apply`."""

    module: nn.Module
    x: Any
    params: Any
    apply: Callable


@functools.cache
def load(name: str) -> Loaded:
    """A case, made once."""
    module, x = (CASES | DEGENERATE)[name]()
    x = jax.tree.map(jnp.asarray, x)
    return Loaded(module, x, random_params(module, x, key=KEY), _jitted(module)[1])


def start(module: nn.Module, x: Any, *, key: jax.Array = KEY) -> tuple[Any, Callable]:
    """The initial parameters of a module and its `apply`, both jitted."""
    init, apply = _jitted(module)
    return init(key, x), apply


@functools.cache
def _jitted(module: nn.Module) -> tuple[Callable, Callable]:
    """`init` and `apply`, the same two for equal modules, so that each shape is compiled once."""
    return jax.jit(module.init), jax.jit(module.apply)
