"""What all questions about structures share: reading, errors, predictions, laws."""

import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax import laws
from symjax.data import (
    LABELS,
    Found,
    LabelKeys,
    Structures,
    find_sources,
    format_of,
    has_stress,
    keys_of,
    make_samples,
    read_sources,
    read_structures,
    read_weights,
    read_whole,
    write_structures,
)
from symjax.graphs import ATOMS
from symjax.groups import Group, S
from symjax.laws import Equivariance, Law
from symjax.potentials import (
    Measurement,
    Potential,
    describe_divergence,
    doubt_of_units,
    load_potential,
    measure as measure_potential,
    print_errors,
    read_example,
)
from symjax.reps import Axis, Relabelling, Trivial
from symjax.tasks.finetune import read_origin as read_origin
from symjax.tasks.preparing import prepare_structures as prepare_structures
from symjax.tasks.uncertainty import (
    Uncertainty,
    calibrate as calibrate,
    compare,
    uncertain,
)
from symjax.training import require_folder, require_new, say

VERB = "train"
DATA = tuple[pathlib.Path, ...]
load = load_potential


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the labels of a file are read, and what is measured besides errors."""

    labels: LabelKeys = dataclasses.field(default_factory=LabelKeys)
    property_key: str | None = None  # what the file calls a property that is no energy; None: as the run calls it
    property_units: str | None = None  # and its unit: debye, e·bohr, bohr², bohr³, ...
    uncertainty: Uncertainty | None = None  # whose deviations stand beside errors; None: a committee's, if it is one
    picture: pathlib.Path | None = None  # of errors against deviations, FILE.png


def measure(folder: pathlib.Path, data: Structures) -> Measurement:
    """Return the errors of the best model of a run on labelled structures."""
    return measure_potential(load(folder), data)


def read_data(options: Any, **rules: Any) -> Found:
    """Return what the files that are asked for hold.

    Raises:
        ValueError: as `read_sources`.
    """
    parts = {"train": options.data, "valid": options.valid_data, "test": options.test_data}
    sources = [source for part, words in parts.items() for source in find_sources(words or (), part=part, **rules)]
    return read_sources(sources, weights=read_weights(options.config_type_weights))


def evaluate(folder: pathlib.Path, data: tuple[pathlib.Path, ...], reading: Reading) -> None:
    """Print the table of errors, with deviations beside them where there are some, and a sentence on what is doubtful.

    That is predictions that are not finite, and the unit of the labels.
    """
    if reading.picture is not None:
        require_new(reading.picture)
    potential = load(folder)
    predictor = uncertain(folder, potential, reading.uncertainty)
    if reading.picture is not None and predictor is potential and potential.members is None:
        raise ValueError(f"{folder} has no deviations to draw; add --uncertainty last-layer")
    keys = dataclasses.asdict(reading.labels)
    if potential.label != "energy":
        keys |= keys_of(potential.label, reading.property_key) | {"property_units": reading.property_units}
    found = read_sources(find_sources(data, **keys))
    say(*found.notes)
    truth, predicted, errors = measure_potential(predictor, found.structures)
    names = ", ".join(map(str, data))
    print_errors(errors, f"{len(truth)} structures of {names}")
    compare(truth, predicted, predictor.calibration, reading.picture)
    if doubt := describe_divergence(predicted) or doubt_of_units(truth, predicted, reading.labels.units):
        print(f"symjax: {names}: {doubt}", file=sys.stderr)


def predict(folder: pathlib.Path, input: pathlib.Path, output: pathlib.Path, format: str | None) -> None:
    """Write structures with all that their file says of them, and what a model says: energies, forces and stresses.

    Stresses are there where a structure is periodic and has a volume.
    """
    format = format_of(output, format)
    require_folder(output)
    potential = load(folder)
    structures = read_whole(input)
    predicted = potential.predict(structures, stress=any(map(has_stress, structures.atoms)))
    lost = write_structures(output, predicted, format=format)
    if kept := [name for name in predicted.labels if name not in lost]:
        print(f"{len(predicted)} structures with {_named(kept)} are in {output}")
    tell_lost(output, format, lost)
    if divergence := describe_divergence(predicted):
        print(f"symjax: {input}: {divergence}", file=sys.stderr)


def tell_lost(output: pathlib.Path, format: str, lost: Sequence[str]) -> None:
    """Say which labels and columns a file has no place for, if any."""
    if lost:
        print(
            f"symjax: {output} lacks {', '.join(lost)}: files of the format {format} have no place for that; name "
            "FILE.xyz to keep it",
            file=sys.stderr,
        )


def _named(labels: Iterable[str]) -> str:
    return " and ".join(f"{name} ({LABELS[name].shown[1].removeprefix('m')})" for name in labels)


def check(folder: pathlib.Path, data: pathlib.Path | None, seed: int) -> bool:
    """Print one line a law, in float64, of a training structure or the first of a file; return whether all hold."""
    potential = load(folder)
    structures = read_example(folder) if data is None else read_structures(data, energy_key=None, forces_key=None)
    [sample] = make_samples(structures[:1], cutoff=potential.model.cutoff, species=potential.species)
    graph = sample.graph
    if not graph.n_edge.sum():
        raise ValueError(
            f"no two atoms of {structures.atoms[0].symbols} are within {potential.model.cutoff} Å, so that "
            "all laws hold trivially; name another file with --data"
        )
    with jax.enable_x64(True):
        reports = _reports(potential, graph, structures[:1], jax.random.key(seed))
        for name, report in reports.items():
            print(f"{name} of {structures.atoms[0].get_chemical_formula()}, float64", report, sep="\n")
    return all(reports.values())


def _reports(
    potential: Potential, graph: jraph.GraphsTuple, structure: Structures, key: jax.Array
) -> dict[str, laws.Report]:
    """Return the measured laws of each label of a structure."""
    params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), float), potential.params)
    [atoms] = structure.atoms
    motions = potential.model.laws(graph)[0].group
    predict = potential.labels(stress=bool(atoms.pbc.all()))

    def report(name: str) -> laws.Report:
        declared = _laws(name, motions, len(atoms))
        return laws.check(lambda graph: predict(params, graph)[name], graph, key=key, laws=declared)

    return {name: report(name) for name in jax.eval_shape(predict, params, graph)}


def _laws(name: str, motions: Group, atoms: int) -> list[Law]:
    """Return how a label of so many atoms goes with the motions that the model knows and with their numbering."""
    label = LABELS[name]
    numbering = Trivial() if label.of == "graph" else Axis(0)
    return [Equivariance(motions, ATOMS, label.rep), Equivariance(S(atoms), Relabelling("atoms"), numbering)]
