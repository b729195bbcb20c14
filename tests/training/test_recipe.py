"""Every recipe trains, and means what it says."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy

from symjax.training import (
    Plateau,
    Recipe,
    init_state,
    make_optimizer,
    make_step,
    parallelise,
    require_sound,
    warmup_cosine,
)

OPTIMIZERS, SCHEDULES = ("muon", "amsgrad", "adam"), ("cosine", "plateau", "constant")
PLAIN = Recipe(optimizer="adam", learning_rate=0.1, warmup=0, ema=0.0, clip=None)


def steps_of(optimizer, params, gradients):
    """The parameters after each step with these gradients."""

    @jax.jit
    def run(params, gradients):
        def step(carry, gradient):
            params, state = carry
            with jax.numpy_dtype_promotion("standard"):
                updates, state = optimizer.update(gradient, state, params)
            params = optax.apply_updates(params, updates)
            return (params, state), params

        return jax.lax.scan(step, (params, optimizer.init(params)), gradients)[1]

    return run(params, gradients)


def rates(recipe, steps):
    """The learning rates, read off what Adam does with a gradient that never changes."""
    gradient = jnp.ones((steps, 1))
    path = steps_of(make_optimizer(recipe, steps=steps), jnp.zeros(1), gradient)
    return -np.diff(np.asarray(path)[:, 0], prepend=0.0)


@pytest.mark.parametrize(("optimizer", "schedule"), list(zip(OPTIMIZERS, SCHEDULES, strict=True)))
def test_every_optimizer_and_every_schedule_lowers_the_loss(optimizer, schedule):
    recipe = Recipe(optimizer=optimizer, schedule=schedule, warmup=5, weight_decay=1e-3)
    rule, batch = make_optimizer(recipe, steps=60), toy.plan(0)[0]
    step = parallelise(make_step(toy.loss, rule, {"all": 1.0}), devices=jax.devices()[:1])
    state, values = step.replicate(init_state(toy.params(), rule, key=jax.random.key(0))), []
    for _ in range(60):
        state, metrics = step(state, batch)
        values.append(float(metrics["loss"][0]))
    assert values[-1] < values[0] / 2


def test_schedules_are_their_formulas():
    with jax.numpy_dtype_promotion("standard"):
        cosine = [float(warmup_cosine(0.1, steps=20, warmup=4)(t)) for t in range(20)]
    np.testing.assert_allclose(rates(dataclasses.replace(PLAIN, warmup=4), 20), cosine, rtol=1e-6)
    rising = [0.0, 0.025, 0.05, 0.075, *[0.1] * 16]
    for schedule in ("constant", "plateau"):
        recipe = dataclasses.replace(PLAIN, warmup=4, schedule=schedule)
        np.testing.assert_allclose(rates(recipe, 20), rising, rtol=1e-6)
        np.testing.assert_allclose(rates(dataclasses.replace(recipe, warmup=0), 3), [0.1] * 3, rtol=1e-6)
    assert rates(dataclasses.replace(PLAIN, warmup=100), 3)[-1] == pytest.approx(0.1)  # a run shorter than its warm-up
    assert (PLAIN.plateau, dataclasses.replace(PLAIN, schedule="plateau").plateau) == (None, Plateau())


def test_adam_is_adam_and_with_decay_adamw():
    rng = np.random.default_rng(0)
    gradients = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=(10, *leaf.shape))), toy.params())
    rate = warmup_cosine(0.1, steps=10)
    for decay, known in ((0.0, optax.adam(rate)), (0.3, optax.adamw(rate, weight_decay=0.3))):
        ours = make_optimizer(dataclasses.replace(PLAIN, weight_decay=decay), steps=10)
        paths = [steps_of(rule, toy.params(), gradients) for rule in (ours, known)]
        assert toy.distance(*paths) == 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_decay_of_every_parameter_is_relative_to_the_rate(optimizer):
    recipe = dataclasses.replace(PLAIN, optimizer=optimizer, schedule="constant", weight_decay=0.5)
    params = toy.params()
    nothing = jax.tree.map(lambda leaf: jnp.zeros((1, *leaf.shape)), params)
    path = steps_of(make_optimizer(recipe, steps=1), params, nothing)
    assert toy.distance(path, jax.tree.map(lambda leaf: 0.95 * leaf[None], params)) < 1e-12


def test_clipping_bounds_the_norm_of_the_gradient():
    params, gradient = jnp.zeros(4), jnp.full((1, 4), 100.0)
    rule = optax.chain(optax.clip_by_global_norm(1e-9), optax.adam(0.1))
    ours = make_optimizer(dataclasses.replace(PLAIN, clip=1e-9), steps=1)
    free = make_optimizer(PLAIN, steps=1)
    clipped, known, whole = (steps_of(each, params, gradient) for each in (ours, rule, free))
    assert toy.distance(clipped, known) == 0
    assert toy.distance(clipped, whole) > 0.01


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, not 0"),
        ({"evaluate_every": 0}, "--evaluate-every must be at least 1, not 0"),
        ({"patience": 0}, "--patience must be at least 1, not 0"),
        ({"warmup": -1}, "--warmup must be at least 0, not -1"),
        ({"learning_rate": 0.0}, "--learning-rate must be a positive number, not 0.0"),
        ({"learning_rate": math.nan}, "--learning-rate must be a positive number, not nan"),
        ({"clip": -1.0}, "--clip must be a positive number, not -1.0"),
        ({"clip": math.inf}, "--clip must be a positive number, not inf"),
        ({"weight_decay": -0.1}, "--weight-decay must be at least 0 and finite, not -0.1"),
        ({"ema": 1.0}, "--ema is a decay of at least 0 and below 1, not 1.0"),
        ({"ema": math.nan}, "--ema is a decay of at least 0 and below 1, not nan"),
        ({"seed": -1}, r"--seed must be at least 0 and below 2\^32, not -1"),
        ({"seed": 2**32}, r"--seed must be at least 0 and below 2\^32, not 4294967296"),
    ],
)
def test_every_bad_number_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        require_sound(Recipe(**change))


def test_every_number_at_its_bound_is_accepted():
    require_sound(Recipe(1, evaluate_every=1, patience=1, warmup=0, clip=None, ema=0.0, weight_decay=0.0, seed=0))
    require_sound(Recipe(seed=2**32 - 1, ema=0.999, weight_decay=1e3, clip=1e-9))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frozen_parameters_keep_their_bits(optimizer):
    """Whatever else moves: decay, average and clipping pass them by."""
    recipe = Recipe(optimizer=optimizer, weight_decay=0.1, warmup=0, clip=1e-3, ema=0.9)
    rule = make_optimizer(recipe, steps=3, frozen=lambda params: {"w": True, "out": {"v": False}})
    step = parallelise(make_step(toy.loss, rule, {"all": 1.0}, ema_decay=recipe.ema), devices=jax.devices()[:1])
    state = step.replicate(init_state(toy.params(), rule, key=jax.random.key(0), ema=True))
    for batch in toy.plan(0)[:3]:
        state, _ = step(state, batch)
    for params in (state.params, state.ema):
        np.testing.assert_array_equal(params["w"], toy.params()["w"])
        assert (np.asarray(params["out"]["v"]) != toy.params()["out"]["v"]).all()
    assert step.compilations == 1


def test_clipping_does_not_count_the_gradients_of_frozen_parameters():
    recipe = dataclasses.replace(PLAIN, clip=1.0)
    rule = make_optimizer(recipe, steps=9, frozen=lambda params: {"a": True, "b": False})
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    huge, none = ({"a": jnp.full((1, 1), size), "b": jnp.full((1, 1), 1e-9)} for size in (1e9, 0.0))
    first, second = (steps_of(rule, params, gradients)["b"] for gradients in (huge, none))
    np.testing.assert_array_equal(first, second)
    assert first[0, 0] != 0
