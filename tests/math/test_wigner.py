import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from symjax.math import by_order, frames, wigner_matrices

ROTATIONS = jnp.asarray(Rotation.random(4, random_state=0).as_matrix())
VECTORS = np.concatenate([np.random.default_rng(0).normal(size=(5, 3)), [[0, 2, 0], [0, -2, 0], [1e-12, -1, 0]]])


def test_agrees_with_e3nn_up_to_degree_11_and_is_orthogonal_beyond():
    ours = jax.jit(lambda r: wigner_matrices(14, r))(ROTATIONS)
    for degree, matrices in enumerate(ours):
        np.testing.assert_allclose(
            matrices @ matrices.swapaxes(1, 2), np.tile(np.eye(2 * degree + 1), (4, 1, 1)), atol=1e-13
        )
    expected = jax.jit(lambda r: [e3nn.Irrep(degree, 1).D_from_matrix(r) for degree in range(12)])(ROTATIONS)
    for ours_of_degree, theirs in zip(ours, expected, strict=False):
        np.testing.assert_allclose(ours_of_degree, theirs, atol=1e-12)


def test_rows_of_few_orders_are_rows():
    full, few = (jax.jit(lambda r, m=m: wigner_matrices(6, r, m_max=m))(ROTATIONS) for m in (6, 2))
    for degree, (all_rows, rows) in enumerate(zip(full, few, strict=True)):
        kept = slice(max(0, degree - 2), degree + min(degree, 2) + 1)
        np.testing.assert_allclose(rows, all_rows[:, kept], atol=1e-13)
    assert wigner_matrices(3, ROTATIONS, m_max=0)[3].shape == (4, 1, 7)


def test_frames_take_edges_to_the_pole():
    turn = jnp.arange(8.0)
    for rotations in (frames(jnp.asarray(VECTORS)), frames(jnp.asarray(VECTORS), turn=turn)):
        lengths = np.linalg.norm(VECTORS, axis=1)
        moved = np.einsum("eij,ej->ei", rotations, VECTORS)
        np.testing.assert_allclose(moved, lengths[:, None] * np.array([[0, 1, 0]]), atol=1e-15)
        np.testing.assert_allclose(np.linalg.det(rotations), 1)
    assert (frames(jnp.zeros((1, 3)), turn=jnp.ones(1)) == 0).all()


def test_orders_turn_about_the_pole_like_cosine_and_sine():
    """A turn from z to x by t moves (m, -m) by m t."""
    (matrix,) = wigner_matrices(3, frames(jnp.array([[0.0, 1.0, 0.0]]), turn=jnp.array([0.3])))[3]
    for m in (1, 2, 3):
        plane = np.ix_([3 + m, 3 - m], [3 + m, 3 - m])
        c, s = np.cos(0.3 * m), np.sin(0.3 * m)
        np.testing.assert_allclose(matrix[plane], [[c, -s], [s, c]], atol=1e-15)


def test_rows_order_by_order():
    assert by_order(2, 1).tolist() == [0, 2, 6, 3, 7, 1, 5]
    assert sorted(by_order(4, 4)) == list(range(25))


def test_orders_beyond_the_degree_are_refused():
    with pytest.raises(ValueError, match="got m_max=3, l_max=2"):
        wigner_matrices(2, ROTATIONS, m_max=3)
