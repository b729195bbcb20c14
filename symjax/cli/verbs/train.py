"""`symjax train`: parse, prepare, train, measure, print."""

import argparse
import dataclasses
import pathlib
from functools import partial
from typing import Annotated, Any

import jax

from symjax import training
from symjax.cli.asked import run_to_resume
from symjax.cli.learn import learn
from symjax.cli.options import NETWORK, OWN, TRAINING, parse_options
from symjax.potentials import (
    DEFAULT,
    POTENTIALS,
    describe_divergence,
    measure_calibration,
    options_of,
    plot_calibration,
    plot_parity,
    preset_of,
    print_calibration,
    print_errors,
    read_calibration,
)
from symjax.tasks import PRESETS, Prepared, task_of
from symjax.training import FitResult, Recipe, say

PATTERN = dict.fromkeys(map(ord, "*?[]"))


@dataclasses.dataclass(frozen=True)
class Train:
    """Learn energies and forces, or with --property another label; without arguments, of the ethanol that ships."""

    task: str
    options: Any
    recipe: Recipe
    out: pathlib.Path | None = None  # the run directory; None: runs/NAME
    resume: pathlib.Path | None = None  # go on with this run, as it was configured


def parse(arguments: list[str]) -> Train:
    """Return the options; what is not named is as in the run to resume, else as in the preset."""
    default, net = _defaults(arguments)
    parts = [("options", default.options, OWN), ("net", net, NETWORK), ("recipe", default.recipe, TRAINING)]
    fields = [(name, Annotated[type(it), title], dataclasses.field(default=it)) for name, it, title in parts]
    fields += [(name, pathlib.Path | None, dataclasses.field(default=None)) for name in ("out", "resume")]
    command = dataclasses.make_dataclass("Train", fields, frozen=True)
    description = f"{Train.__doc__} Models are {', '.join(POTENTIALS)}."
    asked = parse_options(command, "train", arguments, description=description)
    had = default.options.net or training.plain(net)
    changed = {name: value for name, value in training.plain(asked.net).items() if value != training.plain(net)[name]}
    init = asked.options.init and asked.options.init.absolute()
    options = dataclasses.replace(asked.options, net=had | changed, init=init)
    return Train(default.task, options, asked.recipe, asked.out, asked.resume)


def _defaults(arguments: list[str]) -> tuple[Train, Any]:
    """Return what is asked for where nothing is named, and the options of its network."""
    early = argparse.ArgumentParser(prog="symjax train", add_help=False, allow_abbrev=False)
    early.add_argument("--preset", choices=PRESETS, default="small")
    early.add_argument("--model", choices=POTENTIALS)
    early.add_argument("--init", type=pathlib.Path)
    early.add_argument("--property")
    early.add_argument("--resume", type=pathlib.Path)
    known = early.parse_known_args(arguments)[0]
    if known.resume is not None:
        had = run_to_resume(known.resume, "train")
        options = training.read_options(known.resume, task_of(had.task).Options, had.options)
        net = training.read_options(known.resume, options_of(options.model), options.net)
        return Train(had.task, options, had.recipe), net
    task, preset = "potential" if known.property is None else "property", PRESETS[known.preset]
    had = None if known.init is None else task_of(task).read_origin(known.init)
    model = known.model or (DEFAULT if had is None else had.name)
    options = task_of(task).Options(model=model, preset=known.preset, **preset.options)
    net = preset_of(model, known.preset) if had is None or had.name != model else had.network
    return Train(task, options, Recipe(**preset.recipe)), net


def run(command: Train) -> int:
    """Train and report; returns the exit code."""
    data = "ethanol" if command.options.data is None else command.options.data[0].stem.translate(PATTERN) or "data"
    name = f"{data}-{command.options.model}"
    return learn(command, command.task, name=name, report=partial(_report, task_of(command.task)))


def _report(task: Any, folder: pathlib.Path, prepared: Prepared, result: FitResult, seconds: float) -> None:
    """Measure the best parameters on the test set, and print and draw what came of the run."""
    task.calibrate(folder, prepared.valid)  # Orbax wants every process
    truth, predicted, errors = task.measure(folder, prepared.test)
    if jax.process_index() != 0:
        return
    told = measure_calibration(truth, predicted, read_calibration(folder, prepared.identity))
    facts = {"seconds": seconds, "compilations": result.compilations, "measured": prepared.measured}
    more = {"before fine-tuning": prepared.before, "calibration": told}
    training.write_report(folder, errors, facts | {name: fact for name, fact in more.items() if fact})
    plot_parity(folder, truth, predicted)
    training.plot_learning_curve(folder, result.history, prepared.task.shown)
    print_errors(errors, f"{len(truth)} {prepared.measured} structures", prepared.before)
    if told:
        print_calibration(told, "errors and deviations σ")
        plot_calibration(folder / "calibration.png", truth, predicted)
    if divergence := describe_divergence(predicted):
        say(f"symjax: {divergence}")
    pictures = f"{'calibration.png, ' if told else ''}learning_curve.png and parity.png"
    say(f"{seconds:.0f} s; report.json, {pictures} are in {folder}")
