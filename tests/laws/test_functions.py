"""The checker finds what is broken and lets pass what is right, on sixty functions of known lawfulness."""

import jax
import pytest

from symjax.laws import check
from tests.laws.functions import BROKEN, RARELY, RIGHT

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def judge(known, effort, seed=0):
    return check(known.fn, known.x, key=jax.random.key(seed), laws=[known.law], atol=known.atol, effort=effort)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(name):
    assert not judge(BROKEN[name], "thorough" if name in RARELY else "usual")


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name):
    report = judge(RIGHT[name], "usual")
    assert report, report


@pytest.mark.parametrize("name", ["points in metres", "a mask of -inf in the input"])
def test_what_is_right_passes_a_thorough_search(name):
    report = judge(RIGHT[name], "thorough")
    assert report, report
