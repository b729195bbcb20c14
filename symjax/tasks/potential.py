"""Interatomic potentials: energies, forces and stresses of structures."""

import dataclasses
import pathlib
from collections.abc import Iterable
from typing import Any, Literal

from tyro.conf import Suppress

from symjax import potentials
from symjax.data import Found, LabelKeys, Structures, ethanol
from symjax.tasks import Prepared
from symjax.tasks.structures import (
    DATA as DATA,
    VERB as VERB,
    Reading as Reading,
    calibrate as calibrate,
    check as check,
    evaluate as evaluate,
    load as load,
    measure as measure,
    predict as predict,
    prepare_structures,
    read_data,
    read_origin as read_origin,
)
from symjax.training import Recipe, read_schedule


@dataclasses.dataclass(frozen=True)
class Options:
    """Data, network and weights of an interatomic potential."""

    data: tuple[pathlib.Path, ...] | None = None  # files, patterns, file@:100, a .toml; None: the shipped ethanol
    valid_data: tuple[pathlib.Path, ...] | None = None  # files for validation, in place of --valid
    test_data: tuple[pathlib.Path, ...] | None = None  # and for testing, in place of --test
    labels: LabelKeys = dataclasses.field(default_factory=LabelKeys)
    valid: float = 0.1  # a fraction below 1, or a number of structures
    test: float = 0.1  # 0: none, and errors are those on the validation structures
    config_type_weights: str | None = None  # in the loss, such as liquid=0.1,surface=5; 1 where none is named
    references: str | None = None  # fit | isolated | H=-13.6,C=-1029.5 (eV); with --init also residual | keep
    repulsion: Literal["none", "zbl"] = "none"  # of nuclei at short distance, added to the network
    model: str = potentials.DEFAULT  # a row of the table of potentials
    preset: Literal["tiny", "small", "base"] = "small"
    net: Suppress[dict[str, Any]] = dataclasses.field(default_factory=dict)
    committee: int = 1  # models that learn side by side, each from parameters of its own, for deviations
    batch_size: int = 5  # structures, on average
    init: pathlib.Path | None = None  # the run whose model to go on from
    freeze: tuple[str, ...] = ()  # with --init: parameters that stay as they are, such as embedding or layer_0/*
    energy_weight: str = "3"  # of squared errors per atom; a number, or a schedule such as 0:1,5000:10 (step:weight)
    forces_weight: str = "1"  # of squared errors of components; all errors are divided by the spread of the forces
    stress_weight: str = "0.3"  # of squared errors of components times the volume per atom


def prepare(
    options: Options, recipe: Recipe, folder: pathlib.Path, *, run: str = "", resumed: bool = False
) -> Prepared:
    """Return the task of learning the potential, with the errors of its parts."""
    found = read(options)
    weights = _weights(options, found.structures.labels)
    return prepare_structures(
        found,
        options,
        recipe,
        folder,
        references=lambda train, start: _references(train, options, start),
        weights=weights,
        label="energy",
        run=run,
        resumed=resumed,
    )


def read(options: Options) -> Found:
    """Return the labelled structures that are asked for."""
    if options.data is not None:
        return read_data(options, **dataclasses.asdict(options.labels))
    if options.valid_data or options.test_data:
        raise ValueError("--valid-data and --test-data go with --data; name the files to learn from")
    return Found(ethanol())


def _references(train: Structures, options: Options, start: potentials.Potential | None) -> potentials.References:
    if start is None:
        bare = potentials.without_repulsion(train, options.repulsion, cutoff=options.net["cutoff"])
        made = potentials.make_references(bare, options.references or "fit")
        return dataclasses.replace(made, repulsion=options.repulsion)
    if options.repulsion not in ("none", had := start.references.repulsion):
        raise ValueError(f"{options.init} was learnt with --repulsion {had}, not {options.repulsion}; leave it out")
    return potentials.move_references(start, train, options.references)


def _weights(options: Options, labels: Iterable[str]) -> dict[str, dict[int, float]]:
    names = [name for name in ("energy", "forces", "stress") if name in labels]
    schedules = {name: read_schedule(getattr(options, f"{name}_weight"), f"--{name}-weight") for name in names}
    if not any(any(values.values()) for values in schedules.values()):
        flags = " and ".join(f"--{name}-weight" for name in names)
        raise ValueError(f"nothing can be learnt with {flags} of 0; give a positive weight")
    return schedules
