"""Subrepresentations by projectors and by blocks."""

import numpy as np
import pytest

from symjax.groups import GL, SO, GeneratedGroup, O, S
from symjax.reps import Scalar, T, V, alternating, irreps, subrep, symmetric
from symjax.solver import equivariant_basis, equivariant_maps, irreps_of

SWAP = np.eye(9).reshape(3, 3, 3, 3).swapaxes(0, 1).reshape(9, 9)
TRACE = np.outer(np.eye(3), np.eye(3)) / 3


def test_tensors_without_trace_are_an_irrep():
    traceless = subrep(T(2)(SO(3)), (np.eye(9) + SWAP) / 2 - TRACE)
    assert (traceless.size, len(irreps_of(traceless))) == (5, 1)
    assert equivariant_maps(traceless, irreps("2", SO(3))).dim == 1
    assert equivariant_maps(traceless + V, T(2)(SO(3))).dim == 2
    tensor = traceless.frame @ np.arange(5.0)
    np.testing.assert_allclose(np.trace(tensor.reshape(3, 3)), 0, atol=1e-14)


def test_parts_of_powers_of_other_groups():
    assert equivariant_maps(subrep(T(2)(GL(3)), (np.eye(9) + SWAP) / 2), symmetric(V, 2)(GL(3))).dim == 1
    assert equivariant_maps(subrep(T(2)(GL(3)), (np.eye(9) - SWAP) / 2), alternating(V, 2)(GL(3))).dim == 1
    differences = subrep(V(S(4)), np.eye(4) - 0.25)
    assert equivariant_basis(differences).dim == 0
    assert equivariant_maps(differences, irreps("[3, 1]", S(4))).dim == 1
    plan = equivariant_maps(T(2)(O(3)), T(2)(O(3)))
    np.testing.assert_allclose(plan.project(TRACE), TRACE, atol=1e-12)
    assert subrep(T(2)(O(3)), plan.project(TRACE)).size == 1


def test_blocks_of_coordinates():
    rep = (V + T(2) + Scalar)(SO(3))
    assert equivariant_maps(subrep(rep, slice(0, 3)), V(SO(3))).dim == 1
    assert equivariant_maps(subrep(rep, [*range(3), 12]), V(SO(3)) + Scalar).dim == 2
    shear = GeneratedGroup(lie_algebra=[[[0, 1], [0, 0]]])
    assert subrep(V(shear), [0]).size == 1  # kept, and no complement is
    assert len({subrep(rep, slice(0, 3)), subrep(rep, [0, 1, 2]), subrep(rep, slice(3, 12))}) == 2


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        (slice(0, 2), r"a subspace that SO\(3\) keeps, .* by .e"),
        (np.diag([1.0, 0, 0]), "some element moves a vector out of it"),
        (2 * np.eye(3), r"expected a projector \[3, 3\] with P P = P"),
        (np.eye(2), r"a projector \[3, 3\].* got an array of shape \(2, 2\)"),
        (0 * np.eye(3), "with some vector in it, got none"),
        (slice(0, 0), "with some vector in it, got none"),
    ],
    ids=str,
)
def test_what_is_no_subrepresentation_is_refused(inside, sentence):
    with pytest.raises(ValueError, match=sentence):
        subrep(V(SO(3)), inside)
