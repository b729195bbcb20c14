"""Moving points as nodes of a graph, and how motions of space act on them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from symjax.reps import OnGraph, Points, Tree, Trivial, Vectors


class PointNodes(NamedTuple):
    """Invariant features, positions, and the velocities at the input time."""

    features: Float[Array | np.ndarray, "n c"]
    positions: Float[Array | np.ndarray, "n d"]
    velocities: Float[Array | np.ndarray, "n d"]


POINTS = OnGraph(nodes=Tree(PointNodes._make((Trivial(), Points(), Vectors()))), name="moving points")
