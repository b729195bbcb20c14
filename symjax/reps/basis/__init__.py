"""Solving for all equivariant linear maps between two representations."""

from symjax.reps.basis.plan import Plan
from symjax.reps.basis.solve import equivariant_basis, equivariant_maps

__all__ = ["Plan", "equivariant_basis", "equivariant_maps"]
