"""Files to frames: whatever ASE reads, and the .npz layouts of MD17, rMD17 and sGDML, with labels as they stand."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import ase
import ase.io
import numpy as np

ALIASES = {
    "numbers": ("z", "nuclear_charges"),
    "positions": ("R", "coords"),
    "energy": ("E", "energies"),
    "forces": ("F", "forces"),
}


class Frame(NamedTuple):
    """A structure as a file has it, and every number the file attaches to it, by name."""

    atoms: ase.Atoms
    labels: Mapping[str, Any]


def read_frames(path: str | pathlib.Path) -> list[Frame]:
    """Read all frames of a file; units are the file's.

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
        frames = _read_npz(path) if path.suffix == ".npz" else _read_ase(path)
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"cannot read {path}: {reason}; expected a format that ASE reads, or .npz") from error
    if not frames:
        raise ValueError(f"{path} holds no structures; expected at least one")
    return frames


def _read_ase(path: pathlib.Path) -> list[Frame]:
    """Collect labels first: ASE drops a calculator's results as soon as the cell changes."""
    frames = []
    for atoms in ase.io.iread(path, index=":", do_not_split_by_at_sign=True):
        results = {} if atoms.calc is None else atoms.calc.results
        arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
        frames.append(Frame(atoms, atoms.info | arrays | results))
    return frames


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
    return [
        Frame(ase.Atoms(numbers.reshape(-1), x, **cell), {key: value[i] for key, value in labels.items()})
        for i, x in enumerate(positions)
    ]
