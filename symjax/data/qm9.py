"""QM9: 130,831 molecules of H, C, N, O and F, and twelve targets (Ramakrishnan et al. 2014, doi:10.1038/sdata.2014.22).

The molecules come with the package `qm9pack`. Its tables are parsed once and kept as arrays among the user's caches.
"""

import contextlib
import csv
import importlib.util
import os
import pathlib
import zipfile
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import ase
import numpy as np
from ase import units
from jaxtyping import Float, Int

from symjax.caches import user_caches

TABLES = ("qm9_part1.csv", "qm9_part2.csv", "qm9_part3.csv")
ELEMENTS = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}
BARE = str.maketrans("", "", "[]'")


class Target(NamedTuple):
    """A property of a molecule.

    Attributes:
        column: of the tables.
        unit: in which it is given here.
        factor: from the unit of the column to it.
        atoms: what free atoms of H, C, N, O and F have, in the unit of the column; none where it is not taken off.
        extensive: whether it grows with the number of atoms.
    """

    column: str
    unit: str
    factor: float = 1.0
    atoms: tuple[float, ...] = (0.0,) * len(ELEMENTS)
    extensive: bool = True


def _energy(column: str, *atoms: float, extensive: bool = True) -> Target:
    return Target(column, "eV", units.Hartree, atoms or (0.0,) * len(ELEMENTS), extensive)


TARGETS = {
    "mu": Target("Dipole_debye", "D", extensive=False),
    "alpha": Target("Polarizability_bohr3", "a0³"),
    "homo": _energy("HOMO_au", extensive=False),
    "lumo": _energy("LUMO_au", extensive=False),
    "gap": _energy("HOMO_LUMO_gap_au", extensive=False),
    "r2": Target("R2_bohr2", "a0²"),
    "zpve": _energy("ZPVE_au"),
    "U0": _energy("InternalEnergy_0K_au", -0.500273, -37.846772, -54.583861, -75.064579, -99.718730),
    "U": _energy("InternalEnergy_298K_au", -0.498857, -37.845355, -54.582445, -75.063163, -99.717314),
    "H": _energy("Enthalphy_298K_au", -0.497912, -37.844411, -54.581501, -75.062219, -99.716370),
    "G": _energy("GibbsFreeEnergy_298K_au", -0.510927, -37.861317, -54.598897, -75.079532, -99.733544),
    "Cv": Target("Heatcapacity_Cv_cal_mol_K", "cal/(mol K)"),
}


class QM9(NamedTuple):
    """Molecules as arrays, those of all in turn.

    Attributes:
        index: of the published files, 1 to 133885; 3054 of them did not keep their bonds and are left out.
        sizes: atoms of each molecule.
        numbers: atomic numbers.
        positions: Å.
        values: of the columns of `TARGETS`, in their order and in the units of the tables.
    """

    index: Int[np.ndarray, " g"]
    sizes: Int[np.ndarray, " g"]
    numbers: Int[np.ndarray, " n"]
    positions: Float[np.ndarray, "n 3"]
    values: Float[np.ndarray, "g 12"]

    def molecules(self, chosen: Sequence[int] | Int[np.ndarray, " _"]) -> tuple[ase.Atoms, ...]:
        """Return the chosen molecules, in the order asked for."""
        ends = np.cumsum(self.sizes)
        spans = [slice(ends[i] - self.sizes[i], ends[i]) for i in chosen]
        return tuple(ase.Atoms(self.numbers[span], self.positions[span]) for span in spans)

    def target(self, name: str) -> Float[np.ndarray, " g"]:
        """Return a target of all molecules, in its unit, less what their free atoms have.

        Raises:
            ValueError: there is no such target.
        """
        target = target_of(name)
        values = self.values[:, list(TARGETS).index(name)]
        table = np.zeros(max(ELEMENTS.values()) + 1)
        table[[*ELEMENTS.values()]] = target.atoms
        starts = np.cumsum(self.sizes) - self.sizes
        return (values - np.add.reduceat(table[self.numbers], starts)) * target.factor


