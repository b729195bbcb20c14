import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import segment_max, segment_mean, segment_softmax, segment_sum

IDS = jnp.array([0, 0, 2, 2, 2, 4])  # segments 1 and 3 are empty
MASK = jnp.array([True, False, True, True, False, False])  # and 4 is fully masked
DATA = jax.random.normal(jax.random.key(0), (6, 2)) - 5  # negative, so that a maximum of zero would show
REDUCE = {segment_sum: np.sum, segment_mean: np.mean, segment_max: np.max}


@pytest.mark.parametrize("fn", REDUCE, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("sorted_", [False, True])
def test_reductions_agree_with_numpy_and_are_zero_where_nothing_is_left(fn, mask, sorted_):
    present = np.ones(6, bool) if mask is None else np.asarray(mask)
    rows = [np.asarray(DATA)[present & (np.asarray(IDS) == s)] for s in range(5)]
    expected = np.stack([REDUCE[fn](r, axis=0) if len(r) else np.zeros(2) for r in rows])
    np.testing.assert_allclose(fn(DATA, IDS, 5, mask=mask, indices_are_sorted=sorted_), expected)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
def test_softmax_sums_to_one_where_something_is_left(mask):
    weights = segment_softmax(DATA, IDS, 5, mask=mask)
    present = jnp.ones(6, bool) if mask is None else MASK
    np.testing.assert_allclose(weights[2:4].sum(0), 1 - weights[4])
    assert (weights[~present] == 0).all()
    expected = [[float(s in np.asarray(IDS)[np.asarray(present)])] * 2 for s in range(5)]
    np.testing.assert_allclose(segment_sum(weights, IDS, 5), expected)


@pytest.mark.parametrize("fn", [*REDUCE, segment_softmax], ids=lambda fn: fn.__name__)
def test_masked_rows_reach_neither_the_value_nor_the_gradient(fn):
    def value(data):
        return jnp.sum(fn(data, IDS, 5, mask=MASK) ** 2)

    dirty = jnp.where(MASK[:, None], DATA, jnp.nan)
    assert value(dirty) == value(DATA)
    gradient = jax.grad(value)(dirty)
    assert jnp.isfinite(gradient).all()
    assert (gradient[~MASK] == 0).all()
    np.testing.assert_array_equal(gradient, jax.grad(value)(DATA))


def test_softmax_is_defined_where_every_logit_is_minus_infinity_and_stable_where_one_is_huge():
    assert (segment_softmax(jnp.full(2, -jnp.inf), jnp.array([0, 0]), 1) == 0).all()
    np.testing.assert_allclose(segment_softmax(jnp.array([1e4, 1e4]), jnp.array([0, 0]), 1), 0.5)


def test_integers_keep_their_type():
    ids, data = jnp.array([0, 0], jnp.int32), jnp.array([-3, -2], jnp.int32)
    np.testing.assert_array_equal(segment_max(data, ids, 2), [-2, 0])
    np.testing.assert_array_equal(segment_sum(data, ids, 2), [-5, 0])


def test_softmax_with_weights_counts_each_row_so_often():
    """Rows of weight zero are absent, however large their logit; one of weight two counts twice."""
    logits = jnp.array([0.5, 800.0, -1.0])
    shares = segment_softmax(logits, jnp.zeros(3, int), 1, weights=jnp.array([2.0, 0.0, 1.0]))
    odds = 2 * np.exp(1.5)
    np.testing.assert_allclose(shares, [odds / (1 + odds), 0, 1 / (1 + odds)], rtol=1e-12)
