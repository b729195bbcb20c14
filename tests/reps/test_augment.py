"""Batches whose samples are moved one by one, with their labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, E, O, S
from symjax.reps import Det, Points, Scalar, Tree, Trivial, V, Vectors, augment

KEY = jax.random.key(0)


def test_labels_move_with_their_samples():
    x = jax.random.normal(KEY, (8, 6))
    y = jnp.concatenate([jnp.cross(x[:, :3], x[:, 3:]), jnp.sum(x[:, :3] * x[:, 3:], axis=1, keepdims=True)], axis=1)
    moved, label = jax.jit(augment((2 * V)(O(3)), Det * V + Scalar))(KEY, x, y)
    np.testing.assert_allclose(jnp.cross(moved[:, :3], moved[:, 3:]), label[:, :3], atol=1e-12)
    np.testing.assert_allclose(label[:, 3], y[:, 3], atol=1e-12)
    assert np.abs(moved - x).max(axis=1).min() > 1e-3


def test_each_sample_has_its_own_element_and_half_of_them_reflect():
    x = jnp.broadcast_to(jnp.eye(3).ravel(), (6, 9))
    turned, sign = augment((3 * V)(O(3)), Det)(KEY, x, jnp.ones((6, 1)))
    np.testing.assert_allclose(sign[:, 0], [1, -1, 1, -1, 1, -1], atol=1e-12)
    np.testing.assert_allclose(jnp.linalg.det(turned.reshape(6, 3, 3)), sign[:, 0], atol=1e-12)
    assert len(np.unique(np.round(turned, 6), axis=0)) == 6


def test_groups_meet_and_other_representations_name_theirs():
    x, y = jnp.ones((4, 5, 3)), jnp.ones((4, 3))
    moved, _ = augment(V(S(5)) * V(SO(3)), V(SO(3)))(KEY, x.reshape(4, 15), y)
    assert moved.shape == (4, 15)
    rep = Tree({"x": Points(), "charge": Trivial()})
    moved, force = augment(rep, Vectors(), E(3))(KEY, {"x": x, "charge": x[..., 0]}, x)
    np.testing.assert_array_equal(moved["charge"], 1)
    np.testing.assert_allclose(jnp.linalg.norm(force, axis=-1), 3**0.5)


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (lambda: augment(Points(), Vectors()), "expected a group that moves points and vectors"),
        (lambda: augment(V, V), "no group yet"),
        (lambda: augment(V(O(3)), V)(KEY, jnp.ones((2, 3)), jnp.ones((3, 3))), "one number of samples"),
        (lambda: augment(V(O(3)), V)(KEY, jnp.ones(()), jnp.ones((3, 3))), "one number of samples"),
    ],
)
def test_what_cannot_be_moved_is_refused(use, sentence):
    with pytest.raises(ValueError, match=sentence):
        use()
