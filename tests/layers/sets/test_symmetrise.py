import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from symjax import check
from symjax.groups import SO, Alt, D, MatrixGroup, PermutationGroup, RubiksCube, S, Z, finite_elements
from symjax.laws import Equivariance, Expectation
from symjax.layers.sets import symmetrise
from symjax.reps import Axis, Tree, Trivial, V, Vectors

KEY = jax.random.key(3)
WEIGHTS = jnp.asarray(np.random.default_rng(0).standard_normal((4, 3)))


def bent(x):
    """Knows the place of every number."""
    return jnp.cos(x * WEIGHTS[: x.shape[0], : x.shape[1]] + jnp.cumsum(x, axis=0) ** 2)


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3), static_argnames=("chunk", "elements", "stacked"))
def averaged(fn, group: MatrixGroup, rep_in, rep_out, x, key=None, **options):
    return symmetrise(fn, group, rep_in, rep_out, x, key=key, **options)


X = jnp.asarray(np.random.default_rng(1).standard_normal((4, 3)))


@pytest.mark.parametrize("chunk", [5, 24])
def test_it_is_the_mean_over_all_permutations(chunk):
    found = averaged(bent, S(4), Axis(0), Axis(0), X, chunk=chunk)
    orders = [np.array(g) for g in itertools.permutations(range(4))]
    mean = np.mean([bent(X[np.argsort(g)])[g] for g in orders], axis=0)
    np.testing.assert_allclose(found, mean, rtol=0, atol=1e-12)


def test_it_is_the_mean_over_all_matrices():
    found = averaged(bent, D(5), Vectors(), Vectors(), X[:, :2], chunk=4)
    elements = list(finite_elements(D(5).generators, 2).values())
    assert len(elements) == 10
    mean = np.mean([bent(X[:, :2] @ g) @ g.T for g in elements], axis=0)
    np.testing.assert_allclose(found, mean, rtol=0, atol=1e-12)


def test_members_and_their_mask_are_permuted_together():
    def of_those_there(pair):
        members, mask = pair
        return jnp.sum(bent(jnp.where(mask[:, None], members, 0)))

    mask = jnp.array([True, False, True, True])
    found = averaged(of_those_there, S(4), Axis(0), Trivial(), (X, mask))
    g = np.array([2, 0, 3, 1])
    elsewhere = X.at[1].set(7.0)[g]  # in another order, and with other padding
    np.testing.assert_allclose(
        averaged(of_those_there, S(4), Axis(0), Trivial(), (elsewhere, mask[g])), found, atol=1e-12
    )


def test_trees_products_and_linear_representations_are_moved():
    group = Alt(3) * D(2)
    rep = V(Alt(3)) * V(D(2))
    x = X.ravel()[: rep.size]
    found = averaged(lambda x: (x[0] * x**2, x[1]), group, rep, Tree((rep, Trivial())), x, chunk=5)
    pairs = itertools.product(
        finite_elements(Alt(3).generators, 3).values(), finite_elements(D(2).generators, 2).values()
    )
    matrices = [np.kron(p, g) for p, g in pairs]
    views = [(m, m.T @ x) for m in matrices]
    np.testing.assert_allclose(found[0], np.mean([m @ (y[0] * y**2) for m, y in views], axis=0), atol=1e-12)
    np.testing.assert_allclose(found[1], np.mean([y[1] for _, y in views]), atol=1e-12)


def test_a_stack_of_inputs_is_taken_at_once():
    def first(x):
        return jnp.tanh(x[..., 0, 0] * x[..., 1, 2])

    stack = jnp.stack([X, -X, 2 * X]).astype(jnp.float32)
    together = averaged(first, S(4), Axis(0), Trivial(), stack, chunk=10, stacked=True)
    assert together.dtype == jnp.float32
    pairs = list(itertools.permutations(range(4), 2))
    np.testing.assert_allclose(together, [np.mean([np.tanh(x[a, 0] * x[b, 2]) for a, b in pairs]) for x in stack], 1e-5)


