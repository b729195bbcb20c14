"""What all questions about structures share: split, graphs, a blueprint, batches."""

import dataclasses
import pathlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ase
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax import laws
from symjax.data import (
    LABELS,
    Found,
    Graphs,
    LabelKeys,
    Splits,
    Structures,
    find_sources,
    format_of,
    has_stress,
    kept_labels,
    keys_of,
    make_samples,
    read_sources,
    read_structures,
    read_weights,
    read_whole,
    sample_sizes,
    split_data,
    statistics,
    write_structures,
)
from symjax.graphs import ATOMS, mean_budget
from symjax.groups import Group, S
from symjax.laws import Equivariance, Law
from symjax.math import require_memory
from symjax.potentials import (
    Blueprint,
    Measurement,
    Potential,
    References,
    describe_divergence,
    describe_references,
    doubt_of_units,
    draw_blueprint,
    identity_of,
    label_loss,
    label_spreads,
    load_potential,
    measure as measure_potential,
    print_errors,
    read_blueprint,
    read_example,
    require_same_charges,
    scaled_labels,
    without_repulsion,
    write_blueprint,
)
from symjax.reps import Axis, Relabelling, Trivial
from symjax.tasks import Prepared
from symjax.tasks.finetune import begin, first_params, frozen_params, read_origin as read_origin
from symjax.tasks.uncertainty import (
    Uncertainty,
    calibrate as calibrate,
    compare,
    count_members,
    uncertain,
)
from symjax.training import Recipe, Task, piecewise_linear, require_folder, require_same_data, say

