"""Files to arrays to batches, units named."""

from symjax.data.algorithmic import Table, composition, modular, shuffled_part, sparse_parity
from symjax.data.batches import Batch, Graphs, make_batch, make_samples, sample_sizes
from symjax.data.labels import LABELS, Label, LabelKeys
from symjax.data.rows import RowBatch, Rows
from symjax.data.shipped import ethanol
from symjax.data.splits import Splits, digest_data, split_data
from symjax.data.structures import (
    Statistics,
    Structures,
    describe_mixture,
    keys_of,
    read_isolated_atoms,
    read_labelled,
    read_structures,
    statistics,
)
from symjax.data.units import ENERGIES, Factors, unit_factors
from symjax.data.writing import write_structures

__all__ = [
    "ENERGIES",
    "LABELS",
    "Batch",
    "Factors",
    "Graphs",
    "Label",
    "LabelKeys",
    "RowBatch",
    "Rows",
    "Splits",
    "Statistics",
    "Structures",
    "Table",
    "composition",
    "describe_mixture",
    "digest_data",
    "ethanol",
    "keys_of",
    "make_batch",
    "make_samples",
    "modular",
    "read_isolated_atoms",
    "read_labelled",
    "read_structures",
    "sample_sizes",
    "shuffled_part",
    "sparse_parity",
    "split_data",
    "statistics",
    "unit_factors",
    "write_structures",
]
