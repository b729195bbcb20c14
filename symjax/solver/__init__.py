"""Solving for all equivariant linear maps between two representations."""

from symjax.solver.methods import Irrep, SharedIrrep, irreps_of, set_partitions, shared_irreps
from symjax.solver.pictures import plot_basis
from symjax.solver.plan import Plan
from symjax.solver.restriction import induce_maps, restrict_maps
from symjax.solver.solve import Method, equivariant_basis, equivariant_maps

__all__ = [
    "Irrep",
    "Method",
    "Plan",
    "SharedIrrep",
    "equivariant_basis",
    "equivariant_maps",
    "induce_maps",
    "irreps_of",
    "plot_basis",
    "restrict_maps",
    "set_partitions",
    "shared_irreps",
]
