"""`symjax relax`: structures at rest, their frequencies and phonons."""

import csv
import dataclasses
import glob
import pathlib
import sys
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from symjax.cli.asked import energies_in
from symjax.cli.options import RunDirectory, parse_options, switched
from symjax.data import LABELS, Structures, format_of, make_samples, read_whole, without_labels, write_structures
from symjax.potentials import Calculator, Potential
from symjax.potentials.motion import (
    Relaxation,
    Relaxed,
    Vibrations,
    dispersion_hessian,
    phonons,
    require_phonons,
    vibrations,
    with_dispersion,
)
from symjax.tasks import structures as task
from symjax.training import require_another, require_folder, require_new

ROUGH = 0.01  # of the highest frequency: what a small supercell may miss near Gamma


@dataclasses.dataclass(frozen=True)
class Relax:
    """Move structures downhill by a trained model, in double precision, until no force is large.

    The exit code is 1 where a structure has not come to rest.
    """

    run: RunDirectory
    structure: pathlib.Path  # a file of one or more structures, whose columns and constraints are kept
    relaxation: Relaxation = dataclasses.field(default_factory=Relaxation)
    out: pathlib.Path = pathlib.Path("relaxed.xyz")  # whose name says the format, such as FILE.xyz, FILE.traj, FILE.cif
    format: str | None = None  # as ASE calls it, where the name does not say it
    dispersion: str | None = None  # the functional whose D3(BJ) dispersion is added, such as pbe; needs dftd3
    frequencies: bool = False  # of vibrations at rest, by the exact Hessian, to OUT_frequencies.csv; imaginary below 0
    phonons: bool = False  # of crystals at rest, into OUT_phonons.png and OUT_phonons.csv; needs phonopy
    supercell: tuple[int, int, int] = (2, 2, 2)  # unit cells along each lattice vector, for phonons


def parse(arguments: list[str]) -> Relax:
    """Return the options."""
    return parse_options(Relax, "relax", switched(arguments, "--frequencies", "--phonons", "--fix-symmetry"))


def run(command: Relax) -> int:
    """Relax, print a table, and write the files; the exit code is 1 where a structure is not at rest."""
    require_another(command.out, command.structure)
    require_new(command.out, *_more(command))
    require_folder(command.out)
    format = format_of(command.out, command.format)
    with jax.enable_x64(True):
        potential, structures = _asked(command)
        found = _relax(command, potential, structures)
        task.tell_lost(command.out, format, write_structures(command.out, _written(found), format=format))
        _print(found, f"{len(found)} structures of {command.structure}, relaxed, are in {command.out}")
        resting = {i: relaxed for i, relaxed in enumerate(found) if not relaxed.trouble}
        if command.frequencies:
            _find_frequencies(command, potential, resting)
        if command.phonons:
            _find_phonons(command, potential, resting)
    for i, relaxed in enumerate(found):
        if relaxed.trouble:
            print(f"symjax: structure {i} ({relaxed.atoms.symbols}) is not at rest: {relaxed.trouble}", file=sys.stderr)
    return 0 if len(resting) == len(found) else 1


def _asked(command: Relax) -> tuple[Potential, Structures]:
    """Return a potential in double precision and structures that it can relax.

    Raises:
        ValueError: the run learns no energy, or a structure, named by its index, cannot be what is asked for.
    """
    potential = energies_in(command.run).in_double()
    structures = read_whole(command.structure)
    for i, atoms in enumerate(structures.atoms):
        try:
            command.relaxation.require_meaning(atoms)
            if command.phonons:
                require_phonons(atoms, command.supercell)
        except ValueError as error:
            raise ValueError(f"{command.structure}, structure {i}: {error}") from None
    make_samples(structures, cutoff=potential.model.cutoff, species=potential.species)
    return potential, structures


def _relax(command: Relax, potential: Potential, structures: Structures) -> list[Relaxed]:
    calculator = Calculator(potential)
    if command.dispersion is not None:
        calculator = with_dispersion(calculator, command.dispersion)
    return [command.relaxation.relax(atoms, calculator) for atoms in structures.atoms]


