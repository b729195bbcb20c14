"""Files to labelled structures: keys and units, labels checked, isolated atoms set aside."""

import pathlib

import ase
import numpy as np

from symjax.data.structures.frames import Frame, read_frames
from symjax.data.structures.labels import LABELS
from symjax.data.structures.structures import Structures
from symjax.data.structures.units import Factors, unit_factors

NOTES = ("config_type", "charge", "spin")  # what is kept of a frame besides its geometry and labels
KEYS = {"energy": "energy", "forces": "forces", "stress": None}  # what files call labels; the others are asked for


def keys_of(name: str, key: str | None = None) -> dict[str, str | None]:
    """Return the keys by which `read_structures` reads one label and no other; None: the file calls it as we do."""
    return {f"{other}_key": None for other in KEYS} | {f"{name}_key": key or name}


def read_structures(
    path: str | pathlib.Path, *, units: str = "eV", length: str = "Å", **keys: str | None
) -> Structures:
    """Read a data set: any file ASE reads, or the .npz layouts of MD17, rMD17 and sGDML.

    Isolated atoms (frames with config_type IsolatedAtom, or a single atom that is not periodic) become reference
    energies instead of structures, where energies are asked for. A label that a frame lacks, or that is NaN, is not
    known there. Of the notes of a frame are kept config_type, charge and spin.

    Args:
        path: the file.
        units: the unit of energies, as `unit_factors` knows them; stress is that per cubic length.
        length: the unit of positions, and with charges of e that of dipoles.
        keys: what the file calls a label: `energy_key="REF_energy"`, `dipole_key="mu"`; None does not ask for it. By
            default energy_key="energy" and forces_key="forces". Stresses are 3x3 numbers, or six in Voigt order xx, yy,
            zz, yz, xz, xy.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: there is no such label.
        ValueError: the file cannot be read, a label that is asked for is known of no frame, or misshapen or infinite in
            one, a structure is empty, or nothing but isolated atoms is left.
    """
    if unknown := keys.keys() - {f"{name}_key" for name in LABELS}:
        raise TypeError(
            f"expected keys of labels, {', '.join(f'{name}_key' for name in LABELS)}, got {sorted(unknown)}"
        )
    asked = {name: keys.get(f"{name}_key", KEYS.get(name)) for name in LABELS}
    names = {name: key for name, key in asked.items() if key is not None}
    factors = unit_factors(units, length)
    frames = [(f"{path}, frame {i}", frame) for i, frame in enumerate(read_frames(path))]
    atoms = [(where, frame) for where, frame in frames if "energy" not in names or not _is_isolated(frame)]
    if not atoms:
        raise ValueError(f"{path} holds nothing but isolated atoms; expected structures to learn from")
    bare = tuple(_bare(where, frame.atoms, factors) for where, frame in atoms)
    labels = {}
    for name, key in names.items():
        values = [_label(where, frame, key, name) * factors.of(LABELS[name].unit) for where, frame in atoms]
        if all(np.isnan(value).all() for value in values):
            raise ValueError(_nowhere(*atoms[0], key, name))
        labels[name] = np.array(values) if LABELS[name].of == "graph" else tuple(values)
    return Structures(
        atoms=bare,
        labels=labels,
        isolated=_isolated(frames, names["energy"], factors) if "energy" in names else {},
    )


def read_labelled(path: str | pathlib.Path, *, units: str = "eV", length: str = "Å", **keys: str | None) -> Structures:
    """Return the structures of a file with the labels asked for, which all are of one kind.

    Raises:
        ValueError: as `read_structures`, some structures are periodic and others are not, or stresses are asked for
            and a structure has no volume.
    """
    structures = read_structures(path, units=units, length=length, **keys)
    for i, atoms in enumerate(structures.atoms if "stress" in structures.labels else ()):
        if atoms.cell.rank < 3 or not atoms.pbc.any():
            raise ValueError(
                f"{path}, structure {i} ({atoms.symbols}) is not periodic and can have no stress; leave such "
                "structures out, or leave --stress-key out"
            )
    if mixture := describe_mixture(structures):
        raise ValueError(
            f"{path} {mixture}; restore them, put molecules into a wide periodic box, or keep one kind only"
        )
    return structures


