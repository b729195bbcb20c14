"""Some functions are lawful on average: sampled symmetrisation and augmentation; a biased sample is not."""

import jax
import jax.numpy as jnp
import pytest

from symjax.groups import S, Z
from symjax.laws import Causality, Equivariance, Expectation, check
from symjax.reps import Axis, Trivial

KEY, X = jax.random.key(0), jax.random.normal(jax.random.key(1), (4, 2))
W = jax.random.normal(jax.random.key(2), (4, 2))


def sampled(group):
    """An unlawful function at one random arrangement of the rows."""
    return lambda pair: jnp.tanh(jnp.sum(W * pair[0][group.uniform(pair[1])])) + 0.1 * jnp.sum(pair[0])


def moved_back(pair):
    """The same for rows that turn with the input."""
    g = S(4).uniform(pair[1])
    return jnp.zeros((4, 2)).at[g].set(jnp.tanh(W * pair[0][g]))


INVARIANT = Equivariance(S(4), Axis(0), Trivial())


def judge(fn, law, draws=512, **options):
    (entry,) = check(fn, (X, KEY), key=KEY, laws=[Expectation(law, draws)], **options).entries
    return entry


@pytest.mark.parametrize(
    ("fn", "law"),
    [(sampled(S(4)), INVARIANT), (moved_back, Equivariance(S(4), Axis(0), Axis(0)))],
    ids=["invariant", "equivariant"],
)
def test_what_is_lawful_on_average_breaks_in_single_calls(fn, law):
    entry = judge(fn, law)
    assert entry.verdict == "obeyed"
    assert 0.1 < entry.spread < 3
    fixed = check(lambda x: fn((x, KEY)), X, key=KEY, laws=[law])
    assert not fixed


def test_draws_from_a_subgroup_are_not_lawful():
    assert judge(sampled(Z(4)), INVARIANT).verdict == "BROKEN"


def test_without_chance_there_is_no_spread():
    entry = judge(lambda pair: jnp.cumsum(pair[0], axis=0), Causality.past(4), draws=2)
    assert (entry.verdict, entry.spread) == ("obeyed", 0)
    assert judge(lambda pair: jnp.sum(pair[0] * W), INVARIANT, draws=2).verdict == "BROKEN"


def test_the_report_says_how_far_a_single_call_is_off():
    report = check(sampled(S(4)), (X, KEY), key=KEY, laws=[Expectation(INVARIANT)], effort="thorough")
    assert str(report).count("in the mean of 512 draws; a single call is off by") == 1


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(TypeError, match=r"expected a pair \(x, key\)"):
        check(jnp.sum, X, key=KEY, laws=[Expectation(INVARIANT)])
    with pytest.raises(ValueError, match="at least 2 draws, got 1"):
        Expectation(INVARIANT, 1)