def test_gradients_are_those_of_the_mean_and_keep_little():
    def loss(weights, x):
        return symmetrise(lambda x: jnp.sum(jnp.tanh(x @ weights)[0]), S(6), Axis(0), Trivial(), x, chunk=40)

    x = jnp.asarray(np.random.default_rng(2).standard_normal((6, 3)))
    program = jax.jit(jax.grad(loss)).lower(WEIGHTS[:3], x).compile()
    exact = jax.grad(lambda weights: jnp.sum(jnp.tanh(x @ weights)) / 6)(WEIGHTS[:3])
    np.testing.assert_allclose(program(WEIGHTS[:3], x), exact, atol=1e-12)
    memory = program.memory_analysis()
    assert memory is not None
    assert memory.temp_size_in_bytes < 720 * x.nbytes, "not every pass is kept"


@pytest.mark.parametrize("numbers", [1, 2], ids=["summed beside the value", "by another evaluation"])
def test_derivatives_of_every_order_are_those_of_the_mean(numbers):
    def curvature(mean):
        def loss(weights, stack):
            return jnp.sum(mean(lambda stack: jnp.sin(stack[:, :2, 0] * stack[:, 1:, 1] @ weights), stack) ** 3)

        return jax.jit(jax.hessian(loss, (0, 1)))

    def each(fn, stack):
        return sum(fn(stack[:, list(g)]) for g in itertools.permutations(range(3))) / 6

    def ours(fn, stack):
        return symmetrise(fn, S(3), Axis(0), Trivial(), stack, chunk=4, stacked=True)

    arguments = WEIGHTS[:2, :numbers], jnp.stack([X[:3, :2], X[1:, 1:]])
    found, expected = (curvature(mean)(*arguments) for mean in (ours, each))
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-12), found, expected)


def test_a_cyclic_mean_is_no_symmetric_one():
    found = averaged(bent, Z(4), Axis(0), Axis(0), X)
    turn, swap = np.array([1, 2, 3, 0]), np.array([1, 0, 2, 3])
    np.testing.assert_allclose(averaged(bent, Z(4), Axis(0), Axis(0), X[turn]), found[turn], atol=1e-12)
    assert np.abs(averaged(bent, Z(4), Axis(0), Axis(0), X[swap]) - found[swap]).max() > 0.1


def test_some_elements_are_right_on_average():
    def sampled(pair):
        return symmetrise(bent, S(4), Axis(0), Axis(0), pair[0], elements=3, key=pair[1])

    law = Expectation(Equivariance(S(4), Axis(0), Axis(0)))
    (entry,) = check(sampled, (X, KEY), key=KEY, laws=[law]).entries
    assert entry.verdict == "obeyed"
    assert entry.spread > 0.05


def test_random_elements_are_uniform():
    """By the chi-square of how often each element of a product moved a vector that all move differently."""
    group, each = D(3) * Z(2), 400
    rep = V(D(3)) * V(Z(2))
    vector = jnp.array([0.1, 0.3, 0.7, 1.6])
    keys = jax.random.split(KEY, 12 * each)
    view = lambda key: symmetrise(lambda x: x, group, rep, Trivial(), vector, elements=1, key=key)  # noqa: E731
    views, counts = np.unique(np.round(jax.jit(jax.vmap(view))(keys), 6), axis=0, return_counts=True)
    assert len(views) == 12
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_generators_that_permute_nothing_leave_the_function_alone():
    found = averaged(bent, PermutationGroup([range(4)]), Axis(0), Axis(0), X)
    np.testing.assert_allclose(found, bent(X), atol=1e-15)


@pytest.mark.parametrize(
    ("group", "options", "sentence"),
    [
        (
            RubiksCube(),
            {},
            r"at most 2\^31 elements .* RubiksCube\(\) of 43252003274489856000; elements=100 with a key",
        ),
        (SO(3), {}, r"finite group to average over, got SO\(3\)"),
        (S(4), {"chunk": 0}, "a chunk of at least one element, got 0"),
        (S(4), {"elements": 2}, "expected a key"),
        (S(4), {"elements": 0, "key": KEY}, "at least one"),
    ],
    ids=str,
)
def test_what_cannot_be_averaged_is_refused(group, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        symmetrise(bent, group, Axis(0), Axis(0), X, **options)
