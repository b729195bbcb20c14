"""Files to arrays to batches, units named."""

from symjax.data.algorithmic import Operation, composition, modular, shuffled_part, sparse_parity
from symjax.data.batches import Batch, Graphs, make_batch, make_samples, recentred, sample_sizes
from symjax.data.labels import LABELS, Label, LabelKeys
from symjax.data.rows import RowBatch, Rows
from symjax.data.series import Series, read_series
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
from symjax.data.synthetic_series import synthetic_optimum, synthetic_oracle, synthetic_series
from symjax.data.tables import Column, Table, as_table, read_table
from symjax.data.units import ENERGIES, Factors, unit_factors
from symjax.data.windows import (
    Scaler,
    TimeSplits,
    Windows,
    fit_scaler,
    join_windows,
    split_in_time,
    windows,
)
from symjax.data.writing import write_structures

__all__ = [
    "ENERGIES",
    "LABELS",
    "Batch",
    "Column",
    "Factors",
    "Graphs",
    "Label",
    "LabelKeys",
    "Operation",
    "RowBatch",
    "Rows",
    "Scaler",
    "Series",
    "Splits",
    "Statistics",
    "Structures",
    "Table",
    "TimeSplits",
    "Windows",
    "as_table",
    "composition",
    "describe_mixture",
    "digest_data",
    "ethanol",
    "fit_scaler",
    "join_windows",
    "keys_of",
    "make_batch",
    "make_samples",
    "modular",
    "read_isolated_atoms",
    "read_labelled",
    "read_series",
    "read_structures",
    "read_table",
    "recentred",
    "sample_sizes",
    "shuffled_part",
    "sparse_parity",
    "split_data",
    "split_in_time",
    "statistics",
    "synthetic_optimum",
    "synthetic_oracle",
    "synthetic_series",
    "unit_factors",
    "windows",
    "write_structures",
]
