"""The checker accepts what is lawful and catches what is not, each kind of breakage once."""

import functools
import re
from typing import NamedTuple

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

import symjax
from symjax.groups import SE, E, Motion, O, S, TimeShifts, Translations
from symjax.laws import Causality, Equivariance, Point, Word, check, random_params
from symjax.math import segment_sum
from symjax.reps import (
    Axis,
    Irreps,
    OnNodes,
    Points,
    Pseudovectors,
    Relabelling,
    TimeAxis,
    Tree,
    Trivial,
    V,
    Vectors,
    pullback,
)

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (5, 3))
SETS = Equivariance(S(5), Axis(0), Axis(0))
VECTORS = Equivariance(O(3), Vectors(), Vectors())
PAST = Causality(np.tri(5))


def verdicts(fn, x, *laws, **options):
    return [entry.verdict for entry in check(fn, x, key=KEY, laws=laws, **options).entries]


def centre(x):
    return x - x.mean(axis=0, keepdims=True)


def cross(x):
    return jnp.cross(x, jnp.roll(x, 1, axis=-2))


@pytest.mark.parametrize(
    ("fn", "law"),
    [
        (centre, SETS),
        (centre, VECTORS),
        (centre, Equivariance(E(3), Points(), Vectors())),
        (cross, Equivariance(O(3), Vectors(), Pseudovectors())),
        (cross, Equivariance(SE(3), Vectors(), Vectors())),
        (lambda x: jnp.sum(centre(x) ** 2), Equivariance(E(3), Points(), Trivial())),
        (jax.grad(lambda x: jnp.sum(centre(x) ** 4)), Equivariance(Translations(3), Points(), Vectors())),
        (jnp.sin, Equivariance(TimeShifts(5), TimeAxis(0), TimeAxis(0))),
        (lambda x: jnp.cumsum(x, axis=0), PAST),
        (lambda x: jnp.argmax(jnp.cumsum(x, axis=0), axis=1), PAST),
    ],
)
def test_lawful_functions_pass(fn, law):
    assert verdicts(fn, X, law) == ["obeyed"]


@pytest.mark.parametrize(
    ("fn", "law"),
    [
        pytest.param(jax.nn.relu, VECTORS, id="a relu on vectors"),
        pytest.param(cross, VECTORS, id="a pseudovector declared a vector"),
        pytest.param(lambda x: x, Equivariance(E(3), Points(), Vectors()), id="a point declared a vector"),
        pytest.param(lambda x: x.at[0].multiply(2.0), SETS, id="a set layer that treats one element differently"),
        pytest.param(lambda x: jnp.convolve(x[:, 0], jnp.ones(3), mode="same"), PAST, id="a centred convolution"),
        pytest.param(lambda x: jnp.flip(jnp.cumsum(x, axis=0), axis=0), PAST, id="time reversed"),
        pytest.param(lambda x: x + 1e-14 * x.mean(axis=0, keepdims=True), PAST, id="a leak of the last bits"),
        pytest.param(lambda x: jnp.arange(5) + jnp.argmax(x[:, 0]), PAST, id="an argmax over the future"),
        pytest.param(lambda x: 0 * x / jnp.zeros_like(x), SETS, id="NaN"),
        pytest.param(lambda x: 1e-9 * x.at[0].multiply(2.0), SETS, id="broken in a small output"),
    ],
)
def test_broken_functions_are_caught(fn, law):
    assert verdicts(fn, X, law) == ["BROKEN"]


def test_no_generator_of_a_finite_group_is_missed():
    """The transpose commutes with both swaps together, the stride with every second shift."""
    twice = S(2) * S(2)
    matrices = pullback(V(S(2)), twice, factor=0) * pullback(V(S(2)), twice, factor=1)
    law = Equivariance.between(matrices, matrices)
    assert verdicts(lambda x: x[jnp.array([0, 2, 1, 3])], X[:4, 0], law) == ["BROKEN"]
    shifts = Equivariance(TimeShifts(4), TimeAxis(0), TimeAxis(0))
    for k in range(10):
        assert not check(lambda x: x.at[::2].multiply(2.0), X[:4], key=jax.random.key(k), laws=[shifts])


def test_at_zero_too_much_is_lawful():
    assert verdicts(jax.nn.relu, jnp.zeros((5, 3)), VECTORS) == ["BROKEN"]


