"""From labelled structures to what is to be learnt: split, references, graphs, a blueprint, batches."""

import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import ase
import jax
import numpy as np

from symjax.data import (
    LABELS,
    Found,
    Graphs,
    Splits,
    Structures,
    make_samples,
    sample_sizes,
    split_data,
    statistics,
)
from symjax.graphs import mean_budget
from symjax.math import require_memory
from symjax.potentials import (
    Blueprint,
    Potential,
    References,
    describe_references,
    draw_blueprint,
    drawn_loss,
    drop_calibration,
    identity_of,
    label_loss,
    label_spreads,
    read_blueprint,
    require_same_charges,
    scaled_labels,
    without_repulsion,
    write_blueprint,
)
from symjax.tasks import Prepared
from symjax.tasks.finetune import begin, first_params, frozen_params
from symjax.tasks.uncertainty import count_members
from symjax.training import Recipe, Task, piecewise_linear, require_same_data, say

BYTES = 100  # at least, of a node, edge or graph of a batch


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
        if jax.process_index() == 0:
            drop_calibration(folder)
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
    predict = functools.partial(scaled_labels, model, *known, stress=stress)
    return Task(
        init=lambda key, batch: model.init(key, batch.graph),
        loss=drawn_loss(lambda key: predict(key=key)),
        weights={name: _over_spread(schedule, spreads.get(name, 1.0)) for name, schedule in weights.items()},
        train=train,
        valid=valid,
        measure=label_loss(predict()),
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
