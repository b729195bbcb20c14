"""Energies and forces that look doubtful, beside charges, electrons and one another, each told in one sentence."""

from collections.abc import Iterator, Sequence

import numpy as np
from ase.data import chemical_symbols

from symjax.data.structures.structures import Structures
from symjax.graphs import charge_and_spin

APART = 0.5  # eV between equal geometries
BOUND = 30.0  # eV, times Z^(7/3): more than the energy of any atom, -20.9 Z^(7/3) eV in the Thomas-Fermi model
FORCE = 8.0  # eV/Å, of half of all components
BINDING = 25.0  # eV an atom, which no atom gains from its neighbours
REASONS = {
    True: "another charge or spin, which models read with --charges True",
    False: "no charge or spin to tell them apart; keep one of them, or write charge and spin into the file",
}
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


def describe_energies(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each thing about energies and forces that is possible but hardly meant."""
    if "forces" in structures.labels and (typical := float(np.nanmedian(np.abs(structures.rows("forces"))))) > FORCE:
        yield (
            f"forces of {typical:.3g} eV/Å are typical (first {where[0]}), which atoms feel only in collisions; name "
            "the unit with --units, such as kcal/mol"
        )
    if "energy" in structures.labels:
        yield from _of_twins(structures, where)
        yield from _of_totals(structures, where)
        yield from _of_binding(structures, where)
        if "forces" in structures.labels and (doubt := _of_slopes(structures)):
            yield doubt


def _of_twins(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on equal geometries with energies far apart, of differing charges or spins or not."""
    first: dict[bytes, int] = {}
    pairs = []
    energies = structures.labels["energy"]
    for i, (atoms, energy) in enumerate(zip(structures.atoms, energies, strict=True)):
        geometry = (atoms.numbers, np.round(atoms.positions, 4) + 0.0, np.round(atoms.cell.array, 4) + 0.0, atoms.pbc)
        twin = first.setdefault(b"".join(part.tobytes() for part in geometry), i)
        if abs(energy - energies[twin]) > APART:
            pairs.append((twin, i, charge_and_spin(atoms) != charge_and_spin(structures.atoms[twin])))
    for differ, reason in REASONS.items():
        if chosen := [pair[:2] for pair in pairs if pair[2] == differ]:
            i, j = chosen[0]
            count = f"{len(chosen)} such pair{'s' * (len(chosen) > 1)}"
            yield (
                f"{where[i]} and {where[j]} are one geometry with {energies[i]:.6g} and {energies[j]:.6g} eV ({count}) "
                f"and {reason}"
            )


def _of_totals(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where energies are larger than all electrons together can give."""
    sizes = np.array([np.sum(atoms.numbers ** (7 / 3)) for atoms in structures.atoms])
    energies = structures.labels["energy"]
    beyond = np.flatnonzero(np.abs(energies) > BOUND * sizes)
    if len(beyond):
        i = beyond[0]
        yield (
            f"{where[i]} has {energies[i]:.6g} eV, more than all electrons of {structures.atoms[i].symbols} can give "
            f"({len(beyond)} such structures); name the unit with --units, such as kcal/mol"
        )


def _of_binding(structures: Structures, where: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where structures are far from their isolated atoms."""
    lone = np.array([structures.isolated.get(z, np.nan) for z in range(len(chemical_symbols))])
    gains = structures.labels["energy"] - [lone[numbers].sum() for numbers in structures.numbers]
    each = gains / [len(atoms) for atoms in structures.atoms]
    if not np.isnan(each).all() and abs(typical := float(np.nanmedian(each))) > BINDING:
        yield (
            f"energies are {typical:.3g} eV an atom from those of the isolated atoms (first {where[0]}), which no "
            "bonds give; one of the two is in another unit, or of another method"
        )


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
    both = np.flatnonzero(~np.isnan(structures.labels["energy"]))
    for i in [i for i in both[:MANY] if not np.isnan(structures.labels["forces"][i]).any()]:
        atoms = structures.atoms[i]
        groups.setdefault(b"".join(x.tobytes() for x in (atoms.numbers, atoms.cell.array, atoms.pbc)), []).append(i)
    for group in [group for group in groups.values() if len(group) > 1]:
        x = np.array([structures.atoms[i].positions.ravel() for i in group])
        f = np.array([structures.labels["forces"][i].ravel() for i in group])
        away = np.sum(x**2, axis=1)[:, None] + np.sum(x**2, axis=1) - 2 * x @ x.T
        np.fill_diagonal(away, np.inf)
        for i, j in enumerate(np.argmin(away, axis=1)):
            work = float(-(f[i] + f[j]) @ (x[j] - x[i]) / 2)
            yield float(structures.labels["energy"][group[j]] - structures.labels["energy"][group[i]]), work
