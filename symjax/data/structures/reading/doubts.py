"""What cannot be in a data set, refused in one sentence, and what looks doubtful, told in one."""

from collections.abc import Iterator, Sequence

import ase
import numpy as np

from symjax.data.structures.labels import has_stress
from symjax.data.structures.reading.isolated import widths
from symjax.data.structures.structures import Structures

STRESS = 2.0  # eV/Å³, which is 320 GPa
APART = 0.5  # eV between equal geometries
SAME_POINT = 1e-4  # of a lattice vector, or Å
GAP = 4.0  # Å
STATES = {"charge": 0, "spin": 1}  # of a structure whose notes say nothing
BINDING = 25.0  # eV an atom, which no atom gains from its neighbours
BOUND = 30.0  # eV, times Z^(7/3): more than the energy of any atom, -20.9 Z^(7/3) eV in the Thomas-Fermi model
SLOPES = {
    23.06: "energies in kcal/mol beside forces in eV/Å",
    1 / 23.06: "energies in eV beside forces in kcal/mol/Å",
    1 / 27.211: "energies in Hartree beside forces in eV/Å",
    27.211: "energies in eV beside forces in Hartree/Å",
    51.42: "energies in eV beside forces in Hartree/bohr",
    1.8897: "forces per bohr beside positions in Å: name them with --units Hartree/bohr",
    0.5292: "positions in bohr beside forces per Å: name them with --length bohr",
    -1.0: "forces with the sign of the gradient",
}
ENOUGH, MANY, NEAR, CLOSE = 20, 300, 0.97, 0.05  # structures to judge by, and at most; correlation; share of a slope


def require_possible(structures: Structures, where: Sequence[str]) -> None:
    """Refuse structures that cannot be.

    Args:
        structures: as read, in eV and Å.
        where: the words that name each.

    Raises:
        ValueError: an atom is no element, two atoms are at one point, a periodic direction has no lattice vector, or
            most stresses are beyond 2 eV/Å³.
    """
    for place, atoms in zip(where, structures.atoms, strict=True):
        if not atoms.numbers.all():
            raise ValueError(f"{place}: atom {int(np.argmin(atoms.numbers))} is X, no element; remove such atoms")
        if np.linalg.matrix_rank(atoms.cell.array[atoms.pbc]) < atoms.pbc.sum():
            raise ValueError(
                f"{place}: periodic directions need independent lattice vectors, got the cell "
                f"{atoms.cell.array.tolist()} with pbc {atoms.pbc.tolist()}; mend the cell or switch periodicity off"
            )
        if twins := _twins(atoms):
            raise ValueError(f"{place}: atoms {twins[0]} and {twins[1]} are at one point; remove one of them")
    sizes = _stresses(structures)
    if sizes is not None and np.nanmedian(sizes) > STRESS:
        raise ValueError(_of_stress(sizes, where))


