"""Rows reach a step once an epoch, whatever the batches and the shards."""

from itertools import chain

import jax
import numpy as np
import pytest

from symjax.data import RowBatch, Rows

TABLE = {"x": np.arange(14.0, dtype=np.float32).reshape(7, 2), "y": np.arange(7)}


def dealt(rows, epoch=0, shards=1):
    """The rows of each step in their order, and whether all shards and steps have one shape."""
    plan = rows.plan(epoch, shards=shards)
    assert {(len(step), *map(np.shape, step)) for step in plan} == {(shards, *map(np.shape, plan[0]))}
    return [[int(row) for row in np.concatenate(step) if row >= 0] for step in plan]


@pytest.mark.parametrize("shards", [1, 3, 4])
@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_every_row_comes_once_an_epoch(batch_size, shards):
    steps = dealt(Rows(TABLE, batch_size, seed=5), epoch=2, shards=shards)
    assert [len(step) for step in steps[:-1]] == [batch_size] * (len(steps) - 1)
    assert sorted(chain(*steps)) == list(range(7))
    assert dealt(Rows(TABLE, batch_size), shards=shards) == [
        list(range(7))[start : start + batch_size] for start in range(0, 7, batch_size)
    ]


def test_the_order_is_of_the_seed_and_the_epoch():
    orders = [list(chain(*dealt(Rows(TABLE, 3, seed), epoch))) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(map(tuple, orders))) == 4
    for order, key in zip(orders, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
        assert order == np.random.default_rng(key).permutation(7).tolist()


def test_steps_deal_the_rows_out_as_often_as_it_takes():
    rng = np.random.default_rng((4, 9))
    order = np.concatenate([rng.permutation(7) for _ in range(3)])
    assert dealt(Rows(TABLE, 3, seed=4, steps=5), epoch=9) == order[:15].reshape(5, 3).tolist()
    assert dealt(Rows(TABLE, 3, steps=4)) == [[0, 1, 2], [3, 4, 5], [6, 0, 1], [2, 3, 4]]
    assert len(Rows(TABLE, 100, seed=4, steps=2).plan(0)) == 2


def test_batches_hold_what_the_plan_says_and_mask_the_rest():
    rows = Rows(TABLE, 4)
    plan = rows.plan(0, shards=3)
    first, last = (rows.load(step) for step in plan)
    assert first.mask.tolist() == [[True, True], [True, True], [False, False]]
    assert last.mask.tolist() == [[True, True], [True, False], [False, False]]
    assert last.rows["y"].tolist() == [[4, 5], [6, 0], [0, 0]]
    assert first.rows["x"].shape == (3, 2, 2)
    assert [leaf.dtype for leaf in jax.tree.leaves(first.rows)] == [np.float32, TABLE["y"].dtype]
    np.testing.assert_array_equal(first.rows["x"][first.mask], TABLE["x"][:4])


def test_totals_count_the_real_rows_only():
    values = np.arange(12.0).reshape(2, 3, 2)
    mask = np.array([True, False])
    total, count = RowBatch(None, mask).total(np.where(mask[:, None, None], values, np.nan))
    assert (float(total), int(count)) == (15.0, 6)
    assert [float(number) for number in RowBatch(None, mask).total(np.array([3.0, 5.0]))] == [3.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (({"x": np.zeros(3), "y": np.zeros(4)}, 2), r"the same rows, at least one, got \[3, 4\]"),
        ((np.zeros((0, 2)), 2), r"at least one, got \[0\]"),
        (({}, 2), "at least one, got no rows"),
        ((np.zeros(3), 0), "a batch_size of at least 1, got 0"),
        ((np.zeros(3), 2, 0, 0), "steps of at least 1, got 0"),
    ],
)
def test_one_sentence_for_what_makes_no_batches(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Rows(*arguments)
