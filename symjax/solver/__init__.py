"""Solving for all equivariant linear maps between two representations."""

from symjax.solver.plan import Plan
from symjax.solver.solve import equivariant_basis, equivariant_maps

__all__ = ["Plan", "equivariant_basis", "equivariant_maps"]
