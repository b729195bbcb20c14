"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line, `"name": lambda: (module, x)`. Inputs so degenerate that the output may ignore them
(a single atom, no edges) go into `DEGENERATE`: there laws hold and gradients are finite too, but may hold vacuously.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from symjax import layers, models
from symjax.data.nbody import Systems, nbody_graph

Case = Callable[[], tuple[Any, Any]]


def _bodies(count: int):
    """One system of moving, charged bodies, all joined."""
    normal = np.random.default_rng(0).standard_normal
    return nbody_graph(Systems(normal((1, count)), *normal((3, 1, count, 3))))


CASES: dict[str, Case] = {
    "EGNNLayer": lambda: (layers.EGNNLayer(width=6), _bodies(5)),
    "EGNN": lambda: (models.EGNN(width=6, layers=2), _bodies(5)),
}

DEGENERATE: dict[str, Case] = {
    "EGNN of one body": lambda: (models.EGNN(width=6, layers=2), _bodies(1)),
}
