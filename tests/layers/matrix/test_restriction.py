"""Trained layers cut down to a subgroup, or carried to a larger group: the same functions."""

import jax
import numpy as np
import pytest

from symjax import check
from symjax.groups import SO, SU, Alt, C, D, GeneratedGroup, O, S, SO2eR3, Z
from symjax.layers.matrix import EquivariantLinear, induce_linear, restrict_linear
from symjax.reps import Det, Scalar, T, V
from symjax.solver import equivariant_maps, induce_maps, restrict_maps

KEY = jax.random.key(0)
PHASES = GeneratedGroup(generators=[np.diag([1j, -1j])])
PAIRS = [
    ((2 * V + T(2) + Scalar)(O(3)), (V + 2 * Scalar)(O(3)), SO(3)),
    ((V + T(2))(SO(3)), (T(2) + Scalar)(SO(3)), SO2eR3()),
    (T(2)(S(4)), (V + Scalar)(S(4)), Z(4)),
    (V(SO(3)) * V(S(3)), (V + Scalar)(SO(3)) * V(S(3)), SO2eR3() * Z(3)),
    ((V + T(1, 1))(SU(2)), (V + Scalar)(SU(2)), PHASES),
]


def trained(rep_in, rep_out):
    """A layer with random weights, as if they were learnt, and inputs."""
    layer = EquivariantLinear(rep_in, rep_out)
    x = np.random.default_rng(0).normal(size=(4, rep_in.size)).astype(float if layer.rep_in.group.is_real else complex)
    variables = jax.jit(layer.init)(KEY, x)
    leaves, form = jax.tree.flatten(variables)
    drawn = [
        jax.random.normal(key, leaf.shape) for key, leaf in zip(jax.random.split(KEY, len(leaves)), leaves, strict=True)
    ]
    return layer, jax.tree.unflatten(form, drawn), x


@pytest.mark.parametrize(("rep_in", "rep_out", "subgroup"), PAIRS, ids=str)
def test_a_layer_cut_down_to_a_subgroup_computes_the_same(rep_in, rep_out, subgroup):
    layer, variables, x = trained(rep_in, rep_out)
    smaller, cut = restrict_linear(layer, variables, subgroup)
    assert smaller.rep_in.group == subgroup
    assert jax.tree.map(np.shape, cut) == jax.tree.map(np.shape, jax.eval_shape(smaller.init, KEY, x))
    np.testing.assert_allclose(smaller.apply(cut, x), layer.apply(variables, x), atol=1e-12)
    assert cut["params"]["kernel"].size > variables["params"]["kernel"].size


@pytest.mark.parametrize(
    ("rep_in", "rep_out", "group"),
    [((2 * V + Det)(C(4)), (V + Scalar)(C(4)), D(4)), (V(Alt(4)), (V + Scalar)(Alt(4)), S(4))],
    ids=str,
)
def test_a_layer_on_every_coset_is_one_of_the_larger_group(rep_in, rep_out, group):
    layer, variables, x = trained(rep_in, rep_out)
    larger, carried = induce_linear(layer, variables, group)
    assert larger.rep_in.group == group
    y = larger.apply(carried, np.concatenate([x, -x], axis=1))
    expected = [layer.apply(variables, part) for part in (x, -x)]
    np.testing.assert_allclose(y, np.concatenate(expected, axis=1), atol=1e-12)
    check(larger, np.concatenate([x, -x], axis=1), key=KEY).raise_if_broken()


def test_weights_alone_are_restricted_and_induced():
    plan = equivariant_maps(T(2)(O(2)), V(O(2)) * V(O(2)))
    weights = np.arange(1.0, plan.dim + 1)
    smaller, fewer = restrict_maps(plan, weights, D(4))
    assert smaller.dim > plan.dim
    np.testing.assert_allclose(smaller.matrix(fewer), plan.matrix(weights), atol=1e-12)
    larger, more = induce_maps(smaller, fewer, D(8))
    np.testing.assert_allclose(larger.matrix(more), np.kron(np.eye(2), plan.matrix(weights)), atol=1e-12)
    _, rounded = restrict_maps(plan, weights.astype(np.float32), D(4))
    np.testing.assert_allclose(rounded, fewer, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (lambda plan: restrict_maps(plan, np.ones(plan.dim), O(3)), "no element of the group"),
        (lambda plan: restrict_maps(plan, np.ones(plan.dim), S(4)), "expected matrices of its size"),
        (lambda plan: restrict_maps(plan, np.ones(plan.dim + 1), SO(3)), "expected coefficients of shape"),
        (lambda plan: induce_maps(plan, np.ones(plan.dim), O(3)), "a finite group"),
    ],
)
def test_what_is_no_subgroup_is_refused(use, sentence):
    with pytest.raises(ValueError, match=sentence):
        use(equivariant_maps(V(SO(3)), V(SO(3))))
