"""Relations as boolean matrices."""

import numpy as np
from jaxtyping import Bool


def transitive_closure(relation: Bool[np.ndarray, "d d"]) -> Bool[np.ndarray, "d d"]:
    """Return which pairs a walk of one step or more joins, by squaring; its diagonal is true on cycles alone."""
    reached = np.asarray(relation, bool)
    for _ in range(len(reached).bit_length()):
        steps = reached.astype(np.float32)
        reached = reached | (steps @ steps > 0)
    return reached
