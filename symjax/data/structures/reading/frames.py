"""Files to frames: whatever ASE reads, archives and records, with labels as they stand."""

import pathlib
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import ase
import ase.db
import ase.io
import numpy as np

from symjax.data.structures.reading.cp2k import is_trajectory, read_trajectory
from symjax.data.structures.reading.records import read_records

ALIASES = {
    "numbers": ("z", "nuclear_charges"),
    "positions": ("R", "coords"),
    "energy": ("E", "energies"),
    "forces": ("F", "forces"),
}
UNITS = ("e_unit", "r_unit")
DATABASES = (".db", ".aselmdb")
EVERY = slice(None)


class Frame(NamedTuple):
    """A structure as a file has it, every number the file attaches to it by name, and the words that name it."""

    atoms: ase.Atoms
    labels: Mapping[str, Any]
    where: str = ""


def read_frames(
    path: str | pathlib.Path, *, frames: slice | tuple[int, ...] = EVERY, format: str | None = None
) -> list[Frame]:
    """Read frames of a file; units are the file's.

    Args:
        path: any file ASE reads, its databases included; the .npz layouts of MD17, rMD17 and sGDML; a .json list of
            records with structures of pymatgen; or positions of CP2K, PROJECT-pos-1.xyz, with what is beside them.
        frames: which ones, a slice or their numbers.
        format: ASE's name of the format, where the file's own does not tell it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, or not what its format promises; or Python runs without assertions.
    """
    if not __debug__:
        raise ValueError("ASE reads files by assertions, which python -O drops; leave out -O, or unset PYTHONOPTIMIZE")
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty; expected at least one structure")
    try:
        found = _read(path, frames if isinstance(frames, slice) else EVERY, format)
    except Exception as error:
        reason = f"it asks for {error.name}" if isinstance(error, ImportError) else str(error) or type(error).__name__
        raise ValueError(
            f"cannot read {path}: {reason}; expected a format that ASE reads (--format names one), or .npz"
        ) from error
    if not found:
        raise ValueError(f"{path} holds no structures; expected at least one, or that --format names what it is")
    named = [frame._replace(where=f"{path}, frame {i}") for i, frame in enumerate(found)]
    if not isinstance(frames, slice):
        return _numbered(path, named, frames)
    if not named[frames]:
        raise ValueError(f"{path} holds {len(named)} structures, and none is in the slice that is asked for")
    return named[frames]


def _numbered(path: pathlib.Path, frames: list[Frame], numbers: tuple[int, ...]) -> list[Frame]:
    if beyond := [number for number in numbers if not 0 <= number < len(frames)]:
        raise ValueError(f"{path} holds {len(frames)} structures, and none of number {beyond[0]}, which is asked for")
    return [frames[number] for number in numbers]


def _read(path: pathlib.Path, frames: slice, format: str | None) -> list[Frame]:
    """Return the frames of a file, of which those after the last one that is asked for may be left out."""
    if format is None and path.suffix == ".npz":
        return _read_npz(path)
    if format is None and path.suffix in DATABASES:
        return _read_database(path)
    if format is None and path.suffix == ".json":
        return _read_json(path)
    if format is None and is_trajectory(path):
        return [Frame(*step) for step in read_trajectory(path)]
    start, stop = frames.start or 0, -1 if frames.stop is None else frames.stop
    return _read_ase(path, slice(stop) if min(start, stop, frames.step or 1) >= 0 else EVERY, format)


def _read_ase(path: pathlib.Path, frames: slice, format: str | None) -> list[Frame]:
    """Collect labels first: ASE drops a calculator's results as soon as the cell changes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # that readers of ASE will move to packages of their own
        read = ase.io.iread(path, index=frames, format=format, do_not_split_by_at_sign=True)
        return [_frame(atoms, atoms.info) for atoms in read]


def _read_database(path: pathlib.Path) -> list[Frame]:
    rows = ase.db.connect(path, serial=True).select()
    return [_frame(row.toatoms(), row.key_value_pairs | row.data) for row in rows]


def _read_json(path: pathlib.Path) -> list[Frame]:
    with path.open() as file:
        if file.read(64).lstrip().startswith("["):
            return [Frame(*record) for record in read_records(path)]
    return _read_database(path)


def _frame(atoms: ase.Atoms, notes: Mapping[str, Any]) -> Frame:
    results = {} if atoms.calc is None else atoms.calc.results
    arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
    return Frame(atoms, {**notes, **arrays, **results})


def _read_npz(path: pathlib.Path) -> list[Frame]:
    with np.load(path, allow_pickle=False) as archive:
        names = {key: next((n for n in (key, *ALIASES[key]) if n in archive.files), key) for key in ALIASES}
        for key in ("numbers", "positions"):
            if names[key] not in archive:
                raise ValueError(f"it has no {key} ({' or '.join(ALIASES[key])}), only {', '.join(archive.files)}")
        numbers, positions = archive[names["numbers"]], archive[names["positions"]]
        if positions.ndim != 3 or positions.shape[1:] != (numbers.size, 3):
            raise ValueError(
                "expected positions [frames, n, 3] and atomic numbers [n], the same in all frames, got "
                f"{list(positions.shape)} and {list(numbers.shape)}"
            )
        # sGDML keeps lattice vectors as columns.
        cell = {"cell": archive["lattice"].T, "pbc": True} if "lattice" in archive else {}
        geometry = {names["numbers"], names["positions"], "lattice"}
        stored = {name: archive[name] for name in archive.files if name not in geometry}
    for key in ("energy", "forces"):
        if names[key] in stored:
            stored[key] = stored[names[key]]
            if stored[key].shape[:1] != positions.shape[:1]:
                raise ValueError(
                    f"there are {len(positions)} frames of positions, but {names[key]} has the shape "
                    f"{list(stored[key].shape)}"
                )
    labels = {name: value for name, value in stored.items() if value.shape[:1] == positions.shape[:1]}
    said = {name: stored[name].astype(str).item() for name in UNITS if name in stored}
    return [
        Frame(ase.Atoms(numbers.reshape(-1), x, **cell), said | {key: value[i] for key, value in labels.items()})
        for i, x in enumerate(positions)
    ]
