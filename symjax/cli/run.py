"""A run directory: everything that is needed to go on with a training, and to use what it learnt.

run.json        the configuration of the training
model.json      the model's options, species, references and statistics of the training data
structure.xyz   a training structure, for `check`
checkpoints/    steps, each with its digest
metrics.jsonl   one record an epoch
report.json, *.png   errors on the test set, learning curve and parity plots
"""

import dataclasses
import hashlib
import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import ase
import ase.io
import jax
import numpy as np
from jaxtyping import PyTree

from symjax.cli.config import Train
from symjax.cli.files import damaged, decode, read_json, write_json
from symjax.data import Structures, read_structures
from symjax.graphs import atoms_graph
from symjax.models.nequip import NequIP
from symjax.potentials.potential import Potential
from symjax.potentials.references import References
from symjax.training import CheckpointStore, restore_params

MODELS: dict[str, Callable[..., NequIP]] = {"nequip": NequIP}


@dataclasses.dataclass(frozen=True)
class Blueprint:
    """What a model is besides its parameters, and what it was made from."""

    name: str
    options: dict[str, Any]
    species: tuple[int, ...]
    references: References
    statistics: dict[str, Any]

    @property
    def identity(self) -> str:
        """The SHA-256 of what model.json says; two models of the same shapes differ in it."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return dataclasses.asdict(self) | {"references": self.references.to_dict()}

    def build(self) -> NequIP:
        """Return the module."""
        return decode(MODELS[self.name], self.options, "options")

    def shapes(self) -> PyTree:
        """Return zeros of the shapes and types of the parameters, in single precision."""
        model, atom = self.build(), ase.Atoms([self.species[0]])
        graph = jax.tree.map(
            lambda leaf: leaf.astype(np.float32) if np.issubdtype(leaf.dtype, np.floating) else leaf,
            atoms_graph(atom, cutoff=model.cutoff, species=self.species),
        )
        params = jax.eval_shape(model.init, jax.random.key(0), graph)
        return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)


@dataclasses.dataclass(frozen=True)
class _StoredReferences:
    """Reference energies as JSON has them, by chemical symbol."""

    energies: dict[str, float]
    shift: float
    scale: float


def require_free(folder: pathlib.Path) -> None:
    """Refuse a folder that holds a run, or what is left of one.

    Raises:
        ValueError: it does.
    """
    if (folder / "run.json").exists():
        raise ValueError(f"{folder} already holds a run; continue it with --resume {folder}, or choose another --out")
    if any((folder / "checkpoints").glob("[0-9]*")):
        raise ValueError(
            f"{folder} holds checkpoints but no run.json, so that they cannot be continued; choose another --out, or "
            f"move {folder / 'checkpoints'} away"
        )


def write_run(folder: pathlib.Path, config: Train, blueprint: Blueprint, structure: ase.Atoms) -> None:
    """Create the run directory, or write over one."""
    folder.mkdir(parents=True, exist_ok=True)
    ase.io.write(folder / "structure.xyz", structure, format="extxyz")
    write_json(folder / "model.json", blueprint.to_dict())
    write_json(folder / "run.json", dataclasses.asdict(config))


def read_config(folder: pathlib.Path) -> Train:
    """Return the configuration a run was started with."""
    path = folder / "run.json"
    data = read_json(path)
    try:
        return decode(Train, data, "it")
    except ValueError as error:
        raise damaged(path, error) from None


def read_blueprint(folder: pathlib.Path) -> Blueprint:
    """Return what model.json says of a run's model."""
    path = folder / "model.json"
    data = read_json(path)
    try:
        name = decode(str, data.get("name"), "name")
        if name not in MODELS:
            raise ValueError(f"it is of a model {name!r}, and this version of symjax only knows {', '.join(MODELS)}")
        references = decode(_StoredReferences, data.get("references"), "references")
        data |= {"references": References.from_dict(dataclasses.asdict(references))}
        blueprint = decode(Blueprint, data, "it")
        if blueprint.build().species != len(blueprint.species):
            raise ValueError(f"the options count {blueprint.build().species} species, not {len(blueprint.species)}")
        return blueprint
    except ValueError as error:
        raise damaged(path, error) from None


def read_example(folder: pathlib.Path) -> Structures:
    """Return the training structure that a run keeps, without labels."""
    return read_structures(folder / "structure.xyz", energy_key=None, forces_key=None)


def load_potential(folder: pathlib.Path) -> Potential:
    """Return the best potential of a run; damaged checkpoints that were passed over are named on stderr."""
    blueprint = read_blueprint(folder)
    if not any((folder / "checkpoints").glob("[0-9]*")):
        raise ValueError(f"{folder} has no checkpoints yet; let the training finish an epoch first")
    with CheckpointStore(folder / "checkpoints", identity=blueprint.identity, read_only=True) as store:
        params, _, passed_over = restore_params(store, target=blueprint.shapes())
    for sentence in passed_over:
        print(sentence, file=sys.stderr)
    return Potential(blueprint.build(), params, blueprint.species, blueprint.references)
