"""Equivariant linear layers: what they map, where a bias goes, how large their outputs start, what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import O13, SO, SU, O, S
from symjax.layers.matrix import EquivariantLinear
from symjax.layers.matrix.equivariant import field
from symjax.reps import Det, Scalar, T, V, summands
from symjax.solver import equivariant_maps
from tests.cases import start

KEY = jax.random.key(0)


def outputs(rep_in, rep_out, x, **options):
    params, apply = start(EquivariantLinear(rep_in, rep_out, **options), x[:1])
    return params["params"], apply(params, x)


def test_it_is_the_plans_map_and_the_invariant_bias():
    rep_in, rep_out = (V + T(2))(S(3)), (Scalar + V)(S(3))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((4, 12)))
    params, apply = start(EquivariantLinear(rep_in, rep_out), x)
    params = jax.tree.map(lambda p: jnp.asarray(np.random.default_rng(1).standard_normal(p.shape)), params)
    w = equivariant_maps(rep_in, rep_out).matrix(np.asarray(params["params"]["kernel"]))
    scalar, same = np.asarray(params["params"]["bias"])
    bias = np.array([scalar, *3 * [same / np.sqrt(3)]])
    np.testing.assert_allclose(apply(params, x), np.asarray(x) @ w.T + bias, atol=1e-12)
    rows = jax.jit(jax.vmap(apply, in_axes=(None, 0)))(params, x)
    np.testing.assert_allclose(rows, apply(params, x), atol=1e-12)


@pytest.mark.parametrize(
    ("rep_out", "size"), [(V(O(3)), 0), (T(2)(O(3)), 1), ((V + 2 * Scalar)(O(3)), 2), ((Det + V)(O(3)), 0)]
)
def test_a_bias_only_where_there_are_invariants(rep_out, size):
    x = jnp.ones((1, 13 + 1 + 3))
    params, _ = outputs((V + T(2) + Scalar + Det + Det * V)(O(3)), rep_out, x)
    assert params.keys() == ({"kernel", "bias"} if size else {"kernel"})
    assert not size or params["bias"].shape == (size,)
    assert outputs((V + T(2) + Scalar + Det + Det * V)(O(3)), rep_out, x, use_bias=False)[0].keys() == {"kernel"}


@pytest.mark.parametrize("rep", [(20 * Scalar + 7 * V + 3 * T(2))(O(3)), (5 * V + 3 * T(2))(S(4)), (9 * V)(SU(2))])
def test_every_tensor_starts_with_the_mean_square_of_the_input(rep):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, rep.size))
    if not rep.group.is_real:
        x = (x + 1j * rng.standard_normal(x.shape)) / np.sqrt(2)
    layer, x = EquivariantLinear(rep, rep), jnp.asarray(x)
    start = jax.jit(lambda key: jnp.abs(layer.apply(layer.init(key, x[:1]), x)) ** 2)
    squares = np.mean([start(jax.random.key(k)) for k in range(40)], axis=(0, 1))
    for part in summands(rep):
        assert np.mean(squares[part.places]) == pytest.approx(1, rel=0.3)


def test_precision_and_kind_follow_the_input():
    single = jnp.ones((2, 3), jnp.float32)
    params, y = outputs(V(O(3)), V, single)
    assert {params["kernel"].dtype, y.dtype} == {jnp.dtype(jnp.float32)}
    params, y = outputs((2 * Scalar)(SU(2)), Scalar + T(1, 1), single[:, :2])
    assert params["kernel"].shape == (2, 4)
    assert (params["kernel"].dtype, y.dtype) == (jnp.float32, jnp.complex64)
    assert outputs(V(O(3)), V, single.astype(jnp.complex64))[1].dtype == jnp.complex64


def test_numpy_inputs_take_the_precision_of_the_device():
    with jax.enable_x64(False):
        assert outputs(V(O(3)), V, np.ones((2, 3)))[1].dtype == jnp.float32
    with pytest.raises(TypeError, match="expected floating-point inputs, got int32"):
        field(O(3), np.int32)


def test_complex_data_of_a_real_group_have_all_complex_maps():
    params, y = outputs((2 * V)(O(3)), V, jnp.ones((1, 6), complex))
    assert params["kernel"].shape == (2, 2)
    assert np.abs(np.imag(y)).min() > 0


def test_the_same_key_gives_the_same_layer():
    x = jnp.ones((1, 12))
    first, second = (outputs((3 * V)(O13()), V + T(1, 1), x) for _ in range(2))
    np.testing.assert_array_equal(first[0]["kernel"], second[0]["kernel"])
    np.testing.assert_array_equal(first[1], second[1])


def test_gradients_at_zero():
    x = jnp.zeros((1, 4))
    params, apply = start(EquivariantLinear((Scalar + V)(O(3)), T(2)), x)
    gradients = jax.jit(jax.grad(lambda p, x: jnp.sum(apply(p, x) ** 2), argnums=(0, 1)))(params, x)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_what_has_no_map_or_no_group_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"zero is the only equivariant linear map .* add scalars or products"):
        EquivariantLinear((2 * V)(O(3)), Scalar).init(KEY, jnp.ones((1, 6)))
    with pytest.raises(ValueError, match=r"different factors of the group move them.* restrict\(rep, subgroup\)"):
        EquivariantLinear(V(SO(3)), V(O(3))).init(KEY, jnp.ones((1, 3)))
    with pytest.raises(ValueError, match="no group"):
        EquivariantLinear(V, V).init(KEY, jnp.ones((1, 3)))
    with pytest.raises(ValueError, match="expected vectors of shape"):
        EquivariantLinear(V(O(3)), V).init(KEY, jnp.ones((1, 4)))
