"""What cannot be in a data set, refused in one sentence, and what looks doubtful, told in one."""

from collections.abc import Iterator, Sequence

import ase
import numpy as np

from symjax.data.structures.labels import has_stress
from symjax.data.structures.reading.isolated import widths
from symjax.data.structures.structures import Structures
from symjax.graphs import charge_and_spin, require_apart

STRESS = 2.0  # eV/Å³, which is 320 GPa
GAP = 4.0  # Å


def require_possible(structures: Structures, where: Sequence[str]) -> None:
    """Refuse structures that cannot be.

    Args:
        structures: as read, in eV and Å.
        where: the words that name each.

    Raises:
        ValueError: an atom is no element, two atoms are at one point, a periodic direction has no lattice vector, a
            charge or spin is none, or most stresses are beyond 2 eV/Å³.
    """
    for place, atoms in zip(where, structures.atoms, strict=True):
        if not atoms.numbers.all():
            raise ValueError(f"{place}: atom {int(np.argmin(atoms.numbers))} is X, no element; remove such atoms")
        if np.linalg.matrix_rank(atoms.cell.array[atoms.pbc]) < atoms.pbc.sum():
            raise ValueError(
                f"{place}: periodic directions need independent lattice vectors, got the cell "
                f"{atoms.cell.array.tolist()} with pbc {atoms.pbc.tolist()}; mend the cell or switch periodicity off"
            )
        try:
            require_apart(atoms)
            charge_and_spin(atoms)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    sizes = _stresses(structures)
    if sizes is not None and np.nanmedian(sizes) > STRESS:
        raise ValueError(_of_stress(sizes, where))


def describe_doubts(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each stress or cell that is possible but hardly meant."""
    if (sizes := _stresses(structures)) is not None and np.nanmax(sizes) > STRESS:
        yield _of_stress(sizes, where)
    if filled := [i for i, atoms in enumerate(structures.atoms) if not atoms.pbc.any() and _fills(atoms)]:
        yield (
            f"{len(filled)} structures fill a cell but have no periodic direction (first {where[filled[0]]}), so that "
            "nothing is seen across its faces; where that is not meant, write pbc into the file"
        )
    yield from _of_open(structures, where)


def _of_open(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where structures are open that have the composition of a crystal."""
    crystals = {tuple(sorted(atoms.numbers)) for atoms in structures.atoms if atoms.pbc.all()}
    lost = [
        i
        for i, atoms in enumerate(structures.atoms)
        if len(atoms) > 1 and not atoms.pbc.any() and tuple(sorted(atoms.numbers)) in crystals
    ]
    if lost:
        yield (
            f"{len(lost)} structures are open where others of the same composition are crystals (first "
            f"{where[lost[0]]}, {structures.atoms[lost[0]].symbols}); if their cells were lost, restore them"
        )


def _fills(atoms: ase.Atoms) -> bool:
    """Return whether atoms have a cell and come near to their images in two of its directions, as no molecule does."""
    if atoms.cell.rank < 3:
        return False
    gaps = (1 - np.ptp(atoms.cell.scaled_positions(atoms.positions), axis=0)) * widths(atoms.cell)
    return int(np.sum(gaps < GAP)) > 1


def _stresses(structures: Structures) -> np.ndarray | None:
    """Return the largest component of each stress, NaN where it is not known or means nothing."""
    if structures.stress is None:
        return None
    sizes = np.abs(structures.stress).max(axis=(1, 2))
    sizes[[not has_stress(atoms) for atoms in structures.atoms]] = np.nan
    return None if np.isnan(sizes).all() else sizes


def _of_stress(sizes: np.ndarray, where: Sequence[str]) -> str:
    worst = int(np.nanargmax(sizes))
    return (
        f"{where[worst]}: a stress of {sizes[worst]:.3g} eV/Å³ is {160.2 * sizes[worst]:.0f} GPa; if it is a virial, "
        "name it with --virial-key, and if it is in GPa or kbar, say --stress-factor 0.00624151 or -0.000624151"
    )
