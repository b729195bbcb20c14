"""Files as they are found to labelled structures, and what there is to tell of them."""

from symjax.data.structures.reading.frames import Frame as Frame, read_frames as read_frames
from symjax.data.structures.reading.gathering import (
    Found as Found,
    keys_of as keys_of,
    read_isolated_atoms as read_isolated_atoms,
    read_sources as read_sources,
    read_structures as read_structures,
)
from symjax.data.structures.reading.sources import (
    PARTS as PARTS,
    Source as Source,
    find_sources as find_sources,
    read_weights as read_weights,
)
