"""Actions on data: on arrays, their axes and columns, on trees and on graphs."""

from symjax.reps.actions.channels import Channels as Channels
from symjax.reps.actions.columns import Columns as Columns
from symjax.reps.actions.graph import OnGraph as OnGraph, OnNodes as OnNodes, Relabelling as Relabelling
from symjax.reps.actions.simple import (
    Axes as Axes,
    Axis as Axis,
    Matrices as Matrices,
    Points as Points,
    Pseudovectors as Pseudovectors,
    TimeAxis as TimeAxis,
    Trivial as Trivial,
    Vectors as Vectors,
    linear_part as linear_part,
)
from symjax.reps.actions.tree import Tree as Tree