def describe_doubts(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each thing that is possible but hardly meant."""
    if (sizes := _stresses(structures)) is not None and np.nanmax(sizes) > STRESS:
        yield _of_stress(sizes, where)
    if filled := [i for i, atoms in enumerate(structures.atoms) if not atoms.pbc.any() and _fills(atoms)]:
        yield (
            f"{len(filled)} structures fill a cell but have no periodic direction (first {where[filled[0]]}), so that "
            "nothing is seen across its faces; where that is not meant, write pbc into the file"
        )
    yield from _of_open(structures, where)
    if structures.energy is not None:
        yield from _of_twins(structures, where)
        yield from _of_totals(structures, where)
        yield from _of_binding(structures, where)
        if structures.forces is not None and (doubt := _of_slopes(structures)):
            yield doubt


def _twins(atoms: ase.Atoms) -> tuple[int, int] | None:
    """Return two atoms at one point, images included."""
    points = atoms.positions
    if atoms.pbc.any() and atoms.cell.rank == 3:
        points = np.where(atoms.pbc, atoms.cell.scaled_positions(points), points)
        points = np.where(atoms.pbc, points % 1.0, points)
    marks = np.round(points / SAME_POINT)
    marks = np.where(atoms.pbc, marks % round(1 / SAME_POINT), marks) if atoms.cell.rank == 3 else marks
    _, first, inverse = np.unique(marks, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(atoms):
        return None
    second = next(i for i, group in enumerate(inverse.reshape(-1)) if first[group] != i)
    return int(first[inverse.reshape(-1)[second]]), second


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


def _of_twins(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on equal geometries with energies far apart, of differing charges or spins or not."""
    first: dict[bytes, int] = {}
    pairs = []
    for i, (atoms, energy) in enumerate(zip(structures.atoms, structures.energy, strict=True)):
        geometry = (atoms.numbers, np.round(atoms.positions, 4) + 0.0, np.round(atoms.cell.array, 4) + 0.0, atoms.pbc)
        twin = first.setdefault(b"".join(part.tobytes() for part in geometry), i)
        if abs(energy - structures.energy[twin]) > APART:
            pairs.append((twin, i))
    for states in (True, False):
        chosen = [pair for pair in pairs if _differ(structures.atoms[pair[0]], structures.atoms[pair[1]]) == states]
        if chosen:
            i, j = chosen[0]
            energies = " and ".join(f"{structures.energy[k]:.6g}" for k in (i, j))
            reason = (
                "another charge or spin, which models read with --charges True"
                if states
                else "no charge or spin to tell them apart; keep one of them, or write charge and spin into the file"
            )
            count = f"{len(chosen)} such pair{'s' * (len(chosen) > 1)}"
            yield f"{where[i]} and {where[j]} are one geometry with {energies} eV ({count}) and {reason}"


def _differ(one: ase.Atoms, other: ase.Atoms) -> bool:
    return any(one.info.get(name, default) != other.info.get(name, default) for name, default in STATES.items())


def _of_totals(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where energies are larger than all electrons together can give."""
    sizes = np.array([np.sum(atoms.numbers ** (7 / 3)) for atoms in structures.atoms])
    beyond = np.flatnonzero(np.abs(structures.energy) > BOUND * sizes)
    if len(beyond):
        i = beyond[0]
        yield (
            f"{where[i]} has {structures.energy[i]:.6g} eV, more than all electrons of {structures.atoms[i].symbols} "
            f"can give ({len(beyond)} such structures); name the unit with --units, such as kcal/mol"
        )


def _of_binding(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where structures are far from their isolated atoms."""
    gains = np.array([_gain(structures, i) / len(atoms) for i, atoms in enumerate(structures.atoms)])
    if not np.isnan(gains).all() and abs(typical := float(np.nanmedian(gains))) > BINDING:
        yield (
            f"energies are {typical:.3g} eV an atom from those of the isolated atoms (first {where[0]}), which no "
            "bonds give; one of the two is in another unit, or of another method"
        )


def _gain(structures: Structures, i: int) -> float:
    numbers = structures.numbers[i]
    return structures.energy[i] - sum(structures.isolated.get(int(number), np.nan) for number in numbers)


def _of_slopes(structures: Structures) -> str | None:
    """Return a sentence where energies do not change from structure to structure as forces say.

    Between two near structures, E' - E = -(F + F') · (x' - x) / 2 up to the third order. Where both sides go together,
    the slope of the one against the other tells a unit, or a sign, that only one of them has.
    """
    changes, works = np.array([*_steps(structures)]).reshape(-1, 2).T
    if len(works) < ENOUGH or not works.any() or not changes.any():
        return None
    slope = float(works @ changes / (works @ works))
    if abs(works @ changes) < NEAR * np.sqrt((works @ works) * (changes @ changes)):
        return None
    meaning = next((meaning for known, meaning in SLOPES.items() if abs(slope / known - 1) < CLOSE), None)
    if meaning is None:
        return None
    return f"from structure to structure energies change {slope:.3g} times as much as forces say, as with {meaning}"


def _steps(structures: Structures) -> Iterator[tuple[float, float]]:
    """Yield the change of energy, and what the forces make of it, from some structures to the nearest of their kind."""
    groups: dict[bytes, list[int]] = {}
    both = np.flatnonzero(~np.isnan(structures.energy))
    for i in [i for i in both[:MANY] if not np.isnan(structures.forces[i]).any()]:
        atoms = structures.atoms[i]
        groups.setdefault(b"".join(x.tobytes() for x in (atoms.numbers, atoms.cell.array, atoms.pbc)), []).append(i)
    for group in [group for group in groups.values() if len(group) > 1]:
        x = np.array([structures.atoms[i].positions.ravel() for i in group])
        f = np.array([structures.forces[i].ravel() for i in group])
        away = np.sum(x**2, axis=1)[:, None] + np.sum(x**2, axis=1) - 2 * x @ x.T
        np.fill_diagonal(away, np.inf)
        for i, j in enumerate(np.argmin(away, axis=1)):
            work = float(-(f[i] + f[j]) @ (x[j] - x[i]) / 2)
            yield float(structures.energy[group[j]] - structures.energy[group[i]]), work
