"""`symjax predict`: what a trained model says of structures, as extended xyz."""

import dataclasses
import pathlib
import sys

from symjax.cli.options import RunDirectory, parse_options
from symjax.data import LABELS, describe_mixture, read_structures, write_structures
from symjax.potentials import describe_divergence
from symjax.tasks import load


@dataclasses.dataclass(frozen=True)
class Predict:
    """Write energies, forces and stresses of structures, as extended xyz; other columns of the input are not kept."""

    run: RunDirectory
    input: pathlib.Path  # anything ASE reads
    output: pathlib.Path  # FILE.xyz or FILE.extxyz


def parse(arguments: list[str]) -> Predict:
    """Return the options."""
    return parse_options(Predict, "predict", arguments)


def run(command: Predict) -> int:
    """Write the file; stresses are there where a structure is periodic in all directions."""
    if command.output.suffix not in (".xyz", ".extxyz"):
        raise ValueError(f"predictions are written as extended xyz; name the output FILE.xyz, not {command.output}")
    if not command.output.parent.is_dir():
        raise ValueError(f"there is no folder {command.output.parent} to write {command.output.name} to; make it first")
    potential = load(command.run)
    bare = read_structures(command.input, energy_key=None, forces_key=None)
    predicted = potential.predict(bare, stress=any(atoms.pbc.all() for atoms in bare.atoms))
    write_structures(command.output, predicted)
    units = " and ".join(f"{name} ({LABELS[name].shown[1].removeprefix('m')})" for name in predicted.labels)
    print(f"{len(predicted)} structures with {units} are in {command.output}")
    if divergence := describe_divergence(predicted):
        print(f"symjax: {command.input}: {divergence}", file=sys.stderr)
    if mixture := describe_mixture(bare):
        print(f"symjax: {command.input} {mixture}; each was predicted as it stands", file=sys.stderr)
    return 0
