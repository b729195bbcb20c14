"""Potentials that others trained: `symjax convert` makes a run of them, and what trained ones can do they can do."""

import dataclasses
import hashlib
import pathlib
from typing import Literal

import ase
import ase.build
from ase.data import chemical_symbols, covalent_radii

from symjax import training
from symjax.potentials import Blueprint, Converted, convert_sevennet, read_sevennet, write_blueprint
from symjax.tasks.structures import (
    DATA as DATA,
    Reading as Reading,
    check as check,
    evaluate as evaluate,
    load as load,
    measure as measure,
    predict as predict,
)

VERB = "convert"
SALT = 11, 17


@dataclasses.dataclass(frozen=True)
class Options:
    """What is converted: the kind of model, and its checkpoint; None: the one that ships with its package."""

    kind: Literal["sevennet"] = "sevennet"
    checkpoint: pathlib.Path | None = None


def convert(options: Options, folder: pathlib.Path) -> Blueprint:
    """Write the run directory of a potential that others trained.

    Raises:
        ValueError: the checkpoint cannot be read or is of another kind of model, or the folder is not free.
    """
    path, config, state = read_sevennet(options.checkpoint)
    source = {"checkpoint": path.name, "digest": hashlib.sha256(path.read_bytes()).hexdigest()}
    return write(convert_sevennet(config, state), source, options, folder)


def write(model: Converted, source: dict[str, str], options: Options, folder: pathlib.Path) -> Blueprint:
    """Write the run directory of a converted potential, with where it is from; the error of a folder is as above."""
    recipe = training.Recipe()
    with training.enter_run(folder, "converted", options, recipe, resumed=False) as identity:
        blueprint = Blueprint(model.name, model.options, model.species, model.references, source, run=identity)
        write_blueprint(folder, blueprint, _example(model.species))
        training.write_run(folder, "converted", options, recipe, identity)
        with training.CheckpointStore(folder / "checkpoints", identity=blueprint.identity) as store:
            training.save_params(store, model.params)
    return blueprint


def _example(species: tuple[int, ...]) -> ase.Atoms:
    """Return a distorted crystal for `check`: of rock salt, or else as that of the first and the last element."""
    pair = SALT if {*SALT} <= {*species} else (species[0], species[-1])
    width = 2 * float(sum(covalent_radii[number] for number in pair))
    name = "".join(chemical_symbols[number] for number in pair)
    atoms = ase.build.bulk(name, "rocksalt", a=width, cubic=True)
    atoms.rattle(0.1, seed=0)
    return atoms
