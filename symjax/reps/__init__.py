"""What is acted on: representations say how a group element moves data."""

import importlib
from typing import TYPE_CHECKING

from symjax.reps.graph import OnGraph, OnNodes, Relabelling
from symjax.reps.rep import Rep
from symjax.reps.simple import Axis, Points, Pseudovectors, TimeAxis, Trivial, Vectors
from symjax.reps.tree import Tree

if TYPE_CHECKING:
    from symjax.reps.irreps import Irreps

__all__ = [
    "Axis",
    "Irreps",
    "OnGraph",
    "OnNodes",
    "Points",
    "Pseudovectors",
    "Relabelling",
    "Rep",
    "TimeAxis",
    "Tree",
    "Trivial",
    "Vectors",
]


def __getattr__(name: str):
    """Load `Irreps` on first use, because e3nn is slow to import."""
    if name == "Irreps":
        return importlib.import_module("symjax.reps.irreps").Irreps
    raise AttributeError(f"module 'symjax.reps' has no attribute {name!r}")
