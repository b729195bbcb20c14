"""Sources to labelled structures: labels checked and joined, isolated atoms set aside, and what there is to tell."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ase
import numpy as np

from symjax.data.structures.labels import LABELS, has_stress
from symjax.data.structures.reading.doubts import describe_doubts, require_possible
from symjax.data.structures.reading.energies import describe_energies
from symjax.data.structures.reading.frames import Frame, read_frames
from symjax.data.structures.reading.isolated import (
    LoneAtom,
    describe_isolated,
    is_isolated,
    isolated_energies,
    lone_atom,
)
from symjax.data.structures.reading.labelling import (
    KEYS,
    Remark,
    Rules,
    describe_absence,
    label_of,
    make_rules,
    masked_forces,
    remarks_of,
    require_mask,
    require_units,
)
from symjax.data.structures.reading.notes import describe_kinds, describe_known, describe_remarks
from symjax.data.structures.reading.sources import Source, find_sources
from symjax.data.structures.structures import Structures

NOTES = ("config_type", "charge", "spin")  # what is kept of a frame besides its geometry and labels


class Found(NamedTuple):
    """What some sources hold.

    Attributes:
        structures: of all of them, in their order.
        parts: [g], which part each structure is for, as `Source` has it; None: all are for training.
        notes: one line for each thing to tell.
        where: the words that name the file and frame of each structure.
    """

    structures: Structures
    parts: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def part(self, name: str) -> Structures | None:
        """Return the structures of a part, None where no source is for it."""
        parts = np.full(len(self.structures), "train") if self.parts is None else self.parts
        chosen = np.flatnonzero(parts == name)
        return self.structures[chosen] if len(chosen) else None


class _Contents(NamedTuple):
    """What one source holds: structures with each label that is asked for, and the frames they are of."""

    source: Source
    rules: Rules
    frames: list[Frame]
    atoms: list[ase.Atoms]
    labels: dict[str, list[np.ndarray]]
    lone: list[LoneAtom]
    remarks: list[Remark]


def keys_of(name: str, key: str | None = None) -> dict[str, str | None]:
    """Return the keys by which `read_structures` reads one label and no other; None: the file calls it as we do."""
    return {f"{other}_key": None for other in KEYS} | {f"{name}_key": key or name}


def read_structures(path: str | pathlib.Path, **rules: Any) -> Structures:
    """Read a data set: any file ASE reads, or the .npz layouts of MD17, rMD17 and sGDML.

    Isolated atoms (a frame with one neutral atom that its config_type calls isolated, or that is not periodic, or 8 Å
    from its images) become reference energies instead of structures, where energies are asked for. A label that a frame
    lacks, or that is NaN, is not known there, nor is a stress without a volume; neither are forces that a column
    force_mask or forces_mask masks, nor those of fixed atoms that are exactly zero. Of the notes of a frame are kept
    config_type, charge and spin.

    Args:
        path: the file; as `find_sources` reads it, also a pattern, or with frames behind an @.
        rules: `units`, of energies as `unit_factors` knows them, "eV" by default; stress is that per cubic length.
            `length`, of positions, and with charges of e that of dipoles, "Å" by default. `property_units`, such as
            "debye", "bohr²" or "bohr³": of dipoles, extents and polarisabilities, where it is another.
            `NAME_key` for what the file calls a label: `energy_key="REF_energy"`, `dipole_key="mu"`; None does not ask
            for it. By default energy_key="energy" and forces_key="forces". Stresses are 3x3 numbers, or six in Voigt
            order xx, yy, zz, yz, xz, xy. `virial_key` instead of `stress_key`: stress = -virial / volume.
            `stress_factor`, what stresses are multiplied with. `mask_key`, the column of atoms whose forces count, or
            1-NAME of those whose do not. `format`, ASE's name of the file's.

    Raises:
        FileNotFoundError: there is no such file.
        TypeError: there is no such label.
        ValueError: the file cannot be read, a label that is asked for is known of no frame, or misshapen or infinite in
            one, a structure cannot be, or nothing but isolated atoms is left.
    """
    return _joined([_read(source) for source in find_sources([path], **rules)])


def read_sources(sources: Sequence[Source], *, weights: Mapping[str, float] | None = None) -> Found:
    """Read several sources as one data set; what one has no label for is not known there.

    Args:
        sources: one or more.
        weights: how much structures of a config_type count, times the weight of their source; others count 1.

    Raises:
        FileNotFoundError, TypeError: as `read_structures`.
        ValueError: as `read_structures`; two sources have other energies for one isolated atom, or no structure is of
            a config_type that has a weight.
    """
    contents = [_read(source) for source in sources]
    structures, where = _joined(contents), _places(contents)
    counts = [len(content.frames) for content in contents]
    parts = np.repeat([source.part for source in sources], counts)
    structures = _weighed(structures, np.repeat([source.weight for source in sources], counts), weights or {})
    remarks = [remark for content in contents for remark in content.remarks]
    notes = [*describe_kinds(structures), *describe_known(structures, remarks), *describe_remarks(remarks)]
    notes += [describe_isolated(structures.isolated)] if structures.isolated else []
    notes += [*describe_doubts(structures, where), *describe_energies(structures, where)]
    return Found(structures, parts, tuple(notes), tuple(where))


def read_isolated_atoms(path: str | pathlib.Path, *, energy_key: str = "energy", units: str = "eV") -> dict[int, float]:
    """Read the energies in eV of the isolated atoms of a file, by atomic number.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file cannot be read, has no isolated atoms, lacks an energy, or has two for one element.
    """
    rules = make_rules(energy_key=energy_key, units=units)
    energies = isolated_energies([lone_atom(frame, rules) for frame in read_frames(path) if is_isolated(frame, rules)])
    if not energies:
        raise ValueError(f"{path} holds no isolated atoms; expected frames with a single atom that is not periodic")
    return energies


def _read(source: Source) -> _Contents:
    rules = make_rules(**source.rules)
    found = read_frames(source.path, frames=source.frames, format=rules.format)
    require_units(found[0], rules)
    alone = ["energy" in rules.keys and is_isolated(frame, rules) for frame in found]
    apart, frames = ([found[i] for i in np.flatnonzero(np.equal(alone, side))] for side in (True, False))
    labels = {name: [label_of(frame, rules, name) for frame in frames] for name in rules.keys}
    remarks = [remark for frame in frames for remark in remarks_of(frame, rules)]
    for i, forces in enumerate(labels.get("forces", ())):
        labels["forces"][i], masked = masked_forces(frames[i], rules, forces)
        remarks += masked
    atoms = [_bare(frame, rules.factors.length) for frame in frames]
    return _Contents(source, rules, frames, atoms, labels, [lone_atom(frame, rules) for frame in apart], remarks)


def _joined(contents: Sequence[_Contents]) -> Structures:
    """Return the structures of all sources, which can be; a stress without a volume is not known.

    Raises:
        ValueError: there are none, one cannot be, or all stresses are without a volume.
    """
    if not any(content.frames for content in contents):
        path = contents[0].source.path
        raise ValueError(f"{path} holds nothing but isolated atoms; expected structures to learn from")
    for mask in {mask for content in contents if (mask := content.rules.mask_key)}:
        require_mask([frame for c in contents if c.rules.mask_key == mask for frame in c.frames], mask)
    structures = Structures(
        atoms=tuple(atoms for content in contents for atoms in content.atoms),
        labels=_labels(contents),
        isolated=isolated_energies([atom for content in contents for atom in content.lone]),
    )
    where = _places(contents)
    require_possible(structures, where)
    if structures.stress is not None:
        structures.stress[[not has_stress(atoms) for atoms in structures.atoms]] = np.nan
        if np.isnan(structures.stress).all():
            raise ValueError(
                f"{where[0]}, as all others, is not periodic and can have no stress; leave --stress-key out"
            )
    return structures


def _places(contents: Sequence[_Contents]) -> list[str]:
    return [frame.where for content in contents for frame in content.frames]


def _labels(contents: Sequence[_Contents]) -> dict[str, Any]:
    """Return the labels of all sources, NaN where a source has none.

    Raises:
        ValueError: one that is asked for is known nowhere.
    """
    labels = {}
    asking = {name: [c for c in contents if name in c.rules.keys and c.frames] for name in LABELS}
    for name, those in [(name, those) for name, those in asking.items() if those]:
        values = [value for content in contents for value in content.labels.get(name) or _unknown(content.atoms, name)]
        if all(np.isnan(value).all() for value in values):
            raise ValueError(describe_absence(those[0].frames[0], those[0].rules, name))
        labels[name] = np.array(values) if LABELS[name].of == "graph" else tuple(values)
    return labels


def _unknown(structures: Sequence[ase.Atoms], name: str) -> list[np.ndarray]:
    label = LABELS[name]
    return [np.full(label.shape if label.of == "graph" else (len(a), *label.shape), np.nan) for a in structures]


def _weighed(structures: Structures, given: np.ndarray, weights: Mapping[str, float]) -> Structures:
    if unknown := sorted(weights.keys() - {*structures.kinds}):
        kinds = ", ".join(sorted({*structures.kinds} - {""})) or "none"
        raise ValueError(f"no structure has the config_type {unknown[0]!r}, which has a weight; there are {kinds}")
    product = given * [weights.get(kind, 1.0) for kind in structures.kinds]
    return dataclasses.replace(structures, weights=product) if np.any(product != 1.0) else structures


def _bare(frame: Frame, length: float) -> ase.Atoms:
    """Return a structure in Å without calculator, constraints and other notes than those of `NOTES`."""
    atoms = frame.atoms
    if len(atoms) == 0:
        raise ValueError(f"{frame.where} has no atoms; remove it")
    if not np.isfinite(atoms.positions).all():
        raise ValueError(f"{frame.where} has positions that are not finite; remove it")
    return ase.Atoms(
        atoms.numbers,
        atoms.positions * length,
        cell=atoms.cell.array * length,
        pbc=atoms.pbc,
        info={name: frame.labels[name] for name in NOTES if np.ndim(frame.labels.get(name, ())) == 0},
    )