VERB = "train"
BYTES = 100  # at least, of a node, edge or graph of a batch
DATA = tuple[pathlib.Path, ...]
load = load_potential


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the labels of a file are read, and what is measured besides errors."""

    labels: LabelKeys = dataclasses.field(default_factory=LabelKeys)
    property_key: str | None = None  # what the file calls a property that is no energy; None: as the run calls it
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


def prepare_structures(
    found: Found,
    options: Any,
    recipe: Recipe,
    folder: pathlib.Path,
    *,
    references: Callable[[Structures, Potential | None], References],
    weights: Mapping[str, Mapping[int, float]],
    label: str,
    run: str,
    resumed: bool,
) -> Prepared:
    """Return the task of learning some labels of structures, and write or compare model.json.

    Args:
        found: labelled structures, as read.
        options: of the question; `valid`, `test`, `model`, `net`, `committee`, `batch_size`, `init` and `freeze` are
            used.
        recipe: how it is learnt.
        folder: the run directory.
        references: training structures, and the potential that a fine-tuning begins with -> what to take off their
            labels; a resumed run has its own.
        weights: of the labels that are learnt, by step; of squared errors over the squared spread of the label.
        label: what the head makes.
        run: the identity of the run.
        resumed: whether the run goes on.
    """
    members = count_members(options)
    _require_sound(found, options)
    say(*found.notes)
    splits = split_data(found, valid=options.valid, test=options.test, seed=recipe.seed)
    test, measured = _measured(splits)
    own = read_blueprint(folder) if resumed else None
    start = None if options.init is None or own else begin(options, label, splits.train.species, recipe.seed)
    frozen = frozen_params(options, own or (start and start.blueprint))
    known = own.references if own else references(splits.train, start and start.potential)
    cutoff, species = options.net["cutoff"], (own or start or splits.train).species
    train, valid = (make_samples(known.remove(part), cutoff=cutoff, species=species) for part in splits[:2])
    neighbours = sample_sizes(train)[1]
    drawn = draw_blueprint(
        options.model,
        options.net,
        facts=statistics(splits.train, neighbours),
        splits=splits,
        references=known,
        label=label,
        run=run,
        spreads=own.spreads if own else _spreads(splits.train, known, cutoff),
        members=members,
    )
    drawn = start.adopt(drawn, test) if start else drawn
    budget = mean_budget(*sample_sizes([*train, *valid]), options.batch_size)
    require_memory(BYTES * sum(budget), f"a batch of --batch-size {options.batch_size}")
    densest = splits.train.atoms[int(np.argmax(neighbours))]  # without edges, laws hold trivially
    blueprint = _settled(folder, own, drawn, densest)
    identity = identity_of(folder) if resumed else blueprint.identity  # a new file may not be there for all processes
    batches = Graphs(train, budget, seed=recipe.seed)
    init, learnt = first_params(blueprint, start, folder, recipe.seed), options.init is not None
    task = _task(blueprint, [*found.structures.labels], weights, batches, Graphs(valid, budget))
    task = task._replace(init=init, learnt=learnt, frozen=frozen)
    summary = _summary(splits, batches)
    if start:
        summary += f"\nbegins with {options.init}; {describe_references(start.potential.references, known)}"
    return Prepared(task, identity, test, measured, summary, blueprint.origin.get("errors", {}), splits.valid)


def _require_sound(found: Found, options: Any) -> None:
    """Refuse batches of nothing, and charges that the model does not tell apart."""
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, not {options.batch_size}")
    if not options.net.get("charges"):
        require_same_charges(found.structures.atoms)


def _spreads(train: Structures, references: References, cutoff: float) -> dict[str, float]:
    """Return the spreads of what a network learns of labels."""
    bare = without_repulsion(train, references.repulsion, cutoff=cutoff)
    return label_spreads(references.remove(bare, bonded=True))


def _settled(folder: pathlib.Path, own: Blueprint | None, drawn: Blueprint, example: ase.Atoms) -> Blueprint:
    """Return the blueprint of a run: its own, if it goes on with the same data, or a new one, which is written."""
    if own:
        require_same_data(folder, own.statistics, drawn.statistics)
        return own
    if jax.process_index() == 0:
        write_blueprint(folder, drawn, example)
    return drawn


def _task(
    blueprint: Blueprint, labels: list[str], weights: Mapping[str, Mapping[int, float]], train: Graphs, valid: Graphs
) -> Task:
    """Return the task of learning labels with fresh parameters."""
    model, spreads = blueprint.build(), blueprint.spreads
    known, stress = (blueprint.label, blueprint.references, blueprint.species), "stress" in labels
    return Task(
        init=lambda key, batch: model.init(key, batch.graph),
        loss=label_loss(scaled_labels(model, *known, stress=stress)),
        weights={name: _over_spread(schedule, spreads.get(name, 1.0)) for name, schedule in weights.items()},
        train=train,
        valid=valid,
        shown={f"{name}_mae": LABELS[name].shown for name in reversed(labels)},
        members=blueprint.members,
    )


def _over_spread(schedule: Mapping[int, float], spread: float) -> Callable:
    return piecewise_linear({step: weight / spread**2 for step, weight in schedule.items()})


def _summary(splits: Splits, batches: Graphs) -> str:
    sizes = ", ".join(f"{len(part)} {name}" for name, part in splits._asdict().items())
    return f"structures {sizes}; {batches.budget}, {batches.waste:.1%} of the edges are padding"


def _measured(splits: Splits) -> tuple[Structures, str]:
    """Return what the errors of a finished run are measured on, and what it is."""
    return (splits.test, "test") if len(splits.test) else (splits.valid, "validation")


def evaluate(folder: pathlib.Path, data: tuple[pathlib.Path, ...], reading: Reading) -> None:
    """Print the table of errors, with deviations beside them where there are some, and a sentence on what is doubtful.

    That is predictions that are not finite, and the unit of the labels.
    """
    potential = load(folder)
    predictor = uncertain(folder, potential, reading.uncertainty)
    if reading.picture is not None and predictor is potential and potential.members is None:
        raise ValueError(f"{folder} has no deviations to draw; add --uncertainty last-layer")
    keys = dataclasses.asdict(reading.labels)
    if potential.label != "energy":
        keys |= keys_of(potential.label, reading.property_key)
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
    columns = write_structures(output, predicted, format=format)
    if kept := kept_labels(format, predicted.labels):
        print(f"{len(predicted)} structures with {_named(kept)} are in {output}")
    if lost := [name for name in dict.fromkeys([*predicted.labels, *columns]) if name not in kept]:
        print(
            f"symjax: {output} lacks {', '.join(lost)}: files of the format {format} have no place for that; name "
            "FILE.xyz to keep it",
            file=sys.stderr,
        )
    if divergence := describe_divergence(predicted):
        print(f"symjax: {input}: {divergence}", file=sys.stderr)


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
