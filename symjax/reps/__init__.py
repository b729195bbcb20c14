"""What is acted on: representations say how a group element moves data."""

import importlib
from typing import TYPE_CHECKING

from symjax.reps.cosets import induced, quotient, regular
from symjax.reps.graph import OnGraph, OnNodes, Relabelling
from symjax.reps.linear import LinearRep, pullback
from symjax.reps.powers import alternating, symmetric
from symjax.reps.rep import Rep
from symjax.reps.simple import Axis, Points, Pseudovectors, TimeAxis, Trivial, Vectors
from symjax.reps.tensor import Det, Scalar, T, V, restrict
from symjax.reps.tree import Tree

if TYPE_CHECKING:
    from symjax.reps.basis import Plan, equivariant_basis, equivariant_maps
    from symjax.reps.irreps import Irreps

LAZY = {
    "Irreps": "symjax.reps.irreps",
    "Plan": "symjax.reps.basis",
    "equivariant_basis": "symjax.reps.basis",
    "equivariant_maps": "symjax.reps.basis",
}

__all__ = [
    "Axis",
    "Det",
    "Irreps",
    "LinearRep",
    "OnGraph",
    "OnNodes",
    "Plan",
    "Points",
    "Pseudovectors",
    "Relabelling",
    "Rep",
    "Scalar",
    "T",
    "TimeAxis",
    "Tree",
    "Trivial",
    "V",
    "Vectors",
    "alternating",
    "equivariant_basis",
    "equivariant_maps",
    "induced",
    "pullback",
    "quotient",
    "regular",
    "restrict",
    "symmetric",
]


def __getattr__(name: str):
    """Load the solver and `Irreps`, which needs e3nn, on first use."""
    if name in LAZY:
        return getattr(importlib.import_module(LAZY[name]), name)
    raise AttributeError(f"module 'symjax.reps' has no attribute {name!r}")
