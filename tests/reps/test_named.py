"""Irreps by name: each is one, no two are equal, and together they are all that there are."""

import itertools
import math

import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import SO, SU, Alt, C, D, O, S, finite_elements
from symjax.reps import Det, Irreps, Scalar, V, irreps, regular, restrict, symmetric
from symjax.solver import equivariant_maps, irreps_of

ALL = {
    C(1): ["0"],
    C(2): ["0", "1"],
    C(5): ["0", "1", "2"],
    C(6): ["0", "1", "2", "3"],
    D(1): ["0e", "0o"],
    D(2): ["0e", "0o", "1e", "1o"],
    D(5): ["0e", "0o", "1", "2"],
    D(6): ["0e", "0o", "1", "2", "3e", "3o"],
    S(1): ["[1]"],
    S(3): ["[3]", "[2, 1]", "[1, 1, 1]"],
    S(5): ["[5]", "[4,1]", "[3,2]", "[3,1,1]", "[2,2,1]", "[2,1,1,1]", "[1,1,1,1,1]"],
}
SOME = {
    SO(2): ["0", "1", "2", "7"],
    O(2): ["0e", "0o", "1", "2", "7"],
    SU(2): ["0", "1/2", "1", "3/2"],
    SO(3): ["0", "1", "2"],
    O(3): ["0e", "0o", "1e", "1o"],
}


@pytest.mark.parametrize(("group", "names"), ALL.items(), ids=repr)
def test_characters_are_orthonormal_and_complete(group, names):
    """Over all elements; the mean square of a character is 1, or 2 where the irrep is a complex one in real numbers."""
    elements = list(finite_elements(group.generators, group.d).values())
    parts = [irreps(name, group) for name in names]
    characters = np.array([[np.trace(part.rho(g)) for g in elements] for part in parts])
    products = characters @ characters.T / len(elements)
    kinds = np.diag(products).round(12)
    np.testing.assert_allclose(products, np.diag(kinds), atol=1e-12)
    assert set(kinds) <= {1.0, 2.0}
    assert sum(part.size**2 / kind for part, kind in zip(parts, kinds, strict=True)) == len(elements)
    assert equivariant_maps(sum(parts[1:], parts[0]), regular(group)).dim == sum(part.size for part in parts)


@pytest.mark.parametrize(("group", "names"), SOME.items(), ids=repr)
def test_irreps_of_groups_without_end_are_single_and_different(group, names):
    parts = [irreps(name, group) for name in names]
    for part, other in itertools.combinations_with_replacement(parts, 2):
        split = irreps_of(part)
        assert [irrep.multiplicity for irrep in split] == [1]
        shared = equivariant_maps(part, other).dim
        assert shared == (0 if part != other else 2 if group == SO(2) and part.size == 2 else 1)


def test_names_mean_what_they_say():
    assert irreps("2x0e + 3x1o", O(3)) == 2 * Irreps("0e") + 3 * Irreps("1o")
    np.testing.assert_allclose(irreps("1", O(2)).rho(O(2).generators[0]), O(2).generators[0])
    assert irreps("0o", D(4)) == Det(D(4))
    assert irreps("0", C(3)) == Scalar(C(3))
    assert irreps("3/2", SU(2)) == symmetric(V, 3)(SU(2))
    assert irreps("2", SO(3)) == restrict(Irreps("2e"), SO(3))
    assert irreps("2x0+1", SO(2)).size == 4
    points = irreps("[4] + [3, 1]", S(4))
    assert equivariant_maps(points, V(S(4))).dim == 2
    swap = np.array([1, 0, 2, 3])
    np.testing.assert_allclose(irreps("[1, 1, 1, 1]", S(4)).rho(swap), [[-1]])
    hooks = irreps("[4, 2, 1]", S(7))
    assert hooks.size == math.factorial(7) // (6 * 4 * 2 * 1 * 3 * 1 * 1)
    g = np.random.default_rng(0).permutation(7)
    np.testing.assert_allclose(jnp.asarray(hooks.rho(jnp.asarray(g))), hooks.rho(g), atol=1e-12)


@pytest.mark.parametrize(
    ("names", "group", "sentence"),
    [
        ("1", Alt(4), r"irreps of Alt\(4\) have no names here"),
        ("1", SO(4), "have no names here"),
        ("", SO(2), "expected irreps as in '2x0"),
        ("1e", SO(2), "a multiple of the angle such as 0, 1, 2"),
        ("1e", O(2), "has no irrep '1e'; expected names such as 1$"),
        ("0", O(2), "has no irrep '0'; expected names such as 0e or 0o"),
        ("3", C(5), "has no irrep '3'; .* up to 2"),
        ("2", D(4), "has no irrep '2'; expected names such as 2e or 2o"),
        ("1/3", SU(2), "expected a spin such as 0, 1/2, 1, got '1/3'"),
        ("-1", SU(2), "expected a spin"),
        ("x", SO(3), "a degree such as 0, 1, 2"),
        ("[2, 1]", S(4), r"falling positive numbers whose sum is 4, got \[2, 1\]"),
        ("[1, 3]", S(4), "falling positive numbers"),
        ("3", S(4), r"expected a partition such as \[3, 1\], got '3'"),
    ],
)
def test_what_has_no_name_is_refused(names, group, sentence):
    with pytest.raises(ValueError, match=sentence):
        irreps(names, group)


def test_an_irrep_that_would_fill_the_memory_is_refused():
    large = irreps("[10, 9, 8, 7, 6]", S(40))
    assert large.size > 10**19
    with pytest.raises(ValueError, match=r"standard tableaux of \[10, 9, 8, 7, 6\] would take about .* GiB"):
        large.rho(np.arange(40))
