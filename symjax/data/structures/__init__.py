"""Structures of atoms and their labels: files to arrays to padded batches."""

from symjax.data.structures.batches import (
    Batch as Batch,
    Graphs as Graphs,
    make_batch as make_batch,
    make_samples as make_samples,
    recentred as recentred,
    sample_sizes as sample_sizes,
)
from symjax.data.structures.labels import (
    LABELS as LABELS,
    Label as Label,
    LabelKeys as LabelKeys,
    has_stress as has_stress,
)
from symjax.data.structures.reading import (
    Found as Found,
    Source as Source,
    find_sources as find_sources,
    keys_of as keys_of,
    read_isolated_atoms as read_isolated_atoms,
    read_sources as read_sources,
    read_structures as read_structures,
    read_weights as read_weights,
)
from symjax.data.structures.shipped import ethanol as ethanol
from symjax.data.structures.splits import (
    Splits as Splits,
    digest_data as digest_data,
    part_size as part_size,
    split_data as split_data,
)
from symjax.data.structures.structures import (
    Statistics as Statistics,
    Structures as Structures,
    statistics as statistics,
)
from symjax.data.structures.units import ENERGIES as ENERGIES, Factors as Factors, unit_factors as unit_factors
from symjax.data.structures.whole import read_whole as read_whole
from symjax.data.structures.writing import (
    format_of as format_of,
    without_labels as without_labels,
    write_structures as write_structures,
)
