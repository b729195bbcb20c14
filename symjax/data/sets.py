"""Sets of normal vectors of one of two variances, and the best that any classifier of them can do.

All numbers of a set come from one normal distribution, so that the sum of their squares says all there is to know: the
true symmetry is that of all permutations of the n d numbers, and even that of their rotations.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats
from jaxtyping import Array, Float

VARIANCES = 1.0, 0.8


class GaussianSets(NamedTuple):
    """Sets of n members with d channels, and 1.0 where their variance is the second one."""

    members: Float[Array | np.ndarray, "b n d"]
    labels: Float[Array | np.ndarray, " b"]


class Bayes(NamedTuple):
    """What knowing both distributions attains.

    Attributes:
        threshold: Of the sum of squares of a set, below which the smaller variance is the likelier.
        accuracy: Share of sets that it tells right.
        bce: Mean binary cross entropy of the true probabilities, in nats.
    """

    threshold: float
    accuracy: float
    bce: float


def gaussian_sets(count: int, members: int = 10, channels: int = 5, *, seed: int | tuple[int, ...]) -> GaussianSets:
    """Return sets of normal numbers of variances 1.0 and 0.8 in turn: half of each, or one more of the first."""
    labels = np.arange(count) % 2.0
    scale = np.sqrt(np.where(labels == 0, *VARIANCES))
    numbers = np.random.default_rng(seed).standard_normal((count, members, channels))
    return GaussianSets(scale[:, None, None] * numbers, labels)


def gaussian_sets_bayes(members: int = 10, channels: int = 5) -> Bayes:
    """Return the exact optimum for equally many sets of both variances s > t.

    The log-likelihood ratio of a set with k = n d numbers is q/2 (1/t - 1/s) - k/2 log(s/t), with q the sum of their
    squares, which is s or t times a chi-square variable of k degrees of freedom.
    """
    (large, small), k = VARIANCES, members * channels
    slope, offset = (1 / small - 1 / large) / 2, k / 2 * math.log(large / small)
    threshold = offset / slope
    chi2 = scipy.stats.chi2(k)
    accuracy = (chi2.cdf(threshold / small) + chi2.sf(threshold / large)) / 2

    def cross_entropy(variance: float, sign: int) -> float:
        def integrand(u: float) -> float:
            return chi2.pdf(u) * np.logaddexp(0, sign * (slope * variance * u - offset))

        return scipy.integrate.quad(integrand, *chi2.interval(1 - 1e-14))[0]

    return Bayes(threshold, float(accuracy), (cross_entropy(small, 1) + cross_entropy(large, -1)) / 2)