def describe_mixture(structures: Structures) -> str | None:
    """Return what is doubtful where some structures are periodic and others are not; atoms alone may be either."""
    closed = [i for i, atoms in enumerate(structures.atoms) if atoms.pbc.any()]
    open_ = [i for i, atoms in enumerate(structures.atoms) if not atoms.pbc.any() and len(atoms) > 1]
    if not closed or not open_:
        return None
    first, other = (f"structure {i}, {structures.atoms[i].symbols}" for i in (closed[0], open_[0]))
    return f"mixes periodic structures (first {first}) with open ones (first {other}), as files that lost some cells do"


def read_isolated_atoms(path: str | pathlib.Path, *, energy_key: str = "energy", units: str = "eV") -> dict[int, float]:
    """Read the energies in eV of the isolated atoms of a file, by atomic number.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file cannot be read, has no isolated atoms, lacks an energy, or has two for one element.
    """
    frames = [(f"{path}, frame {i}", frame) for i, frame in enumerate(read_frames(path))]
    energies = _isolated(frames, energy_key, unit_factors(units))
    if not energies:
        raise ValueError(f"{path} holds no isolated atoms; expected frames with a single atom that is not periodic")
    return energies


def _is_isolated(frame: Frame) -> bool:
    if len(frame.atoms) != 1:
        return False
    kind = str(frame.labels.get("config_type", "")).lower().replace("_", "")
    return kind == "isolatedatom" or not frame.atoms.pbc.any()


def _isolated(frames: list[tuple[str, Frame]], key: str, factors: Factors) -> dict[int, float]:
    energies: dict[int, float] = {}
    for where, frame in frames:
        if _is_isolated(frame):
            number, value = int(frame.atoms.numbers[0]), float(_label(where, frame, key, "energy")) * factors.energy
            if np.isnan(value):
                raise ValueError(_nowhere(where, frame, key, "energy"))
            if abs(energies.setdefault(number, value) - value) > 1e-6:
                raise ValueError(
                    f"{where}: isolated {frame.atoms.symbols} has {value} eV, but {energies[number]} eV in an earlier "
                    "frame; keep one of them"
                )
    return energies


def _label(where: str, frame: Frame, key: str, what: str) -> np.ndarray:
    """Return one label of one frame, checked: of a graph in its shape, of atoms [n, ...]; NaN where it is not known."""
    label = LABELS[what]
    shape = label.shape if label.of == "graph" else (len(frame.atoms), *label.shape)
    if key not in frame.labels:
        return np.full(shape, np.nan)
    try:
        value = np.array(frame.labels[key], dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: {key!r} should be numbers, got {frame.labels[key]!r}") from None
    if label.shape == (3, 3) and value.size == 6:
        value = value.reshape(6)[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]]
    transposed = label.of == "atom" and value.ndim > 1 and value.shape != shape
    if value.size != np.prod(shape, dtype=int) or transposed:
        raise ValueError(f"{where}: {key!r} should have the shape {shape} of {what}, got {value.shape}")
    if np.isinf(value).any():
        raise ValueError(f"{where}: {key!r} is infinite; remove the frame, or put nan where the label is not known")
    return value.reshape(shape)


def _nowhere(where: str, frame: Frame, key: str, what: str) -> str:
    if key in frame.labels:
        return f"{where}: {key!r}, the {what}, is not a number here and in all frames; repair it, or name another label"
    dispensable = ", or None to do without" if what in ("forces", "stress") else ""
    return (
        f"{where}: there is no {what} under {key!r}, only {', '.join(sorted(frame.labels)) or 'no labels at all'}; "
        f"name the right one with --{what if what in KEYS else 'property'}-key, in Python {what}_key{dispensable}"
    )


def _bare(where: str, atoms: ase.Atoms, factors: Factors) -> ase.Atoms:
    """Return a structure in Å without calculator, constraints and other notes than those of `NOTES`."""
    if len(atoms) == 0:
        raise ValueError(f"{where} has no atoms; remove it")
    if not np.isfinite(atoms.positions).all():
        raise ValueError(f"{where} has positions that are not finite; remove it")
    return ase.Atoms(
        atoms.numbers,
        atoms.positions * factors.length,
        cell=atoms.cell.array * factors.length,
        pbc=atoms.pbc,
        info={name: atoms.info[name] for name in NOTES if name in atoms.info},
    )
