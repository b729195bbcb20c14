"""What any discovery must beat: the empty graph, and sorting the columns by their variance (Reisach et al. 2021)."""

import numpy as np
from jaxtyping import Bool, Float

LEAST = 0.1  # of standardised coefficients that count as an edge


def varsortability(data: Float[np.ndarray, "n d"], true: Bool[np.ndarray, "d d"]) -> float:
    """Return the share of directed paths along which the variance grows; 1/2 where it tells nothing.

    Every pair of a cause and an effect counts once for each length of a path between them, ties a half.
    """
    variance, path, grown, count = data.var(axis=0), np.eye(len(true), dtype=int), 0.0, 0
    ratio = variance[None] / variance[:, None]
    for _ in range(len(true) - 1):
        path = (path @ true > 0).astype(int)
        pairs = path.astype(bool)
        grown += float((ratio[pairs] > 1 + 1e-9).sum() + 0.5 * (np.abs(ratio[pairs] - 1) <= 1e-9).sum())
        count += int(pairs.sum())
    return grown / count if count else 0.5


def sort_and_regress(data: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, "d d"]:
    """Return the edges of regressing each column on those of less variance, where coefficients are not small."""
    order, scale = np.argsort(data.var(axis=0)), data.std(axis=0)
    z, found = data - data.mean(axis=0), np.zeros((data.shape[1],) * 2, bool)
    for place, column in enumerate(order[1:], 1):
        before = order[:place]
        b = np.linalg.lstsq(z[:, before], z[:, column], rcond=None)[0]
        found[before, column] = np.abs(b * scale[before] / scale[column]) > LEAST
    return found
