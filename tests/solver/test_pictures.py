"""Pictures of a basis from Python."""

import pytest

from symjax.groups import SO, S
from symjax.reps import Det, Scalar, V
from symjax.solver import equivariant_maps, plot_basis
from symjax.solver.pictures import _borders


def test_a_basis_is_drawn_where_it_is_told(tmp_path):
    path = tmp_path / "basis.png"
    assert plot_basis(equivariant_maps((V + V)(S(3)), V(S(3))), path) == 4
    assert path.read_bytes().startswith(b"\x89PNG")
    assert plot_basis(equivariant_maps(V(SO(2)), V(SO(2))), str(tmp_path / "turn.svg")) == 2


def test_where_there_is_no_map_there_is_no_picture(tmp_path):
    with pytest.raises(ValueError, match="there is no map to draw: no part of one transforms like a part of the other"):
        plot_basis(equivariant_maps(V(S(3)), Det(S(3))), tmp_path / "basis.png")


def test_borders_are_between_terms():
    assert _borders((2 * V + Scalar)(SO(3))) == [2.5, 5.5]
    assert _borders(V(SO(3))) == []