def _written(found: list[Relaxed]) -> Structures:
    """Return relaxed structures with their labels, and deviations where there are some."""
    labels: dict[str, Any] = {
        "energy": np.array([relaxed.energy for relaxed in found]),
        "forces": tuple(relaxed.forces for relaxed in found),
        "stress": np.array([np.zeros((3, 3)) if relaxed.stress is None else relaxed.stress for relaxed in found]),
    }
    for name in {name for relaxed in found for name in relaxed.deviations}:
        values = [relaxed.deviations.get(name, np.nan) for relaxed in found]
        labels[name] = tuple(values) if LABELS[name].of == "atom" else np.array(values)
    bare = [without_labels(relaxed.atoms) for relaxed in found]
    if dropped := sorted({name for _, names in bare for name in names}):
        print(f"symjax: left out {', '.join(dropped)}, which held before the atoms moved", file=sys.stderr)
    return Structures(tuple(atoms for atoms, _ in bare), labels)


def _print(found: list[Relaxed], title: str) -> None:
    """Print one line a structure."""
    names = ("", "start, eV", "end, eV", "force, eV/Å", "steps", "Å³", "at rest")
    table = Table(*names, title=title)
    for i, relaxed in enumerate(found):
        volume = "-" if relaxed.stress is None else f"{relaxed.atoms.get_volume():.3f}"
        energies = f"{relaxed.before:.6f}", f"{relaxed.energy:.6f}"
        verdict = "NO" if relaxed.trouble else "yes"
        name = f"{i} {relaxed.atoms.symbols}"
        table.add_row(name, *energies, f"{relaxed.fmax:.2e}", str(relaxed.steps), volume, verdict)
    Console().print(table)


def _beside(command: Relax, what: str) -> pathlib.Path:
    return command.out.with_name(f"{command.out.stem}_{what}")


def _more(command: Relax) -> list[pathlib.Path]:
    """Return what is there already of the files that are asked for beside the structures."""
    names = ["frequencies.csv"] * command.frequencies + ["phonons*.png", "phonons*.csv"] * command.phonons
    return [path for name in names for path in command.out.parent.glob(f"{glob.escape(command.out.stem)}_{name}")]


def _find_frequencies(command: Relax, potential: Potential, resting: dict[int, Relaxed]) -> None:
    """Print and write the vibrations of structures at rest."""
    rows: list[tuple] = [("structure", "mode", "wavenumber_per_cm", "energy_meV", "kind")]
    for i, relaxed in resting.items():
        more = None if command.dispersion is None else dispersion_hessian(command.dispersion, relaxed.atoms)
        modes = vibrations(potential, relaxed.atoms, more)
        print(f"structure {i} ({relaxed.atoms.symbols}): {_describe(modes)}")
        rows += [(i, k, mode.wavenumber, 1000 * mode.energy, mode.kind) for k, mode in enumerate(modes.modes)]
    path = _beside(command, "frequencies.csv")
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    print(f"all modes are in {path}")


def _describe(found: Vibrations, shown: int = 12) -> str:
    """Return wave numbers, the zero-point energy, and how far rigid motions are from zero."""
    inner = [mode for mode in found.modes if mode.kind == "vibration"]
    rigid = [abs(mode.wavenumber) for mode in found.modes if mode.kind != "vibration"]
    parts = [f"{len(inner)} vibrations"]
    if inner:
        names = [str(mode).strip() for mode in inner[:shown]] + ["..."] * (len(inner) > shown)
        parts[0] += f" at {', '.join(names)} cm^-1"
    if rigid:
        parts.append(f"{len(rigid)} rigid motions below {max(rigid):.2g} cm^-1")
    parts.append(f"zero-point energy {found.zero_point_energy:.4f} eV")
    return "; ".join([*parts, f"{len(found.imaginary)} imaginary: no minimum"] if found.imaginary else parts)


def _find_phonons(command: Relax, potential: Potential, resting: dict[int, Relaxed]) -> None:
    """Draw and write the phonons of structures at rest."""
    for i, relaxed in resting.items():
        found = phonons(potential, relaxed.atoms, supercell=command.supercell, functional=command.dispersion)
        number = f"_{i}" if len(resting) > 1 else ""
        picture, table = _beside(command, f"phonons{number}.png"), _beside(command, f"phonons{number}.csv")
        found.draw(picture)
        found.write_heat(table)
        free, entropy, heat = next(row[1:] for row in found.heat if row[0] == 300)
        real = found.lowest > -ROUGH * found.bands.max()
        stable = "" if real else f"; IMAGINARY, down to {-found.lowest:.2f}i THz: no minimum"
        print(
            f"structure {i} ({relaxed.atoms.symbols}): phonons up to {found.bands.max():.2f} THz{stable}; acoustic "
            f"ones at Gamma within {np.abs(found.gamma[:3]).max():.1e} THz; at 300 K free energy {free:.3f} kJ/mol, "
            f"entropy {entropy:.2f} and heat capacity {heat:.2f} J/mol/K; see {picture} and {table}"
        )
