"""What is acted on: representations say how a group element moves data."""

import importlib
from typing import TYPE_CHECKING

from symjax.reps.actions import (
    Axes,
    Axis,
    Channels,
    Columns,
    Matrices,
    OnGraph,
    OnNodes,
    Points,
    Pseudovectors,
    Relabelling,
    TimeAxis,
    Tree,
    Trivial,
    Vectors,
)
from symjax.reps.augment import augment
from symjax.reps.complex import conjugate, in_parts, real_form
from symjax.reps.cosets import induced, quotient, regular
from symjax.reps.generators import monomials, moved, permutes
from symjax.reps.irreducible import Angles, irreps
from symjax.reps.linear import (
    Dual,
    LinearRep,
    Product,
    Pullback,
    Sum,
    bound,
    factors_of,
    natural,
    product_of,
    pullback,
)
from symjax.reps.powers import Power, alternating, symmetric
from symjax.reps.rep import Rep
from symjax.reps.subspaces import subrep
from symjax.reps.summands import Summand, places_in_order, ranks, summands
from symjax.reps.tensor import Defining, Det, Determinant, Scalar, T, V, restrict
from symjax.reps.uniform import uniform_rep

if TYPE_CHECKING:
    from symjax.reps.irreducible import Irreps

__all__ = [
    "Angles",
    "Axes",
    "Axis",
    "Channels",
    "Columns",
    "Defining",
    "Det",
    "Determinant",
    "Dual",
    "Irreps",
    "LinearRep",
    "Matrices",
    "OnGraph",
    "OnNodes",
    "Points",
    "Power",
    "Product",
    "Pseudovectors",
    "Pullback",
    "Relabelling",
    "Rep",
    "Scalar",
    "Sum",
    "Summand",
    "T",
    "TimeAxis",
    "Tree",
    "Trivial",
    "V",
    "Vectors",
    "alternating",
    "augment",
    "bound",
    "conjugate",
    "factors_of",
    "in_parts",
    "induced",
    "irreps",
    "monomials",
    "moved",
    "natural",
    "permutes",
    "places_in_order",
    "product_of",
    "pullback",
    "quotient",
    "ranks",
    "real_form",
    "regular",
    "restrict",
    "subrep",
    "summands",
    "symmetric",
    "uniform_rep",
]


def __getattr__(name: str):
    """Load `Irreps`, which needs e3nn, on first use."""
    if name == "Irreps":
        return importlib.import_module("symjax.reps.irreducible").Irreps
    raise AttributeError(f"module 'symjax.reps' has no attribute {name!r}")
