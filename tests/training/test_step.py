"""The step's promises that do not depend on devices: clipping, averaging, refusing what is not finite, weights."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toy

from symjax.training import inference_params, init_state, make_step, parallelise


def linear_loss(params, batch, key):
    """Gradient of the sum: the batch itself."""
    del key
    return {"a": ((params["w"] * batch["g"]).sum(), batch["n"])}


def start(optimizer, *, ema=False):
    return init_state({"w": jnp.zeros(2)}, optimizer, key=jax.random.key(0), ema=ema)


def two_shards(gradients, counts=(1, 1)):
    return {"g": np.array(gradients, float), "n": np.array(counts)}


@pytest.mark.parametrize("how", ["jit", "shard_map"])
def test_clipping_sees_the_reduced_gradient(how):
    """Shards of gradients (30, 0) and (-26, 3): their sum (4, 3) has norm 5, but each alone would be clipped."""
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))
    step = parallelise(make_step(linear_loss, optimizer, {"a": 2.0}), how=how, devices=jax.devices()[:2])
    state, metrics = step(step.replicate(start(optimizer)), two_shards([[30, 0], [-26, 3]]))
    np.testing.assert_allclose(state.params["w"], [-0.8, -0.6], rtol=1e-12)
    np.testing.assert_allclose(metrics["grad_norm"], (5.0, 1.0))


def test_the_average_is_the_warm_started_formula():
    optimizer = optax.sgd(0.1)
    step = jax.jit(make_step(linear_loss, optimizer, {"a": 1.0}, ema_decay=0.15))
    state = start(optimizer, ema=True)
    w, mean = np.zeros(2), np.zeros(2)
    for t, gradient in enumerate(np.random.default_rng(0).normal(size=(5, 1, 2))):
        state, _ = step(state, {"g": gradient, "n": np.array([1])})
        w = w - 0.1 * gradient[0]
        decay = min(0.15, (1 + t) / (10 + t))
        mean = decay * mean + (1 - decay) * w
        np.testing.assert_allclose(state.params["w"], w, rtol=1e-12)
        np.testing.assert_allclose(state.ema["w"], mean, rtol=1e-12)
    assert inference_params(state) is state.ema
    assert inference_params(start(optimizer)) is not None


@pytest.fixture(scope="module")
def toy_step():
    return toy.driver()


def test_a_step_that_is_not_finite_changes_only_the_counters(toy_step):
    good, bad = toy.plan(0)[0], toy.plan(0)[1]
    bad["x"][2, 0, 0] = np.nan
    bad["mask"][2, 0] = True
    state, _ = toy_step(toy_step.replicate(toy.state()), good)
    before = toy.leaves(state)
    nothing = dict.fromkeys(("all", "positive", "loss", "grad_norm"), (0.0, 0.0)) | {"skipped": (1.0, 1.0)}
    for n in (1, 2):
        state, metrics = toy_step(state, bad)
        after = toy.leaves(state)
        counters = {".step": 1 + n, ".skipped": n, ".streak": n}
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], counters.get(name, value), err_msg=name)
        assert {name: tuple(map(float, pair)) for name, pair in metrics.items()} == nothing
    state, metrics = toy_step(state, good)
    assert (int(state.skipped), int(state.streak), float(metrics["skipped"][0])) == (2, 0, 0.0)
    assert toy.distance(state.params, {"w": before[".params['w']"], "out": {"v": before[".params['out']['v']"]}}) > 0
    assert toy_step.compilations == 1


@pytest.mark.parametrize(
    ("optimizer", "gradient"),
    [
        (optax.adam(1e-3, eps=0.0), [[0.0, 0.0]]),
        (optax.sgd(1e38), [[30.0, 0.0]]),
        (optax.sgd(lambda step: jnp.inf), [[1.0, 0.0]]),
        (optax.sgd(lambda step: jnp.nan), [[1.0, 0.0]]),
        (optax.adamw(1e-3, weight_decay=float("inf")), [[1.0, 1.0]]),
        (optax.sgd(1.0, momentum=1e38), [[1e19, 0.0]]),
        (optax.sgd(0.0, momentum=1e38), [[1e19, 0.0]]),
    ],
)
def test_what_the_optimiser_makes_is_part_of_the_verdict(optimizer, gradient):
    """0 / 0 of Adam, steps and decays without end, momenta that overflow while nothing moves; in float32."""
    step = jax.jit(make_step(linear_loss, optimizer, {"a": 1.0}, ema_decay=0.9))
    state = init_state({"w": jnp.ones(2, jnp.float32)}, optimizer, key=jax.random.key(0), ema=True)
    batch = {"g": np.array(gradient, np.float32), "n": np.array([1])}
    for _ in range(3):
        before, (state, metrics) = toy.leaves(state), step(state, batch)
    assert float(metrics["skipped"][0]) == 1
    after = toy.leaves(state)
    for name, value in before.items():
        if name not in (".step", ".skipped", ".streak"):
            np.testing.assert_array_equal(after[name], value, err_msg=name)
            assert np.isfinite(value).all()


def test_an_optimiser_may_begin_with_infinities():
    optimizer = optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau())
    state = start(optimizer)
    assert any(np.isinf(leaf).any() for leaf in toy.leaves(state.opt_state).values())
    told = optax.GradientTransformation(optimizer.init, lambda g, s, p: optimizer.update(g, s, p, value=1.0))
    state, _ = jax.jit(make_step(linear_loss, told, {"a": 1.0}))(state, two_shards([[1, 0], [1, 0]]))
    assert int(state.skipped) == 0


@pytest.mark.parametrize("scale", [1.0, 1e20, 2e38])
@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_finite_gradient_whose_norm_overflows_is_clipped(scale, clip):
    optimizer = optax.sgd(1.0) if clip is None else optax.chain(optax.clip_by_global_norm(clip), optax.sgd(1.0))
    step = jax.jit(make_step(linear_loss, optimizer, {"a": 1.0}))
    state = init_state({"w": jnp.zeros(2, jnp.float32)}, optimizer, key=jax.random.key(0))
    state, metrics = step(state, {"g": np.array([[0.6, 0.8]], np.float32) * np.float32(scale), "n": np.array([1])})
    assert int(state.skipped) == 0
    moved = -np.asarray(state.params["w"], float)
    np.testing.assert_allclose(moved / np.linalg.norm(moved), [0.6, 0.8], rtol=1e-6)
    if clip is not None:
        np.testing.assert_allclose(np.linalg.norm(moved), 1.0, rtol=1e-6)
    assert np.isfinite(metrics["grad_norm"][0])


def test_a_batch_of_padding_has_a_zero_finite_gradient(toy_step):
    empty = toy.plan(0)[0]
    empty["mask"][:] = False
    _, metrics = toy_step(toy_step.replicate(toy.state()), empty)
    assert float(metrics["grad_norm"][0]) == 0
    assert float(metrics["loss"][0]) == 0
    assert float(metrics["skipped"][0]) == 0


def test_weights_follow_their_schedule_and_unweighted_names_are_only_reported():
    def loss(params, batch, key):
        sums = linear_loss(params, batch, key)
        return sums | {"b": (sums["a"][0] * 3, batch["n"]), "seen": (jnp.square(params["w"]).sum(), 1)}

    optimizer = optax.sgd(1.0)
    step = jax.jit(make_step(loss, optimizer, {"a": 0.5, "b": lambda t: t * 2}))
    state = start(optimizer)
    moved = []
    for _ in range(3):
        new, metrics = step(state, {"g": np.array([[1.0, 0.0]]), "n": np.array([2])})
        moved.append(float(state.params["w"][0] - new.params["w"][0]))
        state = new
    np.testing.assert_allclose(moved, [0.25 + 3 * t for t in range(3)])
    np.testing.assert_allclose(metrics["seen"], (moved[0] + moved[1]) ** 2 * np.array([1, 0]) + np.array([0, 1]))


def test_a_reported_number_without_a_derivative_does_not_spoil_the_step():
    def loss(params, batch, key):
        return linear_loss(params, batch, key) | {"seen": (jnp.sqrt(jnp.square(params["w"]).sum()), 1)}

    optimizer = optax.sgd(1.0)
    step = jax.jit(make_step(loss, optimizer, {"a": 1.0}))
    state, metrics = step(start(optimizer), {"g": np.array([[1.0, 2.0]]), "n": np.array([1])})
    np.testing.assert_allclose(state.params["w"], [-1.0, -2.0])
    assert int(state.skipped) == int(metrics["seen"][0]) == 0


def test_the_learning_rate_scale_multiplies_updates():
    optimizer = optax.sgd(1.0)
    step = jax.jit(make_step(linear_loss, optimizer, {"a": 1.0}))
    state = start(optimizer)._replace(lr_scale=jnp.asarray(0.25, jnp.float32))
    state, _ = step(state, {"g": np.array([[1.0, 2.0]]), "n": np.array([1])})
    np.testing.assert_allclose(state.params["w"], [-0.25, -0.5])


@pytest.mark.parametrize(
    ("weights", "ema_decay", "names", "sentence"),
    [
        ({"forces": 1.0}, None, "a", r"the objective names \['forces'\], but the loss returned only \['a'\]"),
        ({"a": 1.0}, 0.9, "a", "init_state"),
        ({"loss": 1.0}, None, "loss", r"the loss may not return \['loss'\]"),
    ],
)
def test_one_sentence_for_a_wrong_request(weights, ema_decay, names, sentence):
    optimizer = optax.sgd(1.0)
    loss = lambda p, b, k: {names: linear_loss(p, b, k)["a"]}  # noqa: E731
    with pytest.raises(ValueError, match=sentence):
        make_step(loss, optimizer, weights, ema_decay=ema_decay)(start(optimizer), two_shards([[1, 0], [0, 1]]))


def test_single_precision_stays_single():
    params = jax.tree.map(lambda x: x.astype(jnp.float32), toy.params())
    batch = {name: x.astype(np.float32) if x.dtype == float else x for name, x in toy.plan(0)[0].items()}
    state = init_state(params, toy.optimizer(), key=jax.random.key(0), ema=True)
    weights = {"all": 1.0, "positive": optax.linear_schedule(1.0, 2.0, 10)}
    after, metrics = jax.eval_shape(make_step(toy.loss, toy.optimizer(), weights, ema_decay=0.9), state, batch)
    assert jax.tree.map(lambda x: x.dtype, after) == jax.tree.map(lambda x: x.dtype, state)
    assert {x.dtype for x in jax.tree.leaves(metrics)} == {jnp.dtype("float32"), jnp.dtype("int32")}
