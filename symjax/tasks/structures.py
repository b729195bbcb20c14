"""What all questions about structures share: split, graphs, a blueprint, batches."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from symjax.data import LABELS, Graphs, Structures, make_samples, sample_sizes, split_data, statistics
from symjax.graphs import mean_budget
from symjax.math import require_memory
from symjax.potentials import (
    Measurement,
    References,
    draw_blueprint,
    identity_of,
    label_loss,
    load_potential,
    measure as measure_potential,
    read_blueprint,
    require_same_data,
    scaled_labels,
    write_blueprint,
)
from symjax.tasks import Prepared
from symjax.training import Recipe, Task

BYTES = 100  # at least, of a node, edge or graph of a batch
load = load_potential


def measure(folder: pathlib.Path, data: Structures) -> Measurement:
    """Return the errors of the best model of a run on labelled structures."""
    return measure_potential(load(folder), data)


def prepare_structures(
    structures: Structures,
    options: Any,
    recipe: Recipe,
    folder: pathlib.Path,
    *,
    references: Callable[[Structures], References],
    weights: Mapping[str, Callable],
    label: str,
    run: str,
    resumed: bool,
) -> Prepared:
    """Return the task of learning some labels of structures, and write or compare model.json.

    Args:
        structures: labelled, as read.
        options: of the question; `valid`, `test`, `model`, `net` and `batch_size` are used.
        recipe: how it is learnt.
        folder: the run directory.
        references: training structures -> what to take off their labels; a resumed run has its own.
        weights: of the labels that are learnt.
        label: what the head makes.
        run: the identity of the run.
        resumed: whether the run goes on.
    """
    if options.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, not {options.batch_size}")
    splits = split_data(structures, valid=options.valid, test=options.test, seed=recipe.seed)
    known = read_blueprint(folder).references if resumed else references(splits.train)
    cutoff, species = options.net["cutoff"], splits.train.species
    train, valid = (make_samples(known.remove(part), cutoff=cutoff, species=species) for part in splits[:2])
    facts = statistics(splits.train, sample_sizes(train)[1])
    blueprint = draw_blueprint(
        options.model, options.net, facts=facts, splits=splits, references=known, label=label, run=run
    )
    budget = mean_budget(*sample_sizes([*train, *valid]), options.batch_size)
    require_memory(BYTES * sum(budget), f"a batch of --batch-size {options.batch_size}")
    batches = Graphs(train, budget, seed=recipe.seed)
    if resumed:
        require_same_data(folder, blueprint)
    elif jax.process_index() == 0:
        densest = int(np.argmax(sample_sizes(train)[1]))  # without edges, laws hold trivially
        write_blueprint(folder, blueprint, splits.train.atoms[densest])
    identity = identity_of(folder) if resumed else blueprint.identity  # a new file may not be there for all processes
    model, stress = blueprint.build(), "stress" in structures.labels
    task = Task(
        init=lambda key, batch: model.init(key, batch.graph),
        loss=label_loss(scaled_labels(model, label, known.scale, stress=stress)),
        weights=weights,
        train=batches,
        valid=Graphs(valid, budget),
        shown={f"{name}_mae": LABELS[name].shown for name in reversed([*structures.labels])},
    )
    sizes = ", ".join(f"{len(part)} {name}" for name, part in splits._asdict().items())
    summary = f"structures {sizes}; {budget}, {batches.waste:.1%} of the edges are padding"
    return Prepared(task, identity, splits.test, summary)
