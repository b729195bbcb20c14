"""The law of linear maps is exact: it sees what sampled elements miss, for real, complex and product groups."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, SU, DirectProduct, O, RubiksCube, S, Z
from symjax.laws import Equivariance, Intertwining, check
from symjax.layers.matrix import EquivariantLinear
from symjax.reps import Scalar, T, V, restrict
from symjax.solver import equivariant_maps

KEY = jax.random.key(0)


def vectors(rep, count=2):
    real, imaginary = np.random.default_rng(0).standard_normal((2, count, rep.size))
    return jnp.asarray(real if rep.group.is_real else real + 1j * imaginary)


def lawful_map(rep_in, rep_out):
    """A random equivariant matrix."""
    plan = equivariant_maps(rep_in, rep_out)
    return jnp.asarray(plan.matrix(np.random.default_rng(1).standard_normal(plan.dim)))


def verdict(fn, rep_in, rep_out):
    law = Intertwining(rep_in, rep_out)
    [entry] = check(fn, vectors(law.rep_in), key=KEY, laws=[law]).entries
    return entry.verdict


PAIRS = {
    "O(3)": ((Scalar + V + T(2))(O(3)), (V + T(2))(O(3))),
    "S(4)": ((V + T(2))(S(4)), T(2)(S(4))),
    "SU(2)": ((V + T(1, 1))(SU(2)), (V.T + T(1, 1))(SU(2))),
    "a product": (V(SO(2)) * V(S(3)), V(SO(2)) * V(S(3)) + V(SO(2))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_generator_is_looked_at(name):
    rep_in, rep_out = PAIRS[name]
    w = lawful_map(rep_in, rep_out)
    assert verdict(lambda x: x @ w.T, rep_in, rep_out) == "obeyed"
    nudged = w.at[0, 0].add(1e-8)
    assert verdict(lambda x: x @ nudged.T, rep_in, rep_out) == "BROKEN"


@pytest.mark.parametrize(
    "fn",
    [
        pytest.param(lambda x: x**3, id="not affine"),
        pytest.param(jnp.abs, id="affine in pieces"),
        pytest.param(lambda x: x + jnp.arange(4.0), id="a bias that moves"),
        pytest.param(lambda x: x.at[0].multiply(jnp.arange(4.0)), id="one row of several"),
        pytest.param(lambda x: x + jnp.roll(x, 1, axis=0) * jnp.arange(4.0), id="one row by another"),
    ],
)
def test_what_is_no_lawful_linear_map(fn):
    with jax.numpy_rank_promotion("allow"):
        assert verdict(fn, V(S(4)), V(S(4))) == "BROKEN"


def test_rows_may_mix_and_a_bias_may_be_invariant():
    assert verdict(lambda x: x + 2 * jnp.roll(x, 1, axis=0) + 3, V(S(4)), V(S(4))) == "obeyed"


def test_a_subgroup_that_happens_to_be_sampled_does_not_pass_for_the_group():
    """Cyclic shifts generate few of the permutations: a convolution is equivariant under them and no others."""

    class Shifts(type(S(5))):
        def sample(self, key, component=0):
            return Z(5).sample(key, component)

    careless = Shifts(5)
    assert careless == S(5)

    def convolution(x):
        return x + 2 * jnp.roll(x, 1, axis=-1)

    sampled, exact = Equivariance(careless, V(careless), V(careless)), Intertwining(V(careless), V(careless))
    report = check(convolution, vectors(V(S(5))), key=KEY, laws=[sampled, exact])
    assert [entry.verdict for entry in report.entries] == ["BROKEN", "BROKEN"]
    assert verdict(convolution, V(Z(5)), V(Z(5))) == "obeyed"


def test_only_complex_linear_maps_of_complex_representations():
    rep = V(SU(2))
    flip = jnp.array([[0.0, 1.0], [-1.0, 0.0]], complex)
    assert verdict(lambda x: jnp.conj(x) @ flip.T, rep, rep) == "BROKEN"  # equivariant, but antilinear
    assert check(lambda x: jnp.conj(x) @ flip.T, vectors(rep), key=KEY, laws=[Equivariance.between(rep, rep)])
    assert verdict(lambda x: 1j * x, rep, rep) == "obeyed"
    numbers = (2 * Scalar)(SU(2))
    assert verdict(jnp.conj, numbers, numbers) == "BROKEN"
    assert verdict(lambda x: x.real.astype(complex), numbers, numbers) == "BROKEN"
    assert verdict(lambda x: x[..., ::-1], numbers, numbers) == "obeyed"
    bent = check(lambda x: jax.lax.complex(x, x**3), jnp.ones((2, 2)), key=KEY, laws=[Intertwining(numbers, numbers)])
    assert bent.entries[0].verdict == "BROKEN"
    assert check(EquivariantLinear(rep, rep), jnp.array([1.0, 2.0]), key=KEY)


def test_one_factor_of_a_product_is_not_enough():
    rep = V(SO(2)) * V(S(3))
    mixed = jnp.kron(jnp.array([[1.0, 2.0], [-2.0, 1.0]]), jnp.diag(jnp.arange(3.0)))
    assert isinstance(rep.group, DirectProduct)
    assert verdict(lambda x: x @ mixed.T, rep, rep) == "BROKEN"
    assert verdict(lambda x: x @ mixed.T, restrict(V(SO(2)), SO(2)) * (3 * Scalar), 3 * V(SO(2))) == "BROKEN"


def test_a_large_finite_group_by_its_generators():
    rep = V(RubiksCube())
    assert verdict(lambda x: x + jnp.roll(x, 1, axis=-1), rep, rep) == "BROKEN"
    assert verdict(lambda x: x + jnp.sum(x, axis=-1, keepdims=True) * jnp.ones_like(x), rep, rep) == "obeyed"


def test_laws_compose_where_the_middle_agrees():
    first, second = Intertwining(V(O(3)), T(2)(O(3))), Intertwining(T(2)(O(3)), Scalar)
    assert first.then(second) == Intertwining(V(O(3)), Scalar)
    with pytest.raises(TypeError, match="expected the second map to take"):
        first.then(first)


def test_the_layer_declares_it_and_it_reads_as_one_line():
    layer = EquivariantLinear((Scalar + V)(O(3)), V + T(2))
    report = check(layer, vectors((Scalar + V)(O(3))), key=KEY)
    assert report
    assert "generators of O(3): linear, Scalar+V -> V+V**2" in str(report)


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="no group"):
        Intertwining(V, V)
    with pytest.raises(ValueError, match=r"expected 3 numbers .* got \(2, 4\)"):
        Intertwining(V(O(3)), V(O(3))).residual(lambda x: x, jnp.ones((2, 4)), KEY)
