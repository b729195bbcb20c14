import itertools

import jax
import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from symjax.data.cubes import broken_rubik, inverted_cube, inverted_rubik, one_hot
from symjax.groups import CUBE_FACES, rubik_stickers

TASKS = [inverted_cube(), inverted_rubik(), broken_rubik()]


def stickers_of(colours):
    """Return the place that each sticker has in the solved cube, from its colour and those on the same cell."""

    def name(colour_of, place):
        cells = [cell for cell, _ in rubik_stickers()]
        return colour_of[place], frozenset(colour_of[i] for i in range(48) if cells[i] == cells[place])

    solved = [CUBE_FACES.index(look) for _, look in rubik_stickers()]
    place_of = {name(solved, place): place for place in range(48)}
    return np.array([place_of[name(colours, place)] for place in range(48)])


def invariants(group, colours, degree):
    """Return how often each orbit of `degree` places carries each list of colours: all invariants of that degree."""
    size = group.d**degree
    places = np.stack(np.unravel_index(np.arange(size), degree * (group.d,)))
    edges = [np.ravel_multi_index(g[places], degree * (group.d,)) for g in group.generators]
    rows, columns = np.tile(np.arange(size), len(edges)), np.concatenate(edges)
    _, orbit = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size)))
    lists = np.ravel_multi_index(colours[places], degree * (6,))
    return np.unique(np.stack([orbit, lists]), axis=1, return_counts=True)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_representation_moves_the_places(task):
    g = np.asarray(task.group.uniform(jax.random.key(0)))
    states = one_hot(np.stack([task.right, task.right[g]]))
    np.testing.assert_array_equal(task.rep_in.act(g, states[0]), states[1])
    assert task.rep_in.size == states.shape[1] == 6 * task.group.d
    assert task.rep_out.size == 2


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_scrambled_states_keep_their_colours_and_their_seed(task):
    states, labels = task.test(np.random.default_rng(0), 30)
    assert set(labels) == {0, 1}
    grid = states.reshape(30, 6, task.group.d)
    np.testing.assert_array_equal(grid.sum(axis=1), 1)
    np.testing.assert_array_equal(grid.sum(axis=2), task.group.d / 6)
    again = task.test(np.random.default_rng(0), 30)
    np.testing.assert_array_equal(again.states, states)
    np.testing.assert_array_equal(again.labels, labels)
    assert len(np.unique(states, axis=0)) > 15


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_training_is_balanced(task):
    states, labels = task.train()
    assert labels.sum() == len(task.wrong) == len(labels) // 2
    np.testing.assert_array_equal(states[labels == 1], one_hot(np.tile(task.right, (len(task.wrong), 1))))


def test_no_rotation_turns_the_cube_into_its_mirror_image():
    task = inverted_cube()
    reached = {tuple(task.right)}
    for _ in range(10):
        reached |= {tuple(np.array(state)[g]) for state in reached for g in task.group.generators}
    assert len(reached) == 24
    assert tuple(task.wrong[0]) not in reached
    states, labels = task.test(np.random.default_rng(1), 40)
    colours = states.reshape(40, 6, 6).argmax(axis=1)
    assert [tuple(row) in reached for row in colours] == list(labels)


def test_solved_cube_shows_one_colour_on_each_face():
    turned = inverted_rubik()
    for colour, look in enumerate(CUBE_FACES):
        assert {turned.right[place] for place in range(48) if rubik_stickers()[place][1] == look} == {colour}
    assert (turned.wrong[0] == (turned.right + 3) % 6).all()


def test_scrambled_rubik_cubes_are_solvable_and_broken_ones_are_not():
    task = broken_rubik()
    states, labels = task.test(np.random.default_rng(2), 24)
    colours = states.reshape(24, 6, 48).argmax(axis=1)
    assert [task.group.chain.contains(stickers_of(row)) for row in colours] == list(labels)


def test_broken_cubes_are_the_eleven_other_ways_to_put_it_together():
    task = broken_rubik()
    ways = [stickers_of(state) for state in (task.right, *task.wrong)]
    assert len(ways) == 12
    for first, second in itertools.combinations(ways, 2):
        assert not task.group.chain.contains(np.argsort(first)[second])
        assert not task.group.chain.contains(first[np.argsort(second)])


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_mirror_image_of_rubiks_cube_differs_in_degree_three(degree):
    task = inverted_rubik()
    right, wrong = (invariants(task.group, colours, degree) for colours in (task.right, task.wrong[0]))
    same = right[0].shape == wrong[0].shape and all((a == b).all() for a, b in zip(right, wrong, strict=True))
    assert same == (degree < 3)


@pytest.mark.parametrize("wrong", range(11))
def test_broken_cubes_have_the_invariants_of_degree_two_of_a_right_one(wrong):
    task = broken_rubik()
    for mine, other in zip(
        invariants(task.group, task.right, 2), invariants(task.group, task.wrong[wrong], 2), strict=True
    ):
        np.testing.assert_array_equal(mine, other)
