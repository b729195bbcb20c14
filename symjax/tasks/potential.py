"""Interatomic potentials: energies, forces and stresses of structures."""

import dataclasses
import pathlib
from typing import Any, Literal

from tyro.conf import Suppress

from symjax import potentials
from symjax.data import LabelKeys, Structures, ethanol, read_labelled
from symjax.tasks import Prepared
from symjax.tasks.structures import (
    VERB as VERB,
    Reading as Reading,
    check as check,
    evaluate as evaluate,
    load as load,
    measure as measure,
    predict as predict,
    prepare_structures,
)
from symjax.training import Recipe, read_schedule


@dataclasses.dataclass(frozen=True)
class Options:
    """Data, network and weights of an interatomic potential."""

    data: pathlib.Path | None = None  # anything ASE reads, or an MD17, rMD17 or sGDML .npz; None: the shipped ethanol
    labels: LabelKeys = dataclasses.field(default_factory=LabelKeys)
    valid: float = 0.1  # a fraction below 1, or a number of structures
    test: float = 0.1
    references: str | None = None  # fit | isolated | H=-13.6,C=-1029.5 (eV); with --init also residual | keep
    repulsion: Literal["zbl"] | None = None  # of nuclei at short distance, added to the network
    model: str = potentials.DEFAULT  # a row of the table of potentials
    preset: Literal["tiny", "small", "base"] = "small"
    net: Suppress[dict[str, Any]] = dataclasses.field(default_factory=dict)
    batch_size: int = 5  # structures, on average
    init: pathlib.Path | None = None  # the run whose model to go on from
    freeze: tuple[str, ...] = ()  # with --init: parameters that stay as they are, such as embedding or layer_0/*
    energy_weight: str = "1"  # of the squared error per atom; a number, or a schedule such as 0:1,5000:10 (step:weight)
    forces_weight: str = "1"  # of the squared error of components
    stress_weight: str = "1"


def prepare(
    options: Options, recipe: Recipe, folder: pathlib.Path, *, run: str = "", resumed: bool = False
) -> Prepared:
    """Return the task of learning the potential, with the errors of its parts."""
    weights = _weights(options)
    return prepare_structures(
        read(options),
        options,
        recipe,
        folder,
        references=lambda train, start: _references(train, options, start),
        weights=weights,
        label="energy",
        run=run,
        resumed=resumed,
    )


def read(options: Options) -> Structures:
    """Return the labelled structures that are asked for."""
    return ethanol() if options.data is None else read_labelled(options.data, **dataclasses.asdict(options.labels))


def _references(train: Structures, options: Options, start: potentials.Potential | None) -> potentials.References:
    if start is None:
        bare = potentials.without_repulsion(train, options.repulsion, cutoff=options.net["cutoff"])
        made = potentials.make_references(bare, options.references or "fit")
        return dataclasses.replace(made, repulsion=options.repulsion)
    if options.repulsion not in (None, had := start.references.repulsion):
        raise ValueError(f"{options.init} was learnt with --repulsion {had}, not {options.repulsion}; leave it out")
    return potentials.move_references(start, train, options.references)


def _weights(options: Options) -> dict[str, dict[int, float]]:
    keys = {
        "energy": options.labels.energy_key,
        "forces": options.labels.forces_key,
        "stress": options.labels.stress_key,
    }
    names = [name for name, key in keys.items() if key is not None]
    schedules = {name: read_schedule(getattr(options, f"{name}_weight"), f"--{name}-weight") for name in names}
    if not any(any(values.values()) for values in schedules.values()):
        flags = " and ".join(f"--{name}-weight" for name in names)
        raise ValueError(f"nothing can be learnt with {flags} of 0; give a positive weight")
    return schedules