def test_only_reflections_tell_a_pseudovector_from_a_vector():
    assert verdicts(cross, X, Equivariance(SE(3), Vectors(), Vectors()), Equivariance(E(3), Vectors(), Vectors())) == [
        "obeyed",
        "BROKEN",
    ]


@pytest.mark.parametrize(
    "fn",
    [
        pytest.param(lambda x: jnp.ones_like(x), id="constant"),
        pytest.param(lambda x: 0 * x, id="zero map"),
        pytest.param(lambda x: (x, jnp.zeros_like(x)), id="one output of two"),
        pytest.param(lambda x: 1 + 1e-15 * x, id="all but constant"),
    ],
)
def test_an_output_that_ignores_its_input_is_vacuous_unless_declared(fn):
    rep_out = Tree(jax.tree.map(lambda _: Axis(0), jax.eval_shape(fn, X)))
    law = Equivariance(S(5), Axis(0), rep_out)
    report = check(fn, X, key=KEY, laws=[law])
    assert [entry.verdict for entry in report.entries] == ["VACUOUS"]
    assert not report
    assert check(fn, X, key=KEY, laws=[Equivariance(S(5), Axis(0), rep_out, constant=True)])


def parents_attention(x, layers):
    """Attention on the chain 0 -> 1 -> 2 -> ...: each node sees itself and its parent."""
    mask = jnp.eye(5, dtype=bool) | jnp.eye(5, k=-1, dtype=bool)
    for _ in range(layers):
        x = jax.nn.softmax(jnp.where(mask, x @ x.T, -jnp.inf)) @ x
    return x


def test_two_layers_of_parents_see_grandparents():
    parents = Causality(np.eye(5) + np.eye(5, k=-1))
    one, two = (functools.partial(parents_attention, layers=layers) for layers in (1, 2))
    assert verdicts(one, X, parents) == ["obeyed"]
    assert verdicts(two, X, parents, parents.then(parents), PAST) == ["BROKEN", "obeyed", "obeyed"]


def test_laws_compose_where_the_middle_agrees():
    to_vectors = Equivariance(E(3), Points(), Vectors())
    to_scalars = Equivariance(E(3), Vectors(), Trivial(), tolerance=0.1, constant=True)
    assert to_vectors.then(to_scalars) == Equivariance(E(3), Points(), Trivial(), tolerance=0.1, constant=True)
    with pytest.raises(TypeError, match="to take vectors, but it takes points"):
        to_vectors.then(to_vectors)
    with pytest.raises(TypeError, match=r"E\(3\) and then O\(3\)"):
        to_vectors.then(VECTORS)
    parents = Causality(np.eye(3, k=-1))
    assert parents.then(parents) == Causality(np.eye(3, k=-2))
    assert Causality([[1, 1]]).then(Causality([[1], [0]])) == Causality([[1, 1], [0, 0]])
    with pytest.raises(TypeError, match="3 inputs"):
        parents.then(PAST)


class State(NamedTuple):
    x: jax.Array
    species: jax.Array
    absent: None = None


def test_trees_with_integers_and_none():
    state = State(X, jnp.array([0, 1, 1, 0, 2]))
    on_nodes = Tree(State(Axis(0), Axis(0)))

    def weigh(s):
        return s._replace(x=s.x * jnp.array([1.0, 2.0, 3.0])[s.species][:, None])

    assert verdicts(weigh, state, Equivariance(S(5), on_nodes, on_nodes)) == ["obeyed"]
    assert verdicts(lambda s: s.x, state, Equivariance(S(5), on_nodes, Axis(0)), PAST) == ["obeyed", "obeyed"]
    forgets = Equivariance(S(5), Tree(State(Axis(0), Trivial())), Axis(0))
    assert verdicts(lambda s: weigh(s).x, state, forgets) == ["BROKEN"]


def test_irreps_arrays():
    def harmonics(x):
        return e3nn.spherical_harmonics("1o+2e", e3nn.IrrepsArray("1o", x), normalize=False)

    assert verdicts(harmonics, X, Equivariance(E(3), Vectors(), Irreps("1o+2e"))) == ["obeyed"]
    with pytest.raises(ValueError, match="1x1e"):
        verdicts(harmonics, X, Equivariance(E(3), Vectors(), Irreps("1e+2e")))


