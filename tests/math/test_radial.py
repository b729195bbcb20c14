import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.math import (
    bessel_basis,
    bessel_roots,
    cosine_envelope,
    exp_normal_basis,
    gaussian_basis,
    poly_envelope,
    xplor_envelope,
)

RC = 4.0
BASES = [bessel_basis, gaussian_basis, exp_normal_basis]
XPLOR = functools.partial(xplor_envelope, onset=3.0)
ENVELOPES = [poly_envelope, cosine_envelope, XPLOR]
R = jnp.linspace(0.3, 3.9, 7)


def test_bessel_is_its_formula_and_orthonormal_in_the_ball():
    n = np.arange(1, 6)
    expected = np.sqrt(2 / RC) * np.sin(n * np.pi * np.asarray(R)[:, None] / RC) / np.asarray(R)[:, None]
    np.testing.assert_allclose(bessel_basis(R, cutoff=RC, count=5), expected, rtol=1e-12, atol=1e-14)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    r = jnp.asarray((nodes + 1) * RC / 2)
    b = bessel_basis(r, cutoff=RC, count=5)
    np.testing.assert_allclose(jnp.einsum("r,rn,rm->nm", weights * RC / 2 * r**2, b, b), np.eye(5), atol=1e-12)


def test_gaussian_and_exp_normal_are_their_formulas():
    mu = np.linspace(0, RC, 5)
    expected = np.exp(-((np.asarray(R)[:, None] - mu) ** 2) / 2)
    np.testing.assert_allclose(gaussian_basis(R, cutoff=RC, count=5), expected)
    mu = np.linspace(np.exp(-RC), 1, 5)
    beta = (2 / 5 * (1 - np.exp(-RC))) ** -2
    expected = np.exp(-beta * (np.exp(-np.asarray(R)[:, None]) - mu) ** 2)
    np.testing.assert_allclose(exp_normal_basis(R, cutoff=RC, count=5), expected)


@pytest.mark.parametrize("basis", BASES, ids=lambda f: f.__name__)
def test_bases_are_finite_at_zero_distance_with_two_derivatives(basis):
    def fn(r):
        return basis(r, cutoff=RC, count=6)

    derivatives = jax.jit(lambda r: jnp.stack([fn(r), jax.jacfwd(fn)(r), jax.jacfwd(jax.jacrev(fn))(r)]))
    assert jnp.isfinite(derivatives(jnp.array(0.0))).all()
    np.testing.assert_allclose(derivatives(jnp.array(0.0)), derivatives(jnp.array(1e-4)), rtol=1e-2, atol=1e-2)


def _derivatives(envelope, order):
    def fn(r):
        return envelope(r, cutoff=RC)

    for _ in range(order):
        fn = jax.grad(fn)
    return jax.jit(jax.vmap(fn))


@pytest.mark.parametrize(("envelope", "smooth"), [(poly_envelope, 2), (cosine_envelope, 1), (XPLOR, 1)])
def test_envelopes_vanish_at_and_beyond_the_cutoff_with_every_derivative(envelope, smooth):
    for order in range(4):
        values = _derivatives(envelope, order)(jnp.array([0, RC - 1e-7, RC, RC + 1e-9, 1e3, 1e200]))
        assert (values[2:] == 0).all()
        assert order > smooth or abs(values[1]) < 1e-5
        assert order != smooth + 1 or abs(values[1]) > 1e-2
        np.testing.assert_allclose(values[0], {0: 1, 1: 0}.get(order, values[0]), atol=1e-15)


def test_poly_envelope_is_its_formula():
    d = np.asarray(R) / RC
    np.testing.assert_allclose(poly_envelope(R, cutoff=RC), 1 - 28 * d**6 + 48 * d**7 - 21 * d**8, atol=1e-13)


def test_xplor_is_its_formula_with_one_derivative_at_the_onset():
    r, ro = np.asarray(R), 3.0
    expected = (RC**2 - r**2) ** 2 * (RC**2 + 2 * r**2 - 3 * ro**2) / (RC**2 - ro**2) ** 3
    np.testing.assert_allclose(XPLOR(R, cutoff=RC), np.where(r < ro, 1, expected), atol=1e-13)
    slopes = _derivatives(XPLOR, 1)(jnp.array([ro - 1e-7, ro, ro + 1e-7]))
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_trained_roots_take_the_place_of_those_of_the_cutoff():
    roots = bessel_roots(cutoff=RC, count=5, dtype=R.dtype)
    np.testing.assert_allclose(roots, np.arange(1, 6) * np.pi / RC)
    np.testing.assert_array_equal(bessel_basis(R, cutoff=RC, count=5, roots=roots), bessel_basis(R, cutoff=RC, count=5))
    moved = bessel_basis(R, cutoff=RC, count=5, roots=1.1 * roots)
    np.testing.assert_allclose(moved, np.sqrt(2 / RC) * np.sin(1.1 * np.outer(R, roots)) / np.asarray(R)[:, None])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_keep_shape_and_dtype(dtype):
    r = jnp.ones((2, 3), dtype)
    for basis in BASES:
        assert (basis(r, cutoff=RC, count=4).shape, basis(r, cutoff=RC, count=4).dtype) == ((2, 3, 4), dtype)
    for envelope in ENVELOPES:
        assert (envelope(r, cutoff=RC).shape, envelope(r, cutoff=RC).dtype) == ((2, 3), dtype)
