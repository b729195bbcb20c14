import jax
import numpy as np
import pytest

from symjax.data.nbody import Systems, linear_baseline, nbody_graph, nbody_splits


@pytest.fixture(scope="module")
def splits():
    return nbody_splits(60, 40, 20)


def reference(shared, part):
    with np.load(shared / "data" / "nbody" / "nbody_small.npz", allow_pickle=False) as file:
        names = ("charges", "loc0", "vel0", "loc1")
        charges, *rest = (file[f"{part}_{name}"].astype(float) for name in names)
    return Systems(charges[..., 0], *rest)


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_reproduces_the_published_set(shared, splits, part):
    """All but the chaotic trajectories agree to the float32 that the reference is stored in."""
    ours = splits[part]
    theirs = jax.tree.map(lambda x: x[: len(ours.charges)], reference(shared, part))
    np.testing.assert_array_equal(ours.charges, theirs.charges)
    for ours_field, theirs_field in zip(ours[1:], theirs[1:], strict=True):
        close = np.abs(ours_field - theirs_field).max(axis=(1, 2)) < 1e-5
        assert close.mean() > 0.85
        assert np.median(np.abs(ours_field - theirs_field)) < 1e-7


def test_linear_baseline_of_the_published_set(shared):
    assert linear_baseline(reference(shared, "train"), reference(shared, "test")) == pytest.approx(0.0830, abs=1e-4)


def test_first_systems_do_not_depend_on_how_many_follow(splits):
    fewer = nbody_splits(5, 4, 3)
    for part, systems in fewer.items():
        jax.tree.map(
            lambda few, many: np.testing.assert_allclose(few, many[: len(few)], rtol=1e-6), systems, splits[part]
        )


def test_momentum_and_straight_lines(splits):
    """Total momentum is conserved: the centre of mass flies straight for one time unit."""
    systems = splits["train"]
    centre, velocity, target = (field.mean(axis=1) for field in systems[1:])
    errors = np.abs(centre + velocity - target).max(axis=1)
    assert np.median(errors) < 1e-12
    free = systems._replace(targets=systems.positions + 0.7 * systems.velocities)
    assert linear_baseline(free, free) < 1e-25


def test_graphs(splits):
    systems = jax.tree.map(lambda x: x[:3], splits["valid"])
    graph = nbody_graph(systems)
    assert (graph.n_node == 5).all()
    assert (graph.n_edge == 20).all()
    assert (np.diff(graph.receivers) >= 0).all()
    assert (graph.senders // 5 == graph.receivers // 5).all()
    assert (graph.senders != graph.receivers).all()
    charges, positions = systems.charges.ravel(), systems.positions.reshape(-1, 3)
    np.testing.assert_array_equal(graph.edges[:, 0], charges[graph.senders] * charges[graph.receivers])
    apart = positions[graph.senders] - positions[graph.receivers]
    np.testing.assert_allclose(graph.edges[:, 1], (apart**2).sum(axis=1))
    np.testing.assert_allclose(graph.nodes.features[:, 0], np.linalg.norm(graph.nodes.velocities, axis=1))


@pytest.mark.parametrize("counts", [(0, 1, 1), (10_001, 1, 1), (1, 1, 2001)])
def test_refuses_counts_the_benchmark_does_not_have(counts):
    with pytest.raises(ValueError, match="expected between 1 and"):
        nbody_splits(*counts)
