"""EMLP on the data of its paper: equivariant in both precisions, deterministic, finite, and clear about bad input."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.data.synthetic import inertia, o5_synthetic, particle_interaction
from symjax.groups import SO, O, PermutationGroup, S, Z
from symjax.laws import check
from symjax.layers.matrix import bilinear_paths, gated_rep
from symjax.models import EMLP, MLP, EMLPBlock
from symjax.models.emlp import hidden_rep, hidden_reps
from symjax.models.reach import reach, shortfall
from symjax.reps import Det, Scalar, T, V, pullback, summands
from tests.cases import start

KEY = jax.random.key(0)
TASKS = {"inertia": (inertia, 108), "o5": (o5_synthetic, 40), "particles": (particle_interaction, 40)}


@functools.cache
def fitted(name):
    """A network for a task, inputs, its parameters and its jitted `apply`."""
    make, channels = TASKS[name]
    task = make()
    inputs = jnp.asarray(task.sample(np.random.default_rng(0), 4).inputs)
    network = EMLP(task.rep_in, task.rep_out, channels, layers=1)
    return network, inputs, *start(network, inputs, key=KEY)


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-10), (jnp.float32, 1e-4)])
@pytest.mark.parametrize("name", TASKS)
def test_initial_networks_obey_the_law_of_their_data(name, dtype, tolerance):
    network, x, params, apply = fitted(name)
    cast = functools.partial(jax.tree.map, lambda leaf: leaf.astype(dtype))
    report = check(network, cast(x), key=KEY, params=cast(params))
    assert report, f"\n{report}"
    assert {entry.tolerance for entry in report.entries} == {tolerance}
    assert jax.eval_shape(apply, cast(params), cast(x)).dtype == dtype


def test_nothing_is_random_but_the_key():
    network, x, params, apply = fitted("inertia")
    again = EMLP(network.rep_in, network.rep_out, channels=108, layers=1)
    jax.tree.map(np.testing.assert_array_equal, params, jax.jit(again.init)(KEY, x))
    np.testing.assert_array_equal(apply(params, x), jax.jit(again.apply)(params, x))
    other, _ = start(again, x, key=jax.random.key(1))
    assert not np.array_equal(*(p["params"]["linear"]["kernel"] for p in (params, other)))


def test_a_batch_is_its_rows():
    _, x, params, apply = fitted("inertia")
    y = apply(params, x)
    np.testing.assert_allclose(jax.jit(jax.vmap(apply, in_axes=(None, 0)))(params, x), y, atol=1e-12)
    np.testing.assert_allclose(apply(params, x.reshape(2, 2, -1)).reshape(4, -1), y, atol=1e-12)
    np.testing.assert_allclose(apply(params, x[0]), y[0], atol=1e-12)


def test_gradients_at_zero_are_finite():
    _, x, params, apply = fitted("particles")
    gradients = jax.jit(jax.grad(lambda p, x: jnp.sum(apply(p, x) ** 2), argnums=(0, 1)))(params, 0 * x)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_initial_outputs_are_of_the_size_of_the_inputs():
    network, *_ = fitted("inertia")
    wide = EMLP(network.rep_in, network.rep_out, channels=120)
    x = jnp.asarray(np.random.default_rng(1).standard_normal((200, 20)))
    y = jax.jit(lambda key, x: wide.apply(wide.init(key, x[:1]), x))(KEY, x)
    assert 0.01 < np.mean(y**2) < 2


def test_a_block_has_a_bilinear_layer_only_where_something_acts():
    for rep, bilinear in (((Scalar + V)(O(3)), True), ((2 * Scalar)(O(3)), False)):
        layers = jax.eval_shape(EMLPBlock(rep, rep).init, KEY, jnp.ones((1, rep.size)))["params"].keys()
        assert layers == ({"linear", "bilinear"} if bilinear else {"linear"})
        assert bool(bilinear_paths(gated_rep(rep))) == bilinear


def test_hidden_features_may_be_chosen():
    network = EMLP(V(S(3)), Scalar, channels=2 * V + T(2), layers=1)
    params = jax.eval_shape(network.init, KEY, jnp.ones((1, 3)))["params"]
    assert params["block_0"]["linear"]["kernel"].shape == (2 * 2 + 5,)


def test_outputs_that_no_products_reach_are_refused():
    vectors, pseudovector = (6 * V)(O(3)), (Det * V)(O(3))
    with pytest.raises(
        ValueError, match=r"no weights make \(Det\*V\)\(O\(3\)\) in the output .* Take more channels.* \(\d+ do\)"
    ):
        EMLP(vectors, pseudovector, channels=80, layers=2).init(KEY, jnp.ones((1, 18)))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((4, 18)))
    y, _ = jax.jit(EMLP(vectors, pseudovector, channels=120, layers=2).init_with_output)(KEY, x)
    assert np.abs(np.diff(y, axis=0)).max() > 1e-4


def test_an_invariant_constant_is_no_dependence():
    hidden = (4 * Scalar + 2 * V)(O(3))
    assert reach((2 * V)(O(3)), (), (V + Scalar)(O(3))).moved == (3, 0)
    assert reach((2 * V)(O(3)), (hidden,), (V + Scalar)(O(3))).moved == (3, 1)


PIXELS = PermutationGroup([np.rot90(np.arange(36).reshape(6, 6)).ravel()])  # quarter turns of an image
MISSES = [
    ((6 * V)(O(3)), 80, T(2), "only 1 of the 9 dimensions of V2 in the output .* channels=108, 9 would"),
    ((6 * V)(SO(3)), 80, T(2), "only 4 of the 9 dimensions of V2 in the output .* channels=108, 9 would"),
    ((6 * V)(O(3)), 108, T(2), None),
    (V(O(3)), 108, T(2), None),  # its antisymmetric part is out of reach of any function of one vector
    (T(2)(SO(3)), 8, Scalar, "only 4 of the 9 dimensions of V2 in the input are seen; with channels=9, 9 would"),
    (V(S(200)), 100, Scalar, "only 1 of the 200 dimensions of V in the input are seen; with channels=200, 200 would"),
    (V(S(200)), 384, Scalar, None),
    (V(PIXELS), 20, Scalar, "only 9 of the 36 dimensions of V in the input are seen; with channels=36, 36 would"),
]


@pytest.mark.parametrize(("rep_in", "channels", "rep_out", "sentence"), MISSES)
def test_parts_out_of_reach_are_named_with_the_channels_that_would_do(rep_in, channels, rep_out, sentence):
    found = shortfall(rep_in, channels, rep_out(rep_in.group), 2)
    assert (found is None) if sentence is None else re.search(sentence, found.replace("*", ""))


def test_too_few_channels_are_warned_of():
    with pytest.warns(UserWarning, match="channels=30 are too few: only 1 of the 9 dimensions"):
        jax.eval_shape(EMLP((2 * V)(O(3)), T(2), channels=30).init, KEY, jnp.ones((1, 6)))


@pytest.mark.parametrize("group", [S(200), Z(100), PIXELS], ids=["S", "Z", "pixels"])
def test_large_permutation_groups_keep_features_that_are_no_scalars(group):
    hidden = hidden_rep(384, group, V(group), Scalar(group))
    assert hidden.size == 384
    assert V(group) in {part.rep for part in summands(hidden)}


def test_the_dipole_of_charges_is_within_reach_of_the_default():
    """Of the hidden features of `SO(3) * S(5)`, V(S(5)) * V(SO(3)) acts on V(S(5)) and gives V(SO(3))."""
    group = SO(3) * S(5)
    vector, number = pullback(V(SO(3)), group), pullback(V(S(5)), group)
    hidden = hidden_rep(384, group, vector * number + number, vector)
    parts = summands(gated_rep(hidden))
    paths = [[parts[i].rep for i in path[:3]] for path in bilinear_paths(gated_rep(hidden))]
    assert [number * vector, number, vector] in paths


def test_channels_are_of_a_factor_or_one_for_each_layer():
    group = SO(3) * S(5)
    by_factor = hidden_reps([8, 2 * V(SO(3)), V(S(5)) * V(SO(3))], None, group)
    assert [rep.size for rep in by_factor] == [8, 6, 15]
    assert {rep.group for rep in by_factor} == {group}
    network = EMLP((2 * V)(O(3)), Scalar, channels=[9, 2 * V + Scalar])
    params = jax.eval_shape(jax.jit(network.init), KEY, jnp.ones((1, 6)))["params"]
    assert params.keys() == {"block_0", "block_1", "linear"}
    with pytest.raises(ValueError, match="expected channels for each of 3 layers, got 2"):
        hidden_reps([8, 8], 3, O(3))
    with pytest.raises(ValueError, match=r"expected S\(4\) to be one factor"):
        hidden_rep(V(S(4)), group)


def test_the_number_of_channels_may_be_any_integer():
    network = EMLP((2 * V)(O(3)), Scalar, channels=np.int64(8), layers=1)
    same = EMLP((2 * V)(O(3)), Scalar, channels=8, layers=1)
    shapes = [jax.eval_shape(m.init, KEY, jnp.ones((1, 6))) for m in (network, same)]
    assert shapes[0] == shapes[1]
    with pytest.raises(TypeError, match="expected a number of channels or a representation, got '64'"):
        hidden_rep("64", O(3))
    with pytest.raises(ValueError, match="expected at least 1 channel, got 0"):
        EMLP(V(O(3)), V, channels=0).init(KEY, jnp.ones((1, 3)))


def test_no_rows_give_no_rows():
    _, x, params, apply = fitted("inertia")
    assert apply(params, x[:0]).shape == (0, 9)


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="no group yet"):
        EMLP(V, V).init(KEY, jnp.ones((1, 3)))
    with pytest.raises(ValueError, match="expected vectors of shape"):
        EMLP(V(O(3)), V, channels=8).init(KEY, jnp.ones((1, 4)))
    with pytest.raises(ValueError, match="zero is the only equivariant linear map"):
        EMLP(V(O(3)), V, channels=2).init(KEY, jnp.ones((1, 3)))


def test_the_baseline_promises_only_that_rows_do_not_mix():
    report = check(MLP(3, channels=8), jnp.ones((4, 5)), key=KEY)
    assert report
    assert "Causality: 4 outputs see 4 of 16 pairs" in str(report)
    assert MLP(3).laws(jnp.ones(5)) == ()


def test_layers_are_counted():
    with pytest.raises(ValueError, match="expected an integer of at least 0"):
        EMLP(V(O(3)), V(O(3)), 8, layers=-1).init(jax.random.key(0), jnp.ones(3))
