import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import excluded, fourier_basis, frequency_shares, of_sum, restricted


def angles(p, k):
    x = np.arange(p)
    return 2 * np.pi * k * x[:, None] / p, 2 * np.pi * k * x[None] / p


@pytest.mark.parametrize("p", [1, 2, 7, 8])
def test_the_basis_is_orthonormal(p):
    np.testing.assert_allclose(fourier_basis(p) @ fourier_basis(p).T, np.eye(p), atol=1e-14)


@pytest.mark.parametrize("p", [7, 8])
def test_shares_name_the_frequency_of_a_neuron_and_ignore_its_mean(p):
    (x, y), (u, v) = angles(p, 2), angles(p, 3)
    noise = np.random.default_rng(0).normal(size=(p, p))
    neurons = np.stack([5 + np.cos(x) * np.sin(y) + np.sin(x), np.cos(u) + np.cos(x) * np.sin(v), 0 * x * y, noise], -1)
    shares = np.asarray(frequency_shares(jnp.asarray(neurons)))
    np.testing.assert_allclose(shares[:, 0], np.arange(p // 2 + 1) == 2, atol=1e-14)
    np.testing.assert_allclose(shares[3, 1], 2 / 3, atol=1e-14)
    assert not shares[:, 2].any()
    assert (shares[0] == 0).all()
    assert (shares[1:, 3] > 0).all()
    assert shares[:, 3].sum() < 1


@pytest.mark.parametrize("p", [7, 8])
def test_all_frequencies_of_the_sum_are_the_mean_over_equal_sums(p):
    function = np.random.default_rng(1).normal(size=(p, p, 3))
    sums = (np.arange(p)[:, None] + np.arange(p)[None]) % p
    means = np.stack([function[sums == s].mean(axis=0) for s in range(p)])
    np.testing.assert_allclose(of_sum(jnp.asarray(function), np.ones(p // 2 + 1, bool)), means[sums], atol=1e-13)


def test_restricted_and_excluded_logits_are_what_the_definition_says():
    p, key = 7, np.array([False, False, True, False])
    x, y = angles(p, 2)
    u, v = angles(p, 1)
    used, unused, other = np.cos(x + y), np.sin(u + v), np.cos(x) * np.cos(v)
    logits = (3 + used + 2 * unused + 4 * other)[..., None]
    np.testing.assert_allclose(restricted(jnp.asarray(logits), key)[..., 0], 3 + used, atol=1e-13)
    np.testing.assert_allclose(excluded(jnp.asarray(logits), key)[..., 0], 3 + 2 * unused + 4 * other, atol=1e-13)