def test_padded_graphs():
    graph = jraph.GraphsTuple(
        nodes=X,
        edges=None,
        senders=jnp.array([1, 0, 2, 3, 3], jnp.int32),
        receivers=jnp.array([0, 1, 1, 3, 3], jnp.int32),
        globals=None,
        n_node=jnp.array([3, 2], jnp.int32),
        n_edge=jnp.array([3, 2], jnp.int32),
    )

    def pull(graph, weights=1.0):
        apart = graph.nodes[graph.senders] - graph.nodes[graph.receivers]
        return graph._replace(nodes=graph.nodes + weights * segment_sum(apart, graph.receivers, 5))

    laws = Equivariance(E(3), OnNodes(Points()), OnNodes(Points())), Equivariance(S(5), Relabelling(), Relabelling())
    assert verdicts(pull, graph, *laws) == ["obeyed", "obeyed"]
    by_number = functools.partial(pull, weights=jnp.arange(5.0)[:, None])
    assert verdicts(by_number, graph, *laws) == ["obeyed", "BROKEN"]


def test_what_vanishes_by_symmetry_is_compared_with_what_does_not():
    inversion = jnp.concatenate([X, -X])

    def moments(x):
        return jnp.sum(x * jnp.sum(x**2, axis=1, keepdims=True) / 3, axis=0)

    assert verdicts(moments, inversion, Equivariance(O(3), Vectors(), Vectors())) == ["obeyed"]


class Scale(nn.Module):
    """One weight a channel, zero at first: at its initial values it would obey everything."""

    def laws(self, x):
        return (VECTORS,)

    @nn.compact
    def __call__(self, x):
        return x * self.param("weight", nn.initializers.zeros, (1, 3))


def test_modules_are_checked_at_random_parameters_or_at_those_given():
    (entry,) = check(Scale(), X, key=KEY).entries
    assert entry.verdict == "BROKEN"
    assert check(Scale(), X, key=KEY, params={"params": {"weight": jnp.full((1, 3), 2.0)}})
    assert not check(Scale(), X, key=KEY, params={"params": {"weight": jnp.zeros((1, 3))}})


class Tracked(nn.Module):
    @nn.compact
    def __call__(self, x):
        mean = self.variable("stats", "mean", lambda: jnp.full((1, 4), 5.0))
        return nn.Dense(4, param_dtype=x.dtype)(x) + mean.value


def test_random_parameters_take_the_finest_precision_and_leave_other_collections():
    variables = random_params(Tracked(), X, key=KEY)
    assert variables["params"]["Dense_0"]["kernel"].shape == (3, 4)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(float)}
    assert np.unique(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(variables["params"])])).size == 16
    np.testing.assert_array_equal(variables["stats"]["mean"], 5)
    single = random_params(nn.Dense(4, param_dtype=jnp.float32, dtype=float), X, key=KEY)
    assert single["params"]["kernel"].dtype == float


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-10), (jnp.float32, 1e-4), (jnp.bfloat16, 5e-2)])
def test_the_tolerance_follows_the_precision_unless_the_law_declares_one(dtype, tolerance):
    declared = Equivariance(S(5), Axis(0), Axis(0), tolerance=0.5)
    report = check(centre, X.astype(dtype), key=KEY, laws=[SETS, declared])
    assert report
    assert [entry.tolerance for entry in report.entries] == [tolerance, 0.5]
    assert check(centre, X, key=KEY, laws=[SETS, declared], atol=1e-3).entries[0].tolerance == 1e-3


def test_a_report_reads_as_one_line_a_law():
    report = symjax.check(lambda x: x.at[0].multiply(2.0), X, key=KEY, laws=[SETS, PAST])
    first, second = str(report).splitlines()
    assert first.startswith("BROKEN   residual ")
    assert first.endswith(", at most 1e-10   S(5): rows -> rows")
    assert second == "obeyed   residual 0.0e+00, at most 0       Causality: 5 outputs see 15 of 25 pairs"
    with pytest.raises(ValueError, match="BROKEN"):
        report.raise_if_broken()
    symjax.check(centre, X, key=KEY, laws=[SETS]).raise_if_broken()


