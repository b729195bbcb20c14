"""Representations that a user declares: measured on first use, and made of their matrices alone."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.groups import GL, SL, SO, SU, D, MatrixGroup, O, S
from symjax.reps import LinearRep, Scalar, T, V, bound, induced, monomials, restrict, summands, symmetric
from symjax.solver import equivariant_basis, equivariant_maps, irreps_of


@dataclasses.dataclass(frozen=True, repr=False)
class Square(LinearRep):
    """V (x) V as someone would write it by hand, with one thing put in the place of what is right."""

    group: MatrixGroup
    wrong: str = ""
    text = "Square"

    @property
    def size(self):
        return 8 if self.wrong == "size" else self.group.d**2

    def rho(self, g):
        one = 2 * np.eye(len(g)) if self.wrong == "product" else g.T if self.wrong == "order" else g
        return np.kron(one, g)

    def drho(self, a):
        one = np.eye(len(a))
        return {
            "zero": 0 * np.kron(a, one),
            "half": np.kron(a, one),
            "sign": -np.kron(a, one) - np.kron(one, a),
            "shape": a,
            "constant": np.kron(a, one) + np.kron(one, a) + np.eye(len(a) ** 2),
            "nan": np.nan * np.kron(a, a),
        }.get(self.wrong, np.kron(a, one) + np.kron(one, a))

    def act(self, g, x):
        return x if self.wrong == "act" else super().act(g, x)

    def dact(self, a, x):
        return x if self.wrong == "dact" else super().dact(a, x)

    def monomial(self, h):
        return (np.arange(9), np.ones(9)) if self.wrong == "monomial" else super().monomial(h)

    @property
    def T(self):
        return self if self.wrong == "dual" else super().T


SENTENCES = {
    "size": r"rho of Square.* to return matrices \[8, 8\]",
    "product": r"rho\(g h\) is not rho\(g\) rho\(h\)",
    "order": r"rho\(g h\) is not rho\(g\) rho\(h\)",
    "zero": r"drho\(a\) is not the derivative of rho, .*LinearRep.from_rho\(size, rho\)",
    "half": "not the derivative",
    "sign": "not the derivative",
    "constant": "not the derivative",
    "nan": "not the derivative",
    "shape": r"drho of Square.* to return matrices \[9, 9\]",
    "act": r"act\(g, x\) is not rho\(g\) x",
    "dact": r"dact\(a, x\) is not drho\(a\) x",
    "monomial": r"monomial\(h\) is not rho\(h\)",
    "dual": r"T.rho\(g\) is not rho\(g\)\^-T",
}


@pytest.mark.parametrize("wrong", SENTENCES)
def test_what_is_no_representation_is_refused_in_one_sentence(wrong):
    group = GL(3) if wrong == "dual" else O(3)
    for use in (
        lambda rep: equivariant_maps(rep, rep),
        lambda rep: equivariant_basis(V(group) * rep.T if wrong != "dual" else V(group) * rep),
        lambda rep: bound(symmetric(rep, 2) + V(group)),
        lambda rep: irreps_of(restrict(rep, O(3))),
        monomials,
        summands,
    ):
        with pytest.raises(ValueError, match=SENTENCES[wrong]):
            use(Square(group, wrong))


def test_what_has_no_hash_is_refused():
    rep = dataclasses.make_dataclass("Loose", [], bases=(Square,), frozen=True)(O(3))
    object.__setattr__(rep, "wrong", [])
    with pytest.raises(TypeError, match="has a hash, got Loose"):
        bound(rep)


@pytest.mark.parametrize("group", [SO(3), O(3), GL(2), SL(2), D(4), S(3), SU(2)], ids=repr)
def test_what_is_right_is_solved_like_our_own(group):
    def square(g):
        matrix = jnp.eye(len(g))[g] if g.ndim == 1 else jnp.asarray(g)
        return jnp.kron(matrix, matrix)

    ours, theirs = T(2)(group), LinearRep.from_rho(group.d**2, square)(group)
    assert theirs.group == group
    assert equivariant_maps(theirs, ours).dim == equivariant_maps(ours, ours).dim
    assert equivariant_maps(theirs + Scalar, V(group)).dim == equivariant_maps(T(2) + Scalar, V(group)).dim
    assert equivariant_maps(theirs.T, ours).dim == equivariant_maps(ours.T, ours).dim
    for a in group.lie_algebra:
        np.testing.assert_allclose(theirs.drho(a), ours.drho(a), atol=1e-14)
        single = jnp.asarray(a, np.float32 if group.is_real else np.complex64)
        assert jax.jit(theirs.drho)(single).dtype == single.dtype


def test_conjugates_and_products_of_groups():
    conjugate = LinearRep.from_rho(2, jnp.conj)(SU(2))
    assert equivariant_maps(conjugate, V(SU(2)).T).dim == 1
    pair = LinearRep.from_rho(6, lambda g: jnp.kron(g[0], jnp.eye(2)[g[1]]))(SO(3) * S(2))
    assert equivariant_maps(pair, V(SO(3)) * V(S(2))).dim == 2


def test_a_representation_of_rotations_in_skew_coordinates_has_a_dual():
    """The group keeps lengths and its matrices do not: the dual is another one, with as many maps."""
    skew = np.array([[1.0, 2, 0], [0, 1, 0], [0, 3, 1]])
    rep = LinearRep.from_rho(3, lambda g: skew @ g @ np.linalg.inv(skew))(SO(3))
    assert rep != rep.T
    assert V(SO(3)) == V(SO(3)).T
    plan = equivariant_maps(rep, V(SO(3)))
    w = plan.matrix(np.ones(1)) @ skew
    np.testing.assert_allclose(w, w[0, 0] * np.eye(3), atol=1e-9)
    assert equivariant_maps(rep.T, rep).dim == equivariant_basis(rep * rep).dim == 1
    assert equivariant_maps(induced(LinearRep.from_rho(1, lambda g: g[:1, :1])(D(1)), D(2)), V(D(2))).dim == 1


def test_numpy_in_rho_is_named_where_a_derivative_is_needed():
    numpy_only = LinearRep.from_rho(4, lambda g: np.kron(np.asarray(g), np.asarray(g)))
    with pytest.raises(TypeError, match=r"rho of from_rho\(4, <lambda>\).* write it with jax.numpy, not numpy"):
        equivariant_basis(numpy_only(SO(2)))
    assert equivariant_basis(numpy_only(D(4))).dim == 1
