"""A run directory: everything that is needed to go on with a training, and to use what it learnt.

run.json        the configuration of the training
model.json      the model's options, species, references and statistics of the training data
checkpoints/    steps, each with its digest
metrics.jsonl   one record an epoch
report.json, *.png   errors on the test set, learning curve and parity plots
"""

import dataclasses
import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import ase
import jax
import numpy as np
from jaxtyping import PyTree

from symjax.cli.config import Labels, Model, Train
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

    def build(self) -> NequIP:
        """Return the module."""
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in self.options.items()}
        return MODELS[self.name](**options)

    def shapes(self) -> PyTree:
        """Return zeros of the shapes and types of the parameters, in single precision."""
        model, atom = self.build(), ase.Atoms([self.species[0]])
        graph = jax.tree.map(
            lambda leaf: leaf.astype(np.float32) if np.issubdtype(leaf.dtype, np.floating) else leaf,
            atoms_graph(atom, cutoff=model.cutoff, species=self.species),
        )
        params = jax.eval_shape(model.init, jax.random.key(0), graph)
        return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)


def write_run(folder: pathlib.Path, config: Train, blueprint: Blueprint) -> None:
    """Create the run directory.

    Raises:
        ValueError: there is a run already.
    """
    if (folder / "run.json").exists():
        raise ValueError(f"{folder} already holds a run; continue it with --resume {folder}, or choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    model = dataclasses.asdict(blueprint) | {"references": blueprint.references.to_dict()}
    _write(folder / "model.json", model)
    _write(folder / "run.json", dataclasses.asdict(config))


def read_config(folder: pathlib.Path) -> Train:
    """Return the configuration a run was started with."""
    data = _read(folder / "run.json")
    try:
        net = Model(**data["net"] | {"radial_widths": tuple(data["net"]["radial_widths"])})
        paths = {name: pathlib.Path(data[name]) for name in ("data", "out") if data[name] is not None}
        options: dict[str, Any] = data | paths | {"net": net, "labels": Labels(**data["labels"])}
        return Train(**options)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}/run.json is not a configuration of this version of symjax: {error}") from None


def read_blueprint(folder: pathlib.Path) -> Blueprint:
    """Return what model.json says of a run's model."""
    data = _read(folder / "model.json")
    try:
        if data["name"] not in MODELS:
            raise ValueError(
                f"{folder} holds a model {data['name']!r}, but this version only knows {', '.join(MODELS)}"
            )
        references = References.from_dict(data["references"])
        blueprint = Blueprint(**data | {"species": tuple(data["species"]), "references": references})
        blueprint.build()
        return blueprint
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}/model.json does not describe a model of this version of symjax: {error}") from None


def load_potential(folder: pathlib.Path) -> Potential:
    """Return the best potential of a run; damaged checkpoints that were passed over are named on stderr."""
    blueprint = read_blueprint(folder)
    if not any((folder / "checkpoints").glob("[0-9]*")):
        raise ValueError(f"{folder} has no checkpoints yet; let the training finish an epoch first")
    with CheckpointStore(folder / "checkpoints", read_only=True) as store:
        params, _, passed_over = restore_params(store, target=blueprint.shapes())
    for sentence in passed_over:
        print(sentence, file=sys.stderr)
    return Potential(blueprint.build(), params, blueprint.species, blueprint.references)


def _read(path: pathlib.Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path.parent} is not a run directory of `symjax train`: there is no {path.name}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError(f"expected a JSON object, got {data!r:.40}")
        return data
    except ValueError as error:  # of JSON or of the encoding
        raise ValueError(f"{path} is damaged: {error}") from None


def _write(path: pathlib.Path, data: dict[str, Any]) -> None:
    """Write all of a file or nothing."""
    text, partial = json.dumps(data, indent=2, default=str, ensure_ascii=False) + "\n", path.with_suffix(".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"{path} could not be written: {error.strerror}") from error
