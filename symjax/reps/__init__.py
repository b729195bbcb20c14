"""What is acted on: representations say how a group element moves data."""

import importlib
from typing import TYPE_CHECKING

from symjax.reps.cosets import induced, quotient, regular
from symjax.reps.graph import OnGraph, OnNodes, Relabelling
from symjax.reps.linear import LinearRep, pullback
from symjax.reps.powers import alternating, symmetric
from symjax.reps.rep import Rep
from symjax.reps.simple import Axis, Matrices, Points, Pseudovectors, TimeAxis, Trivial, Vectors
from symjax.reps.tensor import Det, Scalar, T, V, restrict
from symjax.reps.tree import Tree

if TYPE_CHECKING:
    from symjax.reps.irreps import Irreps

__all__ = [
    "Axis",
    "Det",
    "Irreps",
    "LinearRep",
    "Matrices",
    "OnGraph",
    "OnNodes",
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
    "induced",
    "pullback",
    "quotient",
    "regular",
    "restrict",
    "symmetric",
]


def __getattr__(name: str):
    """Load `Irreps`, which needs e3nn, on first use."""
    if name == "Irreps":
        return importlib.import_module("symjax.reps.irreps").Irreps
    raise AttributeError(f"module 'symjax.reps' has no attribute {name!r}")
