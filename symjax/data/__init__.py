"""Files to arrays to graphs, units named."""

from symjax.data.batches import Batch, Labels, make_batch, make_samples, sample_sizes
from symjax.data.shipped import ethanol
from symjax.data.structures import Statistics, Structures, read_isolated_atoms, read_structures, statistics
from symjax.data.units import Factors, unit_factors

__all__ = [
    "Batch",
    "Factors",
    "Labels",
    "Statistics",
    "Structures",
    "ethanol",
    "make_batch",
    "make_samples",
    "read_isolated_atoms",
    "read_structures",
    "sample_sizes",
    "statistics",
    "unit_factors",
]
