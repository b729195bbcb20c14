"""Fine-tuning: a training that begins with the model of another run."""

import dataclasses
import pathlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import ase
import jax
import numpy as np
from jaxtyping import PyTree

from symjax.data import Structures
from symjax.graphs import atoms_graph
from symjax.potentials import (
    Blueprint,
    Potential,
    choose_params,
    extend_species,
    identity_of,
    load_potential,
    measure,
    read_blueprint,
    transfer_params,
)
from symjax.training import read_run, require_same_identity, run_once

OF_ATOMS = ("converted", "potential", "property")  # the tasks


class Start(NamedTuple):
    """The run that a fine-tuning begins with.

    Attributes:
        folder: of the run.
        blueprint: of its model, with a row for each new element.
        potential: the same with its parameters, and fresh ones for new elements; of its references none is new.
    """

    folder: pathlib.Path
    blueprint: Blueprint
    potential: Potential

    @property
    def species(self) -> tuple[int, ...]:
        """The atomic numbers of the extended table."""
        return self.blueprint.species

    def adopt(self, drawn: Blueprint, test: Structures) -> Blueprint:
        """Return the blueprint of the new run, with where it comes from and its errors on test data before any step.

        Args:
            drawn: as a run from scratch would have it; its references, statistics and run are taken.
            test: labelled structures.
        """
        before = measure(dataclasses.replace(self.potential, references=drawn.references), test).errors
        origin = {"run": str(self.folder.absolute()), "identity": identity_of(self.folder), "errors": before}
        own = {name: getattr(drawn, name) for name in ("references", "spreads", "statistics", "run")}
        return dataclasses.replace(self.blueprint, **own, origin=origin)


def read_origin(folder: pathlib.Path) -> Blueprint:
    """Return the blueprint of a run to begin with.

    Raises:
        ValueError: it is no run, or not of a model of atoms.
    """
    if (task := read_run(folder).task) not in OF_ATOMS:
        raise ValueError(f"{folder} is a run of the task {task}; begin with one of symjax train or symjax convert")
    return read_blueprint(folder)


def begin(options: Any, label: str, species: tuple[int, ...], seed: int) -> Start:
    """Return what `options.init` has learnt, ready for data of some species.

    Raises:
        ValueError: it is no run of a model of atoms, predicts something else, or has other options than are asked for.
    """
    folder = options.init
    had = read_origin(folder)
    if had.label != label:
        raise ValueError(f"{folder} predicts {had.label}, not {label}; begin with a run that does")
    if had.members is not None:
        raise ValueError(f"{folder} is a committee of {had.members}; begin with a run of a single model")
    require_same_model(options, had)
    learnt = load_potential(folder)
    grown = extend_species(had.species, species)
    had = dataclasses.replace(had, options=had.options | {"species": len(grown)}, species=grown)
    model, params = had.build(), learnt.params
    if grown != learnt.species:
        params = transfer_params(params, draw_params(model, grown, seed))
    return Start(folder, had, dataclasses.replace(learnt, model=model, params=params, species=grown))


def first_params(own: Blueprint, start: Start | None, folder: pathlib.Path, seed: int) -> Callable[..., PyTree]:
    """Return what gives a training its first parameters, of a key and a batch: drawn, or those that it begins with.

    A fine-tuning that goes on begins anew with the run it comes from, where it has saved nothing of its own.

    Raises:
        ValueError: that run is needed, and it is not there any more, or another one.
    """
    model = own.build()
    if start is not None:
        return lambda key, batch: start.potential.params
    if not own.origin or any((folder / "checkpoints").glob("[0-9]*")):
        return lambda key, batch: model.init(key, batch.graph)
    origin = pathlib.Path(own.origin["run"])
    require_same_identity(str(origin), own.origin["identity"], identity_of(origin))
    params = transfer_params(load_potential(origin).params, draw_params(model, own.species, seed))
    return lambda key, batch: params


def frozen_params(options: Any, own: Blueprint | None) -> Callable[[PyTree], PyTree] | None:
    """Return which parameters `options.freeze` leaves as they are, a function of all of them; None where it names none.

    Args:
        options: of the question.
        own: the model, where it is one that was learnt.

    Raises:
        ValueError: there is nothing to keep, or the patterns name nothing, or everything.
    """
    if not options.freeze:
        return None
    if own is None:
        raise ValueError("--freeze keeps what a run has learnt; name the run with --init")
    choose_params(own.shapes(), options.freeze)
    return partial(choose_params, patterns=options.freeze)


def draw_params(model: Any, species: tuple[int, ...], seed: int) -> PyTree:
    """Return random parameters in single precision, as a training of this seed draws them."""
    graph = atoms_graph(ase.Atoms([species[0]]), cutoff=model.cutoff, species=species)
    single = jax.tree.map(lambda x: x.astype(np.float32) if np.issubdtype(x.dtype, np.floating) else x, graph)
    return run_once(model.init, jax.random.key(seed), single)


def require_same_model(options: Any, had: Blueprint) -> None:
    """Refuse a model or an option of it that is not the one of the run to begin with.

    Raises:
        ValueError: there is one.
    """
    if options.model != had.name:
        raise ValueError(f"{options.init} is of --model {had.name}, not {options.model}; leave the option out")
    there = had.network
    here = dataclasses.replace(had, options=had.options | options.net).network
    for name in (field.name for field in dataclasses.fields(there)):
        asked, has = getattr(here, name), getattr(there, name)
        if asked != has:
            flag = f"--{name.replace('_', '-')}"
            raise ValueError(f"{options.init} is of a model with {flag} {has}, not {asked}; leave the option out")
