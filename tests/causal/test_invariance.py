"""Rules of invariance against their formulas on all examples at once, and their gradients on any number of devices."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from symjax.causal import (
    Environments,
    coral,
    erm,
    feature_moments,
    fishr,
    gradient_moments,
    group_dro,
    head_gradients,
    irm,
    kernel_embedding,
    logit_slopes,
    mmd,
    output_slopes,
    vrex,
)
from symjax.training import Objective, init_state, make_step, parallelise, piecewise_linear

E, WIDTH, KEY = 3, 4, jax.random.key(5)
SIZES = (9, 4, 2)
WEIGHT = piecewise_linear({0: 1.0, 10: 21.0})  # 3 at step 1
bce = optax.sigmoid_binary_cross_entropy


def features_of(params, x):
    h = jnp.tanh(x @ params["w"])
    return h, h @ params["v"] + params["b"]


def loss(params, batch, key):
    """All that any rule reads, and the norm of the parameters."""
    h, z = features_of(params, batch["x"])
    of, y = Environments(batch["index"], E, batch["mask"]), batch["y"]
    return {
        **of.risks(bce(z, y)),
        **logit_slopes(z, y, of),
        **gradient_moments(head_gradients(jax.nn.sigmoid(z) - y, h), of),
        **feature_moments(h, of),
        **kernel_embedding(h, of, key=KEY, size=8, gamma=0.5),
        "norm": (sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params)), 1),
    }


def by_hand(params, batch):
    """The penalties of the rules, each from the examples of one environment after the other."""
    risk, slope, variance, mean, covariance, embedding = ([] for _ in range(6))
    for e in range(E):
        own = batch["mask"] & (batch["index"] == e)
        x, y = batch["x"][own], batch["y"][own]
        h, z = features_of(params, x)
        risk.append(bce(z, y).mean())
        slope.append(jax.grad(lambda s, z=z, y=y: bce(s * z, y).mean())(jnp.ones(())))
        last = lambda v, b, h, y: bce((h * v).sum() + b, y)  # noqa: E731
        g = jax.vmap(jax.grad(last, (0, 1)), (None, None, 0, 0))(params["v"], params["b"], h, y)
        variance.append(jnp.concatenate([jnp.var(g[0], 0), jnp.var(g[1], keepdims=True)]))
        mean.append(h.mean(0))
        covariance.append(jnp.cov(h, rowvar=False, bias=True))
        alone = Environments(np.zeros(len(h), int), 1)
        embedding.append(kernel_embedding(h, alone, key=KEY, size=8, gamma=0.5)["embedding"][0][0] / len(h))
    pairs = list(itertools.combinations(range(E), 2))
    between = lambda x: sum(((x[a] - x[b]) ** 2).sum() for a, b in pairs) / len(pairs)  # noqa: E731
    spread = lambda x: sum(((x[a] - sum(x) / E) ** 2).sum() for a in range(E)) / E  # noqa: E731
    q = jax.lax.stop_gradient(jnp.exp(0.5 * jnp.stack(risk)))
    return sum(risk) / E, {
        "irm": sum(s**2 for s in slope) / E,
        "vrex": spread(risk),
        "fishr": spread(variance),
        "coral": between(covariance) / (4 * WIDTH**2) + between(mean) / WIDTH,
        "mmd": between(embedding),
        "group_dro": (q / q.sum() * jnp.stack(risk)).sum(),
    }


OTHERS = {"norm": 0.1}
RULES = {
    "irm": irm(WEIGHT, others=OTHERS),
    "vrex": vrex(WEIGHT, others=OTHERS),
    "fishr": fishr(WEIGHT, E, WIDTH + 1, others=OTHERS),
    "coral": coral(WEIGHT, others=OTHERS),
    "mmd": mmd(WEIGHT, others=OTHERS),
    "group_dro": group_dro(E, rate=0.5, others=OTHERS),
}


def _sum_of_all(means, carry, step):
    values, after = zip(*(rule.value(means, carry[name], step) for name, rule in RULES.items()), strict=True)
    return sum(values), dict(zip(RULES, after, strict=True))


ALL = Objective(
    set().union(*(rule.names for rule in RULES.values())), _sum_of_all, {n: rule.init for n, rule in RULES.items()}
)


@pytest.fixture(scope="module")
def params():
    rng = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape))  # noqa: E731
    return {"w": draw(3, WIDTH), "v": draw(WIDTH), "b": draw()}


@pytest.fixture(scope="module")
def rows():
    """Fifteen examples of three environments and one place that is empty, in an order that mixes them."""
    rng = np.random.default_rng(1)
    index = rng.permutation(np.repeat(np.arange(E), SIZES))
    x = rng.normal(size=(16, 3)) + np.pad(index, (0, 1))[:, None]
    x[-1] = 1e3
    y = (rng.random(16) < 0.5).astype(float)
    return {"x": x, "y": y, "index": np.pad(index, (0, 1)), "mask": np.arange(16) < 15}


@pytest.fixture(scope="module")
def means(params, rows):
    return {name: total / count for name, (total, count) in jax.jit(loss)(params, rows, None).items()}


@pytest.fixture(scope="module")
def expected(params, rows):
    """The risk and the penalties, and the gradient of all rules together at step 0."""

    def total(p):
        risk, penalties = by_hand(p, rows)
        norm = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p))
        return (len(RULES) - 1) * risk + sum(penalties.values()) + 0.1 * len(RULES) * norm, (risk, penalties)

    return jax.jit(jax.value_and_grad(total, has_aux=True))(params)


@pytest.mark.parametrize("name", RULES)
def test_values_are_the_formulas(name, means, expected):
    rule, ((_, (risk, penalties)), _) = RULES[name], expected
    for step, w in ((0, 1.0), (1, 3.0)):
        value, _ = rule.value(means, rule.init, jnp.asarray(step))
        hand = penalties[name] if name == "group_dro" else (risk + w * penalties[name] + 0.1 * means["norm"]) / w
        np.testing.assert_allclose(value, hand + 0.1 * means["norm"] * float(name == "group_dro"), rtol=1e-12)
    assert penalties[name] > 1e-4


def test_erm_is_the_mean_of_all_examples_and_knows_one_environment(means, params, rows):
    _, z = features_of(params, rows["x"][:15])
    value, _ = erm().value(means, (), jnp.asarray(0))
    np.testing.assert_allclose(value, bce(z, rows["y"][:15]).mean(), rtol=1e-12)
    alone = {"risk": means["risk"][:1], "share": jnp.ones(1)}
    np.testing.assert_allclose(erm().value(alone, (), jnp.asarray(0))[0], means["risk"][0], rtol=1e-12)


@pytest.mark.parametrize(("how", "devices"), [("jit", 1), ("shard_map", 4)])
def test_gradients_do_not_know_devices(how, devices, params, rows, expected):
    """Four shards of four places, in none of which environments have the sizes they have on the whole."""
    sgd = optax.sgd(1.0)
    step = parallelise(make_step(loss, sgd, ALL), how=how, devices=jax.devices()[:devices])
    state = init_state(params, sgd, key=jax.random.key(0), rule=ALL.init)
    after, metrics = step(step.replicate(state), jax.tree.map(lambda x: x.reshape(4, 4, *x.shape[1:]), rows))

    (value, _), gradient = expected
    np.testing.assert_allclose(metrics["loss"][0], value, rtol=1e-12)
    for name in params:
        np.testing.assert_allclose(state.params[name] - after.params[name], gradient[name], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(after.rule["fishr"]["updates"], 1)


def test_slopes_of_any_loss_are_the_ones_of_logits(params, rows):
    _, z = features_of(params, rows["x"])
    of = Environments(rows["index"], E, rows["mask"])
    for ours, general in zip(
        logit_slopes(z, rows["y"], of)["slope"], output_slopes(bce, z, rows["y"], of)["slope"], strict=True
    ):
        np.testing.assert_allclose(ours, general, rtol=1e-12)


def test_the_product_of_halves_is_the_square_without_its_bias():
    """Over all ways to halve four slopes it has the mean of products of two different ones."""
    slopes, of = np.array([1.0, 2.0, -4.0, 8.0, 1.0, 1.0]), Environments(np.array([0, 0, 0, 0, 1, 1]), 2)
    values = []
    for pair in itertools.combinations(range(4), 2):
        half = np.array([int(i in pair) for i in range(4)] + [0, 1])
        total, count = of.halved(half).total(jnp.asarray(slopes))
        means = {"risk": jnp.zeros(2), "share": jnp.ones(2) / 2, "slope": total / count}
        values.append(float(irm(1.0, unbiased=True).value(means, (), jnp.asarray(0))[0]))
    different = np.mean([a * b for a, b in itertools.permutations(slopes[:4], 2)])
    np.testing.assert_allclose(np.mean(values), (different + 1) / 2)
    assert min(values) < 0


@pytest.mark.parametrize("name", RULES)
def test_an_environment_that_is_absent_is_left_out(name, means):
    """As if there were two, where the third one's mean is a zero that means nothing."""
    rule = RULES[name]
    gone = {n: m if m.ndim == 0 else m.at[2].set(0.0) for n, m in means.items()}
    two = {n: m if m.ndim == 0 else m[:2] for n, m in means.items()}
    first = {"fishr": fishr(WEIGHT, 2, WIDTH + 1).init, "group_dro": jnp.zeros(2)}.get(name, ())
    value, after = rule.value(gone, rule.init, jnp.asarray(1))
    if name == "group_dro":
        assert float(after[2]) < float(after[:2].min())
        return
    np.testing.assert_allclose(value, rule.value(two, first, jnp.asarray(1))[0], rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_one_environment_is_refused(name, means):
    one = {n: m if m.ndim == 0 else m[:1] for n, m in means.items()}
    with pytest.raises(ValueError, match="expected several environments, got 1: nothing differs within one"):
        RULES[name].value(one, RULES[name].init, jnp.asarray(0))


def test_group_weights_are_exponentiated_and_carried(means):
    rule, q, carry = RULES["group_dro"], np.ones(E) / E, RULES["group_dro"].init
    for step in range(3):
        risk = np.asarray(means["risk"]) * (1 + step)
        value, carry = rule.value({**means, "risk": jnp.asarray(risk)}, carry, jnp.asarray(step))
        q = q * np.exp(0.5 * risk)
        q = q / q.sum()
        np.testing.assert_allclose(np.exp(carry), q, rtol=1e-12)
        np.testing.assert_allclose(value, (q * risk).sum() + 0.1 * means["norm"], rtol=1e-12)


def test_variances_of_gradients_are_averaged_without_a_bias_to_zero(means):
    rule, carry, v = RULES["fishr"], RULES["fishr"].init, means["square"] - means["gradient"] ** 2
    average = np.zeros(v.shape)
    for t in range(3):
        present = np.array([1.0, 1.0, 0.0 if t == 1 else 1.0])
        now = {**means, "square": means["square"] * (1.0 + t), "gradient": means["gradient"] * np.sqrt(1.0 + t)}
        _, carry = rule.value({**now, "share": jnp.asarray(present)}, carry, jnp.asarray(t))
        average = np.where(present[:, None] > 0, 0.95 * average + 0.05 * (1 + t) * v, average)
        np.testing.assert_allclose(carry["variance"], average, rtol=1e-10)
    np.testing.assert_array_equal(carry["updates"], [3, 3, 2])


def test_random_features_have_the_products_of_the_gaussian_kernel():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3)))
    phi, _ = kernel_embedding(x, Environments(np.arange(6), 6), key=KEY, size=20_000, gamma=0.3)["embedding"]
    kernel = np.exp(-0.3 * ((np.asarray(x)[:, None] - np.asarray(x)[None]) ** 2).sum(-1))
    np.testing.assert_allclose(phi @ phi.T, kernel, rtol=0, atol=0.03)
