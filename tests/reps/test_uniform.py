"""Hidden representations of a given width: all numbers used, spread evenly, the same every time."""

import pytest

from symjax.groups import GL, O13, SL, SO, SU, C, GeneratedGroup, O, S, Scaling, Sp, Trivial, U
from symjax.reps import uniform_rep

GROUPS = [SO(3), O(1), O(5), O13(), SL(2), GL(1), SU(1), SU(3), U(1), Sp(2), C(4), S(1), S(4), Scaling(1), Trivial(1)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
@pytest.mark.parametrize("channels", [0, 1, 7, 30, 384])
def test_width_is_the_number_of_channels(group, channels):
    rep = uniform_rep(channels, group)
    assert rep.size == channels
    assert rep == uniform_rep(channels, group)


@pytest.mark.parametrize(
    ("channels", "group", "text"),
    [
        (12, SO(3), "6*Scalar+2*V"),
        (30, SO(3), "12*Scalar+3*V+V**2"),
        (10, SL(2), "6*Scalar+V+V.T"),
        (20, O(1), "10*Scalar+7*V+3*V**2"),
        (3, GeneratedGroup(d=2), "3*Scalar"),
    ],
)
def test_ranks_are_spread_evenly(channels, group, text):
    assert uniform_rep(channels, group).text == text


@pytest.mark.parametrize(("channels", "error"), [(-1, ValueError), (10.5, TypeError)])
def test_impossible_widths_are_refused(channels, error):
    with pytest.raises(error, match=r"expected an integer of at least 0|channels"):
        uniform_rep(channels, SO(3))
