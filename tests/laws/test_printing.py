"""Laws print as people say them."""

import pytest

from symjax.graphs import ATOMS, POINTS
from symjax.groups import SO, Amplitude, E, O, S, TimeShifts
from symjax.laws import Equivariance
from symjax.reps import (
    Axis,
    Channels,
    Irreps,
    OnGraph,
    OnNodes,
    Points,
    Pseudovectors,
    Relabelling,
    Scalar,
    TimeAxis,
    Tree,
    Trivial,
    V,
    Vectors,
    pullback,
    quotient,
)

TURN = SO(3) * S(5)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (Equivariance(E(3), ATOMS, Trivial()), "E(3): atoms -> invariant"),
        (Equivariance(E(3), POINTS, POINTS), "E(3): moving points -> moving points"),
        (Equivariance(E(3), ATOMS, Irreps("4x0e+1o")), "E(3): atoms -> 4x0e+1x1o"),
        (Equivariance(S(9), Relabelling("atoms"), Relabelling("atoms")), "S(9): atoms relabelled -> atoms relabelled"),
        (Equivariance(S(9), Relabelling(), Axis(0)), "S(9): nodes relabelled -> rows"),
        (Equivariance(S(7), Axis(1), Axis(-2)), "S(7): axis 1 -> axis -2"),
        (Equivariance(O(3), Points(), Pseudovectors()), "O(3): points -> pseudovectors"),
        (Equivariance(TimeShifts(8), TimeAxis(0), TimeAxis(1)), "TimeShifts(8): instants -> instants on axis 1"),
        (Equivariance(Amplitude(3), Channels(), Channels((2, 0))), "Amplitude(3): channels -> channels 2, 0"),
        (
            Equivariance(E(3), Tree({"h": Trivial(), "x": Points()}), Vectors()),
            "E(3): (h: invariant, x: points) -> vectors",
        ),
        (
            Equivariance(E(3), OnNodes(Points()), Tree((Vectors(),), "forces")),
            "E(3): a graph of nodes: points -> forces",
        ),
        (Equivariance.between((2 * V)(SO(3)), V * V + Scalar), "SO(3): 2*V -> V**2+Scalar"),
        (Equivariance.between(quotient(S(4), S(4)), V), "S(4): induced(Scalar(S(4)), S(4)) -> V"),
        (Equivariance.between(V(SO(3)), V(S(5))), "SO(3) * S(5): V(SO(3)) -> V(S(5))"),
        (Equivariance(TURN, pullback(V(SO(3)), TURN), Trivial()), "SO(3) * S(5): V(SO(3)) -> invariant"),
        (Equivariance(SO(3), V(O(3)), Vectors()), "SO(3): V(O(3)) -> vectors"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_laws_are_said_in_words(law, text):
    assert str(law) == text


@pytest.mark.parametrize(
    ("named", "plain"),
    [
        (OnGraph(nodes=Points(), name="points"), OnNodes(Points())),
        (Tree({"x": Points()}, name="state"), Tree({"x": Points()})),
        (Relabelling("atoms"), Relabelling()),
    ],
    ids=lambda rep: str(rep),
)
def test_names_do_not_count(named, plain):
    assert (named, hash(named)) == (plain, hash(plain))
    assert str(named) != str(plain)
    assert repr(named) != repr(plain)
    assert Equivariance(E(3), named, Vectors()).then(Equivariance(E(3), Vectors(), plain)).rep_out == named