def test_what_cannot_be_checked_is_refused_in_one_sentence():
    with pytest.raises(TypeError, match=r"pass laws=\[\.\.\.\]"):
        check(centre, X, key=KEY)
    with pytest.raises(TypeError, match=r"expected a list of at least one law, .* got \[\]"):
        check(centre, X, key=KEY, laws=[])
    with pytest.raises(TypeError, match="floating-point leaf"):
        check(centre, jnp.arange(5), key=KEY, laws=[SETS])
    with pytest.raises(ValueError, match="expected 4 rows in every leaf of the output"):
        check(centre, X, key=KEY, laws=[Causality(np.tri(4))])
    with pytest.raises(ValueError, match="expected a matrix"):
        Causality([True, False])


@pytest.mark.parametrize(
    ("law", "x"),
    [
        (Equivariance(S(3), Vectors(), Vectors()), X),
        (Equivariance(S(3), Vectors(), Vectors()), X[0]),
        (Equivariance(O(3), Axis(1), Axis(1)), X),
        (Equivariance(S(5), TimeAxis(), TimeAxis()), X),
        (Equivariance(S(4), Axis(0), Axis(0)), X),
        (Equivariance(O(2), Vectors(), Vectors()), X),
        (Equivariance(E(2), Points(), Vectors()), X),
    ],
    ids=str,
)
def test_elements_that_cannot_act_are_refused(law, x):
    with pytest.raises(ValueError, match=r"expected elements of .* to act by"):
        check(lambda x: 3 * x, x, key=KEY, laws=[law])


@pytest.mark.parametrize("tolerance", [-1e-3, float("nan"), float("inf")])
def test_a_tolerance_that_means_nothing_is_refused(tolerance):
    with pytest.raises(ValueError, match="tolerance to be a number of at least 0"):
        Equivariance(S(5), Axis(0), Axis(0), tolerance=tolerance)
    with pytest.raises(ValueError, match="atol to be a number of at least 0"):
        check(centre, X, key=KEY, laws=[SETS], atol=tolerance)


def test_a_thorough_report_prints_what_breaks_a_law_ready_to_paste():
    def beyond_six(x):
        return centre(x) + jnp.where(jnp.max(jnp.abs(x)) > 6, 1.0, 0.0)

    law = Equivariance(E(3), Points(), Vectors())
    (entry,) = (report := check(beyond_six, X, key=KEY, laws=[law], effort="thorough")).entries
    point, element = (line.split(" = ", 1)[1] for line in re.split("\n(?=point|element)", str(report))[1:])
    names = {"array": np.array, "Motion": Motion, "Word": Word}
    x = eval(point, names)
    again = law.failure(beyond_six, Point(x, beyond_six(x), beyond_six(x)), eval(element, names))
    assert again.residual == pytest.approx(entry.residual, rel=1e-6)


def test_a_residual_can_be_taken_inside_jit():
    residual = jax.jit(lambda x: SETS.residual(lambda y: y * jnp.arange(5.0)[:, None], x, KEY))(X)
    assert residual > 0.1


def test_what_vanishes_far_away_but_for_rounding_breaks_no_law():
    """The dipole of atoms whose charges come from their neighbours, less the mean: alone, they all have the same."""

    def dipole(x):
        apart = jnp.linalg.norm(x[:, None] - x[None] + 100 * jnp.eye(5)[..., None], axis=-1)
        charges = 0.1 + jnp.sum(jnp.arange(1.0, 6)[:, None] * jnp.exp(-(apart**2)), axis=0)
        return jnp.sum((charges - charges.mean(axis=0))[:, None] * x, axis=0)

    def unlawful(x):
        return dipole(x) * (1 + 1e-3 * x[:1, 0])

    for fn, verdict in ((dipole, "obeyed"), (unlawful, "BROKEN")):
        law = Equivariance(SE(3), Points(), Vectors())
        assert verdicts(fn, 3 * X, law) == [verdict]


def test_roundings_on_the_way_of_a_word_are_roundings():
    away = jnp.asarray([3e4, 0, 0])
    there_and_back = Word((Motion(jnp.eye(3), -away), Motion(jnp.eye(3), away)))
    law, near = Equivariance(E(3), Points(), Vectors()), jnp.asarray(X, jnp.float32)
    assert not law.failure(centre, Point.of(centre, near), there_and_back).is_unexplained
    assert law.failure(jnp.tanh, Point.of(jnp.tanh, near), Motion(jnp.eye(3), away)).is_unexplained
