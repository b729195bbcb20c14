"""Hidden representations of a given width: all numbers used, spread evenly, the same every time."""

import pytest

from symjax.groups import GL, O13, SL, SO, SU, C, GeneratedGroup, O, S, Scaling, Sp, Trivial, U
from symjax.reps import Det, T, V, uniform_rep

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


@pytest.mark.parametrize("channels", [0, 1, 2, 30, 384])
def test_products_use_all_numbers_too(channels):
    rep = uniform_rep(channels, SL(2) * S(4) * SO(3), V(SL(2)) * V(S(4)))
    assert rep.size == channels


VECTORS = V(SO(3)) * V(S(5))
TEXTS = [
    (SO(3) * S(5), 75, (), "18*Scalar+6*V(SO(3))+3*V(S(5))+V(SO(3))**2+V(S(5))*V(SO(3))"),
    (SO(3) * S(5), 15, (), "7*Scalar+V(SO(3))+V(S(5))"),
    (SO(3) * S(5), 16, (VECTORS,), "Scalar+V(S(5))*V(SO(3))"),
    (SO(3) * SO(3), 9, (), "3*Scalar+V(SO(3))[1]+V(SO(3))[0]"),
    (S(200), 384, (V(S(200)),), "184*Scalar+V"),
    (O(3), 20, (Det(O(3)), T(2)(O(3))), "4*Scalar+V+4*Det+V**2"),
]


@pytest.mark.parametrize(("group", "channels", "needed", "text"), TEXTS)
def test_kinds_of_factors_and_of_what_is_needed_are_drawn(group, channels, needed, text):
    assert uniform_rep(channels, group, *needed).text == text


@pytest.mark.parametrize(("channels", "error"), [(-1, ValueError), (10.5, TypeError)])
def test_impossible_widths_are_refused(channels, error):
    with pytest.raises(error, match=r"expected an integer of at least 0|channels"):
        uniform_rep(channels, SO(3))
