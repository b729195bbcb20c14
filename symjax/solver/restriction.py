"""Equivariant maps as maps of a smaller or a larger group: the same function, in the coefficients of another basis."""

from typing import Any

import numpy as np
from jaxtyping import Inexact

from symjax.groups import MatrixGroup
from symjax.reps import induced, restrict
from symjax.solver.plan import Plan
from symjax.solver.solve import equivariant_maps

EXACT = 1e-9  # float64; of single precision, its rounding


def restrict_maps(
    plan: Plan, coefficients: Inexact[Any, " r"], subgroup: MatrixGroup
) -> tuple[Plan, Inexact[Any, " s"]]:
    """Return the plan of a subgroup, and the coefficients in it of the same map.

    Raises:
        ValueError: If the other is no subgroup as far as `restrict` can tell, or the map is none of its maps.
    """
    smaller = equivariant_maps(restrict(plan.rep_in, subgroup), restrict(plan.rep_out, subgroup))
    return smaller, _coefficients(smaller, np.asarray(plan.matrix(coefficients)))


def induce_maps(plan: Plan, coefficients: Inexact[Any, " r"], group: MatrixGroup) -> tuple[Plan, Inexact[Any, " s"]]:
    """Return the plan between the induced representations of a larger finite group, and the map on every coset.

    Raises:
        ValueError: If the group of the plan is no subgroup of the other, or that is not finite.
    """
    larger = equivariant_maps(induced(plan.rep_in, group), induced(plan.rep_out, group))
    one = np.asarray(plan.matrix(coefficients))
    return larger, _coefficients(
        larger, np.kron(np.eye(larger.rep_out.size // plan.rep_out.size, dtype=one.dtype), one)
    )


def _coefficients(plan: Plan, w: Inexact[np.ndarray, "o i"]) -> Inexact[np.ndarray, " s"]:
    found = plan.coefficients(w)
    missing = float(np.max(np.abs(plan.matrix(found) - w), initial=0))
    if missing > max(EXACT, 100 * float(np.finfo(w.dtype).eps)) * max(1.0, float(np.max(np.abs(w), initial=0))):
        raise ValueError(f"the map is none of {plan.group}, by {missing:.0e}; expected a group that keeps it")
    return found
