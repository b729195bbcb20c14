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


def describe_known(structures: Structures) -> Iterator[str]:
    """Yield a line for each label that is not known of all structures, or not of all their atoms."""
    for name, values in structures.labels.items():
        size = math.prod(LABELS[name].shape)
        rows = [~np.isnan(np.reshape(value, (-1, size))).any(axis=1) for value in values]
        some = [known for known in rows if known.any()]
        unknown = sum(int((~known).sum()) for known in some)
        if len(some) < len(rows) or unknown:
            partly = f", of these not on {unknown} atoms" if unknown else ""
            yield f"{name}: known of {len(some)} of {len(rows)} structures{partly}"


def describe_remarks(remarks: Sequence[Remark]) -> Iterator[str]:
    """Yield a line for each kind of remark, with how often it was made and on which frame first."""
    kinds: dict[tuple[str, str], list[Remark]] = collections.defaultdict(list)
    for remark in remarks:
        kinds[remark.kind, remark.name].append(remark)
    for (kind, name), found in kinds.items():
        count, total = len(found), sum(remark.size for remark in found)
        if kind == "masked":
            yield (
                f"forces: {total:.0f} atoms masked by {name}, of which it is false; where it marks the atoms to leave "
                f"out, as in gap_fit, say --mask-key 1-{name}"
            )
        elif kind == "fixed":
            yield f"forces: {total:.0f} fixed atoms have exactly zero, which is taken as not known"
        elif kind == "flat":
            yield f"stress: left out of {count} structures without a volume (first {found[0].where})"
        elif kind == "lattice":
            yield (
                f"{count} structures have no cell, but {name!r} beside their labels (first {found[0].where}): where it "
                "is their lattice it was lost; extended xyz spells it Lattice"
            )
        elif (most := max(remark.size for remark in found)) > SAME:
            yield _of_energies(name, most)


def _of_energies(name: str, most: float) -> str:
    if name == "energy":
        return (
            f"energy: read from 'energy', extrapolated to sigma = 0; 'free_energy', of which forces are derivatives, "
            f"differs by up to {most:.3g} eV, and --energy-key free_energy reads it"
        )
    return f"energy: read from 'free_energy', of which forces are derivatives; 'energy' differs by up to {most:.3g} eV"
