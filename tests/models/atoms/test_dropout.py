"""Equiformers drop attention and whole branches where they are given a key, and else nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.laws import random_params
from symjax.models.atoms import Equiformer, EquiformerV2
from tests.cases.inputs import RANDOM, atoms
from tests.cases.models import EXACT, TINY_EQUIFORMER, TINY_V2

MODELS = {
    "V1": functools.partial(Equiformer, 2, 3.0, **TINY_EQUIFORMER),
    "V2": functools.partial(EquiformerV2, 2, 3.0, **EXACT, **(TINY_V2 | {"lmax": 1})),
    "V2 of many layers": functools.partial(EquiformerV2, 2, 3.0, **EXACT, **(TINY_V2 | {"layers": 6, "lmax": 1})),
}
KEYS = jax.random.split(jax.random.key(0), 16)


@pytest.mark.parametrize("name", MODELS)
def test_a_key_says_what_is_dropped(name):
    graph = jax.tree.map(jnp.asarray, atoms(RANDOM))
    model = MODELS[name](drop_path=0.5, alpha_drop=0.2)
    params = random_params(model, graph, key=jax.random.key(3))

    @jax.jit
    def energies(keys):
        return jax.lax.map(lambda key: model.apply(params, graph, rngs={"dropout": key}).array.sum(), keys)

    drawn = energies(KEYS)
    np.testing.assert_array_equal(drawn[::-1], energies(KEYS[::-1]))
    assert len(np.unique(drawn)) > 3


@pytest.mark.parametrize("name", ["V1", "V2"])
def test_nothing_is_drawn_without_a_key_or_a_rate(name):
    graph, dropping = jax.tree.map(jnp.asarray, atoms(RANDOM)), MODELS[name](drop_path=0.5, alpha_drop=0.2)
    for model, key, draws in ((dropping, KEYS[0], 3), (dropping, None, 0), (MODELS[name](), KEYS[0], 0)):
        program = jax.make_jaxpr(functools.partial(_apply, model))(graph, key)
        assert str(program).count("random_bits") == draws


def _apply(model, graph, key):
    shapes = jax.eval_shape(model.init, KEYS[0], graph)
    params = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), shapes)
    return model.apply(params, graph, rngs={} if key is None else {"dropout": key}).array


@pytest.mark.parametrize("rates", [{"drop_path": 1.0}, {"alpha_drop": -0.1}])
@pytest.mark.parametrize("name", ["V1", "V2"])
def test_rates_that_are_no_share_are_refused(name, rates):
    with pytest.raises(ValueError, match="a rate of dropout of at least 0 and below 1"):
        MODELS[name](**rates)
