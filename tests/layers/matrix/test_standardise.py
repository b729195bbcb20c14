"""Standardisation moves data to zero mean and unit size as far as the symmetry allows, and back."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, O, S, Trivial
from symjax.laws import check
from symjax.layers.matrix import EquivariantLinear, Standardise, fit_standard, restore, standardise
from symjax.reps import Scalar, T, V
from tests.cases import start

REP = (2 * Scalar + 2 * V + T(2))(O(3))
SCALE = np.array([5.0, 0.1, *3 * [2.0], *3 * [30.0], *9 * [7.0]])
CENTRE = np.array([10.0, -3.0, *6 * [0.0], *(4 * np.eye(3).ravel())])
DATA = CENTRE + SCALE * np.random.default_rng(0).standard_normal((4000, 17))


def test_the_mean_is_invariant_and_each_tensor_has_one_scale():
    standard = fit_standard(REP, DATA + np.eye(17)[2])  # a vector with a mean keeps it
    np.testing.assert_allclose(standard.mean, CENTRE, atol=0.3)
    np.testing.assert_allclose(standard.mean[2:8], 0, atol=1e-12)
    np.testing.assert_allclose(standard.mean[8:], standard.mean[8] * np.eye(3).ravel(), atol=1e-12)
    np.testing.assert_allclose(standard.scale[5:], SCALE[5:], rtol=0.05)
    assert np.unique(standard.scale[2:5]).size == np.unique(standard.scale[8:]).size == 1


def test_there_and_back():
    standard = fit_standard(REP, DATA)
    rows = jnp.asarray(DATA[:5])
    np.testing.assert_allclose(restore(standard, standardise(standard, rows)), rows, rtol=1e-12)
    unit = standardise(standard, jnp.asarray(DATA))
    np.testing.assert_allclose(np.mean(unit**2, axis=0), 1, rtol=0.15)
    assert standardise(standard, rows.astype(jnp.float32)).dtype == jnp.float32


def test_permuted_numbers_share_mean_and_scale():
    data = np.arange(8.0).reshape(2, 4)
    standard = fit_standard(V(S(4)), data)
    np.testing.assert_allclose(standard.mean, 3.5)
    np.testing.assert_allclose(standard.scale, data.std())


def test_without_symmetry_it_is_the_ordinary_one():
    standard = fit_standard((3 * Scalar)(Trivial(1)), DATA[:, :3])
    np.testing.assert_allclose(standard.mean, DATA[:, :3].mean(axis=0))
    np.testing.assert_allclose(standard.scale, DATA[:, :3].std(axis=0))


def test_constant_data_are_not_divided_by_zero():
    np.testing.assert_array_equal(fit_standard((2 * Scalar)(O(3)), np.ones((5, 2))).scale, 1)
    nearly = np.full((1000, 2), 0.1) + 1e-5 * np.random.default_rng(0).standard_normal((1000, 2)) * [1e-9, 1]
    np.testing.assert_allclose(fit_standard((2 * Scalar)(O(3)), nearly).scale, [1, 1e-5], rtol=0.1)


def test_a_complex_mean_makes_real_numbers_complex():
    standard = fit_standard((2 * Scalar)(O(3)), DATA[:, :2] + 3j)
    rows = jnp.asarray(DATA[:5, :2], jnp.float32)
    unit = standardise(standard, rows)
    assert unit.dtype == jnp.complex64
    np.testing.assert_allclose(unit.imag, np.broadcast_to(-3 / standard.scale, (5, 2)), rtol=1e-5)
    np.testing.assert_allclose(restore(standard, jnp.zeros((1, 2))).imag, 3)


def test_a_model_between_standards_works_in_natural_units():
    rep = (2 * Scalar)(O(3))
    inputs, outputs = fit_standard(rep, DATA[:, :2]), fit_standard(rep, DATA[:, [1, 0]])
    rows = jnp.asarray(DATA[:4, :2])
    params, apply = start(Standardise(nn.Dense(2, param_dtype=float), inputs, outputs), rows)
    swapped = {"params": {"model": {"kernel": jnp.array([[0.0, 1.0], [1.0, 0.0]]), "bias": jnp.zeros(2)}}}
    assert jax.tree.structure(params) == jax.tree.structure(swapped)
    np.testing.assert_allclose(apply(swapped, rows), rows[:, ::-1], rtol=1e-12)


def test_data_standardised_as_something_else_are_refused():
    x, vectors = DATA[:, 2:8], (2 * V)(O(3))
    numbers = fit_standard((6 * Scalar)(O(3)), x)
    with pytest.raises(ValueError, match=r"expected data standardised as \(2\*V\)\(O\(3\)\), .* got"):
        Standardise(EquivariantLinear(vectors, vectors), numbers, numbers).laws(x)


def test_models_of_several_groups_take_data_of_one():
    points, sums = V(SO(3)) * V(S(5)), V(SO(3))
    x = np.random.default_rng(0).standard_normal((50, 15))
    standards = fit_standard(points, x), fit_standard(sums, x[:, ::5])
    assert check(Standardise(EquivariantLinear(points, sums), *standards), x[:3], key=jax.random.key(0))


def test_data_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"expected 2 numbers .* got \(4000, 17\)"):
        fit_standard((2 * Scalar)(O(3)), DATA)


def test_data_that_say_nothing_are_refused():
    rep = (2 * Scalar)(O(3))
    with pytest.raises(ValueError, match="finite numbers, got no samples"):
        fit_standard(rep, DATA[:0, :2])
    with pytest.raises(ValueError, match="finite numbers, got 4000 that are not"):
        fit_standard(rep, DATA[:, :2] * [1, np.nan])
