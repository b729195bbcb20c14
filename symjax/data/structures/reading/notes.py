"""What there is to tell of a data set besides doubts: periodic directions, unknown labels, masks, lattices."""

import collections
import math
from collections.abc import Iterator, Sequence

import numpy as np

from symjax.data.structures.labels import LABELS
from symjax.data.structures.reading.labelling import Remark
from symjax.data.structures.structures import Structures

DIRECTIONS = ("none (molecules)", "one (wires)", "two (slabs)", "three (crystals)")
SAME = 1e-6  # eV


def describe_kinds(structures: Structures) -> Iterator[str]:
    """Yield a line that counts boundary conditions, where there are several."""
    counts = collections.Counter(int(atoms.pbc.sum()) for atoms in structures.atoms)
    if len(counts) > 1:
        listed = ", ".join(f"{DIRECTIONS[number]} of {counts[number]}" for number in sorted(counts, reverse=True))
        yield f"periodic directions: {listed} structures"


def describe_known(structures: Structures, remarks: Sequence[Remark]) -> Iterator[str]:
    """Yield a line for each label that is not known of all structures, or not on all their atoms, and why."""
    for name, values in structures.labels.items():
        size = math.prod(LABELS[name].shape)
        rows = [~np.isnan(np.reshape(value, (-1, size))).any(axis=1) for value in values]
        some = [known for known in rows if known.any()]
        unknown = sum(int((~known).sum()) for known in some)
        reasons = [*_reasons(remarks)] if name == "forces" else []
        if len(some) < len(rows) or unknown or reasons:
            nan = unknown - sum(number for number, _ in reasons)
            listed = [f"{number} {reason}" for number, reason in [*reasons, *([(nan, "nan")] if nan > 0 else [])]]
            partly = f"; atoms without: {', '.join(listed)}" if listed else ""
            yield f"{name}: known for {len(some)} of {len(rows)} structures{partly}"


def _reasons(remarks: Sequence[Remark]) -> Iterator[tuple[int, str]]:
    """Yield how many forces were left out, and why."""
    for name in dict.fromkeys(remark.name for remark in remarks if remark.kind == "masked"):
        number = sum(int(remark.size) for remark in remarks if (remark.kind, remark.name) == ("masked", name))
        yield number, f"masked by {name} (false; where true is to mask, as in gap_fit, say --mask-key 1-{name})"
    if fixed := sum(int(remark.size) for remark in remarks if remark.kind == "fixed"):
        yield fixed, "fixed with forces of exactly zero"


def describe_remarks(remarks: Sequence[Remark]) -> Iterator[str]:
    """Yield a line for each other kind of remark, with how often it was made and on which frame first."""
    kinds: dict[tuple[str, str], list[Remark]] = collections.defaultdict(list)
    for remark in remarks:
        kinds[remark.kind, remark.name].append(remark)
    for (kind, name), found in kinds.items():
        of = f"of {len(found)} structures (first {found[0].where})"
        if kind == "flat":
            yield f"stress: left out {of} that have no volume or are not periodic"
        elif kind == "virial":
            yield f"stress: read as it is from {name!r} {of}; --virial-key {name} reads it as a virial"
        elif kind == "lattice":
            yield (
                f"the header {of} has {name!r}, but they have no cell: where it is their lattice it was lost, and "
                "extended xyz spells it Lattice"
            )
        elif kind == "energy" and (most := max(remark.size for remark in found)) > SAME:
            yield _of_energies(name, most)


def _of_energies(name: str, most: float) -> str:
    if name == "energy":
        return (
            f"energy: read from 'energy', extrapolated to sigma = 0; 'free_energy', of which forces are derivatives, "
            f"differs by up to {most:.3g} eV, and --energy-key free_energy reads it"
        )
    return f"energy: read from 'free_energy', of which forces are derivatives; 'energy' differs by up to {most:.3g} eV"
