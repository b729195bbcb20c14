"""The referee: all constraints on a map at once, and the null space of their sum by one eigendecomposition.

The equivariant maps W obey drho_out(a) W - W drho_in(a) = 0 for every tangent and rho_out(h) W - W rho_in(h) = 0 for
every generator (Finzi, Welling and Wilson 2021, arXiv:2104.09459, theorem 1). Cubic in n_out n_in: for small systems.
"""

import numpy as np

from symjax.reps import LinearRep
from symjax.solver.bases import DenseBasis, Unsolved
from symjax.solver.linalg import canonical_rotation, null_space
from symjax.solver.methods.constraints import constraints

LARGEST = 4096  # unknowns


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> DenseBasis:
    """Return an orthonormal basis of the maps from one representation to another.

    Raises:
        Unsolved: If there are too many unknowns, or no clear gap between zero and the other eigenvalues.
    """
    n, m = rep_in.size, rep_out.size
    if n * m > LARGEST:
        raise Unsolved(f"{n * m} unknowns are more than the {LARGEST} of a dense solution")
    one_in, one_out, total = np.eye(n), np.eye(m), np.zeros((n * m, n * m))
    for x, y in constraints(rep_in, rep_out):
        constraint = np.kron(x, one_in) - np.kron(one_out, y.T)
        total = total + constraint.conj().T @ constraint
    maps = null_space(total)
    maps = maps @ canonical_rotation(maps)
    return DenseBasis(np.ascontiguousarray(maps.T).reshape(-1, m, n))
