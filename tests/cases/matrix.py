"""Cases of layers on representations of matrix groups."""

from symjax.groups import SL, SO, SU, O, S
from symjax.layers.matrix import Bilinear, EquivariantLinear, Gated, Pointwise, Standardise, fit_standard, gated_rep
from symjax.reps import Det, LinearRep, Scalar, T, V
from tests.cases.inputs import on, vectors

TENSORS = (2 * Scalar + V + T(2))(O(3))


def standardised(rep_in: LinearRep, rep_out: LinearRep):
    x, y = 2 * vectors(rep_in) + 1, 3 * vectors(rep_out) + 2
    model = EquivariantLinear(rep_in, rep_out)
    return Standardise(model, fit_standard(rep_in, x), fit_standard(rep_out, y)), x


CASES = {
    "EquivariantLinear of O(3)": lambda: on(TENSORS, EquivariantLinear, (V + T(2) + Det * V + Scalar)(O(3))),
    "EquivariantLinear of SL(2)": lambda: on((2 * V.T + T(1, 1))(SL(2)), EquivariantLinear, V + T(1, 1)),
    "EquivariantLinear of SU(2)": lambda: on((V + T(1, 1))(SU(2)), EquivariantLinear, V.T + T(1, 1) + Scalar),
    "EquivariantLinear of a product": lambda: on(
        V(SO(3)) + V(S(3)) + Scalar, EquivariantLinear, V(SO(3)) * V(S(3)) + V(S(3))
    ),
    "Bilinear of O(3)": lambda: on(TENSORS, Bilinear),
    "Bilinear of SU(2)": lambda: on((V + V.T + T(1, 1) + T(2) + Scalar)(SU(2)), Bilinear),
    "Bilinear to others": lambda: on((2 * V)(SO(3)), Bilinear, V + Scalar + T(2)),
    "Bilinear to others of SU(2)": lambda: on((V + V.T)(SU(2)), Bilinear, T(1, 1)),
    "Gated": lambda: (Gated(TENSORS), vectors(gated_rep(TENSORS))),
    "Pointwise": lambda: on((V + T(2))(S(4)), Pointwise),
    "Standardise": lambda: standardised(TENSORS, (V + Scalar)(O(3))),
}