def target_of(name: str) -> Target:
    """Return a row of `TARGETS`.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in TARGETS:
        raise ValueError(f"QM9 has no target {name!r}; its twelve are {', '.join(TARGETS)}")
    return TARGETS[name]


def read_qm9(cache: str | pathlib.Path | None = None) -> QM9:
    """Return all molecules, from arrays that the first call keeps.

    Args:
        cache: the folder where they are kept; None: among the user's caches.

    Raises:
        ValueError: they are not kept there yet, and qm9pack is not installed.
    """
    path = (user_caches() if cache is None else pathlib.Path(cache)) / "qm9.npz"
    if path.is_file():
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return QM9(**{name: archive[name] for name in QM9._fields})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            pass  # damaged: made anew
    made = parse_qm9(*_tables())
    _keep(path, made)
    return made


def parse_qm9(*tables: pathlib.Path) -> QM9:
    """Return the molecules of tables as qm9pack has them, in the order of their index.

    Raises:
        ValueError: a table lacks a column, or a list in it is not as long as the molecule.
    """
    rows = sorted((row for table in tables for row in _rows(table)), key=lambda row: int(row["Index"]))
    sizes = np.array([int(row["N_atoms"]) for row in rows])
    symbols = ",".join(row["Elements"] for row in rows).translate(BARE).split(",")
    positions = np.array(",".join(row["XYZ_Ang"] for row in rows).translate(BARE).split(","), float)
    if (len(symbols), len(positions)) != (sizes.sum(), 3 * sizes.sum()):
        raise ValueError(f"the tables of QM9 have {sizes.sum()} atoms, but {len(symbols)} symbols; install it anew")
    values = [[float(row[target.column]) for target in TARGETS.values()] for row in rows]
    return QM9(
        index=np.array([int(row["Index"]) for row in rows]),
        sizes=sizes,
        numbers=np.array([ELEMENTS[symbol] for symbol in symbols]),
        positions=positions.reshape(-1, 3),
        values=np.array(values),
    )


def split_qm9(
    count: int = 130_831, *, train: int = 110_000, valid: int = 10_000, seed: int = 42
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which molecules are for training, validation and testing, the last all others.

    The sizes are those of the published tables. There is no one published choice; this is that of DimeNet's code, whose
    seed is 42.

    Raises:
        ValueError: there are fewer molecules than the first two parts need, and one to test on.
    """
    if min(train, valid) < 1 or train + valid >= count:
        raise ValueError(
            f"cannot split {count} molecules into {train} for training, {valid} for validation and at least one for "
            "testing; ask for fewer"
        )
    order = np.random.RandomState(seed).permutation(count)
    first, second, third = np.split(order, np.cumsum([train, valid]))
    return first, second, third


def _rows(table: pathlib.Path) -> Iterator[dict[str, str]]:
    wanted = {"Index", "N_atoms", "Elements", "XYZ_Ang"} | {target.column for target in TARGETS.values()}
    with table.open(newline="") as file:
        rows = csv.DictReader(file)
        if lacking := wanted - {*(rows.fieldnames or ())}:
            raise ValueError(f"{table} has no column {min(lacking)}; this version of symjax reads those of qm9pack 1.0")
        yield from ({name: row[name] for name in wanted} for row in rows)


def _tables() -> list[pathlib.Path]:
    """Return the tables of qm9pack, which is not imported, because it asks for packages that newer Pythons lack."""
    found = importlib.util.find_spec("qm9pack")
    if found is None or not found.submodule_search_locations:
        raise ValueError("QM9 comes with the package qm9pack, 104 MB: pip install 'symjax[qm9]'")
    return [pathlib.Path(found.submodule_search_locations[0]) / "data" / name for name in TABLES]


def _keep(path: pathlib.Path, molecules: QM9) -> None:
    """Write the arrays, whole or not at all; where that cannot be, the tables are parsed again next time."""
    partial = path.with_suffix(f".{os.getpid()}.npz")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            np.savez(partial, **molecules._asdict())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
