"""`symjax predict`: energies, forces and stresses of structures, as extended xyz."""

import sys

import ase.io
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from symjax.cli.config import Predict
from symjax.cli.dataset import describe_mixture
from symjax.cli.report import describe_divergence
from symjax.cli.run import load_potential
from symjax.data import Structures, read_structures


def run(command: Predict) -> int:
    """Write the file; stresses are there where a structure is periodic in all directions."""
    if command.output.suffix not in (".xyz", ".extxyz"):
        raise ValueError(f"predictions are written as extended xyz; name the output FILE.xyz, not {command.output}")
    if not command.output.parent.is_dir():
        raise ValueError(f"there is no folder {command.output.parent} to write {command.output.name} to; make it first")
    potential = load_potential(command.run)
    bare = read_structures(command.input, energy_key=None, forces_key=None)
    found = potential.predict(bare, stress=any(atoms.pbc.all() for atoms in bare.atoms))
    ase.io.write(command.output, [_labelled(found, i) for i in range(len(found))], format="extxyz")
    print(f"{len(found)} structures with energies (eV) and forces (eV/Å) are in {command.output}")
    if divergence := describe_divergence(found):
        print(f"symjax: {command.input}: {divergence}", file=sys.stderr)
    if mixture := describe_mixture(bare):
        print(f"symjax: {command.input} {mixture}; each was predicted as it stands", file=sys.stderr)
    return 0


def _labelled(found: Structures, i: int) -> ase.Atoms:
    atoms = found.atoms[i].copy()
    stress = found.stress if atoms.pbc.all() else None
    labels = {"energy": found.energy, "forces": found.forces, "stress": stress}
    results = {name: values[i] for name, values in labels.items() if values is not None}
    if "stress" in results:
        results["stress"] = full_3x3_to_voigt_6_stress(results["stress"])
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms
