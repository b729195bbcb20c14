import numpy as np
import pytest

from symjax.data.pendulum import energy, forces, initial_states, random_chunks, relative_error, roll_out, trajectories


@pytest.fixture(scope="module")
def paths():
    return trajectories(np.random.default_rng(0), 20)


def rotation(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def moved(matrix, states):
    return (states.reshape(*states.shape[:-1], 4, 3) @ matrix.T).reshape(states.shape)


def test_energy_by_hand():
    """Both springs of length 3 and hanging: 4 / 2 + 4 - 3 - 6; unit momenta along x and y add 1."""
    hanging = np.array([0, 0, -3, 0, 0, -6, 0, 0, 0, 0, 0, 0.0])
    moving = hanging + np.array([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(energy(np.stack([hanging, moving])), [-3, -2])


def test_at_rest_in_equilibrium():
    """The upper spring carries two weights, the lower, twice as stiff, one."""
    at_rest = np.array([[0, 0, -3, 0, 0, -4.5, 0, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(forces(at_rest[:, :6]), 0, atol=1e-15)
    np.testing.assert_allclose(roll_out(at_rest, np.array([0.0, 3.0]))[:, 1], at_rest, atol=1e-12)


def test_forces_are_the_slope_of_the_energy():
    state = initial_states(np.random.default_rng(1), 1)[0]
    shifts = 1e-5 * np.eye(12)[:6]
    slope = (energy(state + shifts) - energy(state - shifts)) / 2e-5
    np.testing.assert_allclose(forces(state[:6]), -slope, atol=1e-9)


def test_energy_and_spin_about_the_vertical_are_conserved(paths):
    q1, q2, p1, p2 = np.split(paths.states, 4, axis=-1)
    spin = (np.cross(q1, p1) + np.cross(q2, p2))[..., 2]
    for conserved in (energy(paths.states), spin):
        np.testing.assert_allclose(conserved, np.repeat(conserved[:, :1], 150, axis=1), atol=1e-8)


@pytest.mark.parametrize("matrix", [rotation(0.7), np.diag([1.0, -1.0, 1.0])], ids=["rotation", "reflection"])
def test_symmetry_about_the_vertical(paths, matrix):
    states, times = paths.states[:3, 0], paths.times[:40]
    np.testing.assert_allclose(energy(moved(matrix, states)), energy(states), atol=1e-12)
    np.testing.assert_allclose(roll_out(moved(matrix, states), times), moved(matrix, paths.states[:3, :40]), atol=1e-9)


def test_error_is_of_order_six(paths):
    states, times = paths.states[:, 0], np.array([0.0, 3.2])
    exact = roll_out(states, times, step=0.005)
    coarse, fine = (np.abs(roll_out(states, times, step=step) - exact).mean() for step in (0.1, 0.05))
    assert np.log2(coarse / fine) == pytest.approx(6, abs=0.4)


def test_trajectories_are_those_of_the_paper(paths):
    assert paths.states.shape == (20, 150, 12)
    np.testing.assert_allclose(paths.times, np.linspace(0, 29.8, 150))
    starts = initial_states(np.random.default_rng(2), 20_000)
    np.testing.assert_allclose(starts.mean(axis=0), [0, 0, -1.5, 0, 0, -3] + 6 * [0], atol=0.02)
    np.testing.assert_allclose(starts.std(axis=0), 6 * [0.2] + 6 * [0.4], rtol=0.03)
    again = trajectories(np.random.default_rng(0), 20)
    np.testing.assert_array_equal(again.states, paths.states)


def test_chunks_are_pieces_of_their_trajectories(paths):
    chunks = random_chunks(np.random.default_rng(3), paths, length=5)
    assert chunks.states.shape == (20, 5, 12)
    np.testing.assert_allclose(chunks.times, 0.2 * np.arange(5))
    pieces = paths.states.reshape(20, 30, 5, 12)
    found = (pieces == chunks.states[:, None]).all(axis=(2, 3))
    assert found.any(axis=1).all()
    assert len(set(np.argmax(found, axis=1))) > 8


def test_pieces_longer_than_the_trajectories_are_refused(paths):
    with pytest.raises(ValueError, match="1 to 150 states"):
        random_chunks(np.random.default_rng(0), paths, length=151)


def test_times_that_fall_are_refused():
    with pytest.raises(ValueError, match="expected times that do not decrease, got"):
        roll_out(np.ones((1, 12)), np.array([0.0, 0.2, 0.1]))


def test_relative_error():
    """The same state, one of three times the size, the opposite one, and one that blew up."""
    truth = np.ones((4, 12))
    predicted = np.array([1, 3, -1, np.nan])[:, None] * truth
    np.testing.assert_allclose(relative_error(predicted, truth), [1e-5, 2 / 4, 1, 1])
