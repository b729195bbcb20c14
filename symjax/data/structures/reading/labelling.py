"""A frame to its labels: by the names, units and masks of its file, in eV and Å, NaN where something is not known."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from ase import constraints

from symjax.data.structures.labels import LABELS, has_stress
from symjax.data.structures.reading.frames import Frame
from symjax.data.structures.units import ENERGIES, LENGTHS, Factors, property_factor, unit_factors

KEYS = {"energy": "energy", "forces": "forces", "stress": None}  # what files call labels; the others are asked for
VIRIAL = "virial"
MASKS = ("force_mask", "forces_mask")
LATTICES = {"lattice", "cell", "box", "unit_cell", "unitcell", "lattice_vectors", "cell_vectors", "supercell"}
STATED = {"e_unit": "units", "r_unit": "length"}  # what archives may say of themselves, and the option
OTHER_ENERGY = {"energy": "free_energy", "free_energy": "energy"}


class Remark(NamedTuple):
    """Something to tell of a frame.

    Attributes:
        kind: "masked" or "fixed" atoms; a stress of something "flat" or of a "virial"; a "lattice" or another "energy".
        where: the words that name the frame.
        name: of the column, header or label.
        size: how many atoms, or how many eV.
    """

    kind: str
    where: str
    name: str = ""
    size: float = 1


@dataclasses.dataclass(frozen=True)
class Rules:
    """How a file is read.

    Attributes:
        keys: what the file calls the labels that are asked for; "stress" may be "virial".
        factors: of its units.
        virial: whether what is read as "stress" is one: stress = -virial / volume.
        stress_factor: what stresses are multiplied with, beside their unit.
        mask_key: the column of the atoms whose forces count, or 1-NAME, of those that do not.
        format: ASE's name of it.
        property_units: of labels but energies, forces and stresses; None: as `factors` say.
    """

    keys: Mapping[str, str]
    factors: Factors
    virial: bool = False
    stress_factor: float = 1.0
    mask_key: str | None = None
    format: str | None = None
    property_units: str | None = None

    def factor_of(self, name: str) -> float:
        """Return the factor of a label to its unit, with the error of `property_factor`."""
        unit = LABELS[name].unit
        if self.property_units is None or name in KEYS:
            return self.factors.of(unit)
        return property_factor(self.property_units, unit)


def make_rules(
    *,
    units: str = "eV",
    length: str = "Å",
    format: str | None = None,
    virial_key: str | None = None,
    stress_factor: float = 1.0,
    mask_key: str | None = None,
    property_units: str | None = None,
    **keys: str | None,
) -> Rules:
    """Return the rules of `read_structures`.

    Raises:
        TypeError: there is no such label.
        ValueError: a unit is unknown, or stresses are asked for twice.
    """
    if unknown := keys.keys() - {f"{name}_key" for name in LABELS}:
        raise TypeError(
            f"expected keys of labels, {', '.join(f'{name}_key' for name in LABELS)}, got {sorted(unknown)}"
        )
    asked = {name: keys.get(f"{name}_key", KEYS.get(name)) for name in LABELS}
    if virial_key is not None:
        if asked["stress"] is not None:
            raise ValueError("--stress-key and --virial-key name the same label; leave one of them out")
        asked["stress"] = virial_key
    names = {name: key for name, key in asked.items() if key is not None}
    factors, virial = unit_factors(units, length), virial_key is not None
    rules = Rules(names, factors, virial, stress_factor, mask_key, format, property_units)
    for name in names:
        rules.factor_of(name)
    return rules


def require_units(frame: Frame, rules: Rules) -> None:
    """Refuse to read an archive in other units than those that it names itself, as those of sGDML and MD22 do.

    Raises:
        ValueError: they are others.
    """
    for name, flag in STATED.items():
        said = str(frame.labels.get(name, ""))
        known = {"units": ENERGIES, "length": LENGTHS}[flag].get(said.lower())
        asked = {"units": rules.factors.energy, "length": rules.factors.length}[flag]
        if known is not None and not np.isclose(known, asked) and (flag == "length" or rules.keys):
            raise ValueError(f"{frame.where} is in {said}, as it says itself; name the unit with --{flag} {said}")


def label_of(frame: Frame, rules: Rules, name: str) -> np.ndarray:
    """Return a label of a frame, checked: of a graph in its shape, of atoms [n, ...]; NaN where it is not known.

    Raises:
        ValueError: it is no number, misshapen or infinite.
    """
    key, label = rules.keys[name], LABELS[name]
    shape = label.shape if label.of == "graph" else (len(frame.atoms), *label.shape)
    if key not in frame.labels:
        return np.full(shape, np.nan)
    value = _numbers(frame, key, name, shape)
    if name == "stress":
        value *= _stress_factor(frame, rules)
    else:
        value *= rules.factor_of(name)
    return value


def _numbers(frame: Frame, key: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        value = np.array(frame.labels[key], dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{frame.where}: {key!r} should be numbers, got {frame.labels[key]!r}") from None
    if shape == (3, 3) and value.size == 6:
        value = value.reshape(6)[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]]
    transposed = LABELS[name].of == "atom" and value.ndim > 1 and value.shape != shape
    if value.size != np.prod(shape, dtype=int) or transposed:
        raise ValueError(f"{frame.where}: {key!r} should have the shape {shape} of {name}, got {value.shape}")
    if np.isinf(value).any():
        raise ValueError(f"{frame.where}: {key!r} is infinite; remove the frame, or put nan where it is not known")
    return value.reshape(shape)


def _stress_factor(frame: Frame, rules: Rules) -> float:
    """Return what makes stresses in eV/Å³ of what the file has; a virial of something without volume makes none."""
    if not rules.virial:
        return rules.stress_factor * rules.factors.of(LABELS["stress"].unit)
    volume = frame.atoms.cell.volume * rules.factors.length**3
    return -rules.stress_factor * rules.factors.energy / volume if has_stress(frame.atoms) else np.nan


def masked_forces(frame: Frame, rules: Rules, forces: np.ndarray) -> tuple[np.ndarray, list[Remark]]:
    """Return forces that are NaN where a column of the file masks them, or where they were set to zero.

    The columns force_mask and forces_mask, or the one that is asked for, say whose forces count. Atoms that a
    constraint or a column move_mask fixes have forces like others, unless those are exactly zero, as programs write
    what they have fixed.
    """
    names = MASKS if rules.mask_key is None else (rules.mask_key.removeprefix("1-"),)
    forces, remarks = forces.copy(), []
    for name in [name for name in names if name in frame.labels]:
        counts = _mask(frame, name) != (rules.mask_key == f"1-{name}")
        remarks.append(Remark("masked", frame.where, name, _blank(forces, ~counts)))
    fixed = _fixed(frame)
    zero = fixed.any(axis=1) & ~np.any(forces, axis=1, where=fixed)
    remarks.append(Remark("fixed", frame.where, size=_blank(forces, zero)))
    return forces, [remark for remark in remarks if remark.size]


def require_mask(frames: Sequence[Frame], mask: str) -> None:
    """Refuse a mask that is asked for and is a column of no frame.

    Raises:
        ValueError: it is.
    """
    name = mask.removeprefix("1-")
    if frames and not any(name in frame.labels for frame in frames):
        raise ValueError(
            f"{frames[0].where}: there is no column {name!r}, which --mask-key names, here or in other frames, only "
            f"{', '.join(sorted(frames[0].labels)) or 'no columns at all'}"
        )


def _blank(forces: np.ndarray, atoms: np.ndarray) -> int:
    """Forget the forces of some atoms; returns of how many they were known."""
    known = atoms & ~np.isnan(forces).any(axis=1)
    forces[atoms] = np.nan
    return int(known.sum())


def _mask(frame: Frame, name: str) -> np.ndarray:
    """Return for each atom whether a column is true."""
    column = np.asarray(frame.labels[name])
    if column.shape[:1] != (len(frame.atoms),) or not np.isin(column, (0, 1)).all():
        raise ValueError(f"{frame.where}: {name!r} should be true or false for each of its {len(frame.atoms)} atoms")
    return np.all(column.reshape(len(column), -1), axis=1)


def _fixed(frame: Frame) -> np.ndarray:
    """Return which coordinates [n, 3] of atoms are held fixed."""
    fixed = np.zeros((len(frame.atoms), 3), bool)
    for constraint in frame.atoms.constraints:
        if isinstance(constraint, constraints.FixAtoms):
            fixed[constraint.index] = True
        if isinstance(constraint, constraints.FixCartesian):
            fixed[constraint.index] |= np.asarray(constraint.mask)
    if "move_mask" in frame.labels:
        fixed |= ~_mask(frame, "move_mask")[:, None]
    return fixed


def remarks_of(frame: Frame, rules: Rules) -> Iterator[Remark]:
    """Yield what a frame has that the reader may not know of."""
    key = rules.keys.get("energy", "")
    other = OTHER_ENERGY.get(key, "")
    if key in frame.labels and other in frame.labels:
        apart = float(frame.labels[key]) - float(frame.labels[other])
        yield Remark("energy", frame.where, key, abs(apart) * rules.factors.energy)
    if not frame.atoms.pbc.any() and frame.atoms.cell.rank == 0:
        yield from (Remark("lattice", frame.where, name) for name in frame.labels if name.lower() in LATTICES)
    stress = rules.keys.get("stress", "")
    if stress in frame.labels and not has_stress(frame.atoms):
        yield Remark("flat", frame.where)
    if stress in frame.labels and not rules.virial and "virial" in stress.lower() and "stress" not in stress.lower():
        yield Remark("virial", frame.where, stress)


def describe_absence(frame: Frame, rules: Rules, name: str) -> str:
    """Return the sentence on a label that is asked for and known of no frame, of which one is shown."""
    flag = name if name in KEYS else "property"
    flag = VIRIAL if name == "stress" and rules.virial else flag
    keyword = flag if flag == VIRIAL else name
    key, there = rules.keys[name], ", ".join(sorted(frame.labels)) or "no labels at all"
    if key in frame.labels:
        masked = {"forces": " or masked", "stress": " or without a volume"}.get(name, "")
        return (
            f"{frame.where}: {key!r}, the {name}, is not a number{masked} here and in all frames; repair it, or name "
            "another label"
        )
    dispensable = ", or None to do without" if name in ("forces", "stress") else ""
    return (
        f"{frame.where}: there is no {name} under {key!r}, only {there}; name the right one with --{flag}-key, in "
        f"Python {keyword}_key{dispensable}"
    )
