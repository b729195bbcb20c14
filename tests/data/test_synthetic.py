import jax
import numpy as np
import pytest

from symjax.data.synthetic import (
    MINKOWSKI,
    Samples,
    inertia,
    inertia_tensor,
    matrix_element,
    o5_synthetic,
    particle_interaction,
)

TASKS = [inertia(), o5_synthetic(), particle_interaction()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_targets_move_with_their_inputs(task):
    """f(rho_in(g) x) = rho_out(g) f(x) for an element of every component of the group."""
    inputs, targets = task.sample(np.random.default_rng(0), 4)
    for component in range(task.group.components):
        g = np.asarray(task.group.sample(jax.random.key(component), component))
        expected = task.rep_out.act(g, targets)
        np.testing.assert_allclose(task.target(task.rep_in.act(g, inputs)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_samples_are_as_declared(task):
    samples = task.sample(np.random.default_rng(0), 7)
    assert samples.inputs.shape == (7, task.rep_in.size)
    assert samples.targets.shape == (7, task.rep_out.size)
    assert samples.inputs.dtype == samples.targets.dtype == np.float64
    again = task.sample(np.random.default_rng(0), 7)
    np.testing.assert_array_equal(again.inputs, samples.inputs)
    np.testing.assert_array_equal(again.targets, samples.targets)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_moved_samples_are_samples_of_the_same_function(task):
    samples = task.sample(np.random.default_rng(0), 20)
    moved = jax.jit(task.move)(samples, key=jax.random.key(0))
    np.testing.assert_allclose(task.target(np.asarray(moved.inputs)), moved.targets, rtol=1e-6, atol=1e-6)


def test_each_sample_is_moved_by_its_own_element_of_either_component():
    """The axes of space as the three bodies of every sample, so that what they become is the element itself."""
    task, frames = inertia(3), np.tile(np.concatenate([np.ones(3), np.eye(3).ravel()]), (40, 1))
    inputs = np.asarray(task.move(Samples(frames, task.target(frames)), jax.random.key(1)).inputs)
    moved = inputs[:, 3:].reshape(40, 3, 3)
    assert np.abs(moved[0] - moved[1:]).max(axis=(1, 2)).min() > 0.1
    assert 10 < np.sum(np.linalg.det(moved) > 0) < 30


@pytest.mark.parametrize(
    ("task", "mean", "variance"),
    [(TASKS[0], 8.04 / 3, 32.5 - (8.04 / 3) ** 2), (TASKS[1], -5.71, 38.6), (TASKS[2], 0.252, 0.75)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_moments_of_the_targets(task, mean, variance):
    """Published errors are not normalised, so the scale of the targets is part of the task."""
    targets = task.sample(np.random.default_rng(1), 100_000).targets
    assert targets.mean() == pytest.approx(mean, rel=0.03)
    assert targets.var() == pytest.approx(variance, rel=0.05)


def test_inertia_of_two_bodies_by_hand():
    """Masses 2 at (0, 0, 1) and 1 at (1, 1, 0): diagonal blocks 2 diag(1, 1, 0) and [[1, -1], [-1, 1]] + 2 e_z e_z."""
    tensor = inertia_tensor(np.array([[2.0, 1.0]]), np.array([[[0.0, 0, 1], [1, 1, 0]]]))
    np.testing.assert_allclose(tensor, [[[3, -1, 0], [-1, 3, 0], [0, 0, 2]]])


def test_masses_are_positive():
    assert (inertia(3).sample(np.random.default_rng(0), 100).inputs[:, :3] > 0).all()


def test_o5_by_hand():
    """|x| = 5, |y| = 2, at a right angle and parallel."""
    inputs = np.array([[3.0, 4, 0, 0, 0, 0, 0, 0, 0, 2], [5, 0, 0, 0, 0, -2, 0, 0, 0, 0]])
    np.testing.assert_allclose(o5_synthetic().target(inputs), [[np.sin(5) - 4], [np.sin(5) - 5]])


def test_matrix_element_is_the_contraction_of_two_tensors():
    p, q, p2, q2 = momenta = np.random.default_rng(2).standard_normal((4, 4))
    metric = np.diag(MINKOWSKI)
    electron = np.outer(p, p2) - (p @ metric @ p2 - p @ metric @ p) * metric
    muon = np.outer(q, q2) - (q @ metric @ q2 - q @ metric @ q) * metric
    expected = 4 * np.einsum("ab,ac,bd,cd", electron, metric, metric, muon)
    np.testing.assert_allclose(matrix_element(momenta[None]), [expected])


def test_matrix_element_at_rest_by_hand():
    """p = p' = (1, 0) and q = q' = (2, 0): both bracketed scalars vanish and 4 (p.q)(p'.q') is left."""
    momenta = np.zeros((1, 4, 4))
    momenta[0, :, 0] = [1, 2, 1, 2]
    np.testing.assert_allclose(matrix_element(momenta), [16])
