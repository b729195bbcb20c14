"""What does accuracy cost? Every potential of the table, from the same structures, in the same CPU time.

    python -m experiments.accuracy_cost --preset tiny     # the ethanol that ships, seconds; two models
    python -m experiments.accuracy_cost --data train.xyz --test-data test_MD.xyz --molecule ethanol
    python -m experiments.accuracy_cost --data train_300K.xyz --test-data test_600K.xyz --molecule 3BPA --test 165

The cost of a step is measured first, in CPU time, on the batches that are then learnt from; each model gets as many
epochs as the budget has steps. Compilation, evaluation and measuring are not counted. All have the same recipe, the
same split and the sizes of one preset, whatever suits each best. A run directory is one of `symjax train`; a stopped
comparison goes on when the same command is given again, with the costs it had measured. The picture has a row of two
panels for each molecule that the folder of results holds.

Presets "small", 200 rMD17 ethanol structures, 1000 others to test on, `--minutes 1 --test 1000`, seed 0, one core of a
busy x86-64 machine, 2026-11-29; not what each reaches in the end, but what a minute buys:

    model          CPU ms a step parameters epochs     meV   meV/Å
    nequip                   5.9      46208    255     4.2    22.1
    painn                   16.0     151105     93     5.7    30.7
    schnet                  23.7     226049     63     8.9    40.2
    egnn                    12.9     104261    116     8.6    29.7
    allegro                 17.6      62624     85     6.4    24.7
    dimenet++               69.1     374022     21     6.2    27.2
    mace                    23.8      69712     62     7.3    24.9
    equiformer             140.8     408081     10    11.6    47.1
    equiformer-v2          268.9     955457      5    45.7    73.2
"""

import dataclasses
import math
import pathlib
import tempfile
import time
from typing import Any, Literal, NamedTuple

import jax

from experiments import rmd17
from symjax import training
from symjax.potentials import POTENTIALS
from symjax.tasks import potential
from symjax.tasks.potential import Options as Question
from symjax.training import Recipe

COSTS = "costs.json"


@dataclasses.dataclass(frozen=True)
class Config:
    """Which models learn from how many frames of which molecule, and for how long."""

    preset: Literal["tiny", "small", "paper"] = "small"
    data: pathlib.Path | None = None  # a file of frames; None: the ethanol that ships
    test_data: pathlib.Path | None = None  # others to test on; None: of the first
    molecule: str = "ethanol"  # the title of its panels, and the folder of its runs
    samples: int = 200
    valid: int = 50
    test: int = 300
    models: tuple[str, ...] = tuple(POTENTIALS)
    net: Literal["tiny", "small", "base"] = "small"  # the preset of all models
    minutes: float = 3.0  # of CPU, for the steps of each model
    learning_rate: float = 1e-2
    seed: int = 0
    out: pathlib.Path = pathlib.Path("runs/accuracy_cost")


PRESETS = {
    "tiny": Config("tiny", samples=8, valid=4, test=8, models=("schnet", "egnn"), net="tiny", minutes=0.002),
    "small": Config(),
    "paper": Config("paper", samples=950, test=1000, net="base", minutes=120),
}


@dataclasses.dataclass(frozen=True)
class Cost:
    """CPU milliseconds of a training step, its number in an epoch, and trained numbers."""

    milliseconds: float
    steps: int
    parameters: int

    def epochs(self, minutes: float) -> int:
        """Return how many take so long, at least one."""
        return max(1, int(minutes * 60e3 / (self.milliseconds * self.steps)))


class Point(NamedTuple):
    """Mean absolute errors in meV and meV/Å, and what they cost."""

    energy: float
    forces: float
    cost: Cost


def main(config: Config) -> dict[str, Point]:
    """Measure and learn, or read what was learnt; print a table and draw it."""
    folder = config.out / config.molecule
    costs = read_costs(folder)
    for model in config.models:
        asked, recipe = question(config, model), recipe_of(config, epochs=1)
        if model not in costs:
            costs[model] = measure(asked, recipe)
            training.write_json(folder / COSTS, {name: dataclasses.asdict(cost) for name, cost in costs.items()})
        rmd17.learn(asked, recipe_of(config, costs[model].epochs(config.minutes)), folder / model)
    found = points(folder)
    print(table(config, found))
    figure = draw({path.parent.name: points(path.parent) for path in sorted(config.out.glob(f"*/{COSTS}"))})
    training.write_picture(config.out / "accuracy_cost.png", figure)
    return found


def question(config: Config, model: str) -> Question:
    """Return what `symjax train` is asked, on the same frames for every model."""
    names = ("preset", "data", "test_data", "molecule", "samples", "valid", "test", "net")
    options = rmd17.Options(**{name: getattr(config, name) for name in names}, model=model)
    return rmd17.question(options, rmd17.choose_frames(options, config.out / config.molecule, config.seed))


def recipe_of(config: Config, epochs: int) -> Recipe:
    """Return how every model learns: with ten evaluations."""
    every, rate = math.ceil(epochs / 10), config.learning_rate
    return Recipe(epochs=epochs, learning_rate=rate, evaluate_every=every, seed=config.seed)


def measure(asked: Question, recipe: Recipe, *, seconds: float = 2.0) -> Cost:
    """Return the cost of a model: the mean of the steps that fit into so many CPU seconds, at least one."""
    with tempfile.TemporaryDirectory() as folder:
        task = potential.prepare(asked, recipe, pathlib.Path(folder)).task
    plan = task.train.plan(0, shards=1)
    optimizer = training.make_optimizer(recipe, steps=10**6)
    body = training.make_step(task.loss, optimizer, task.weights, ema_decay=recipe.ema)
    step = training.parallelise(body, devices=jax.devices()[:1])
    key, batches = jax.random.key(recipe.seed), [task.train.load(item) for item in plan]
    first = jax.tree.map(lambda leaf: leaf[0], batches[0])

    def begin(key: jax.Array, shard: Any) -> training.TrainState:
        return training.init_state(task.init(key, shard), optimizer, key=key, ema=True)

    state = step.replicate(training.run_once(begin, key, first))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    state, _ = jax.block_until_ready(step(state, batches[0]))
    began, done = time.process_time(), 0
    while done == 0 or time.process_time() - began < seconds:
        state, _ = jax.block_until_ready(step(state, batches[done % len(batches)]))
        done += 1
    return Cost(round(1e3 * (time.process_time() - began) / done, 3), len(plan), parameters)


def read_costs(folder: pathlib.Path) -> dict[str, Cost]:
    """Return what was measured before."""
    if not (folder / COSTS).exists():
        return {}
    found = training.read_json(folder / COSTS)
    return {name: training.decode(Cost, cost, name) for name, cost in found.items()}


def points(folder: pathlib.Path) -> dict[str, Point]:
    """Return the models that have learnt, in the order in which they were measured."""
    reports = {name: training.read_report(folder / name) for name in read_costs(folder)}
    errors = {name: report["errors"] for name, report in reports.items() if report is not None}
    return {
        name: Point(errors[name]["energy, meV"]["mae"], errors[name]["forces, meV/Å"]["mae"], cost)
        for name, cost in read_costs(folder).items()
        if name in errors
    }


def table(config: Config, found: dict[str, Point]) -> str:
    """Return a line a model."""
    lines = [f"{config.molecule}, {config.samples} structures, {config.minutes:g} CPU minutes a model"]
    lines.append(f"{'model':14} {'CPU ms a step':>13} {'parameters':>10} {'epochs':>6} {'meV':>7} {'meV/Å':>7}")
    for name, (energy, forces, cost) in found.items():
        epochs = cost.epochs(config.minutes)
        lines.append(f"{name:14} {cost.milliseconds:13.1f} {cost.parameters:10} {epochs:6} {energy:7.1f} {forces:7.1f}")
    return "\n".join(lines)


def draw(found: dict[str, dict[str, Point]]) -> Any:
    """Return a row of panels a molecule: error of the forces against milliseconds and against parameters."""
    from matplotlib.figure import Figure

    figure = Figure((9, 3.6 * len(found)), layout="constrained")
    axes: Any = figure.subplots(len(found), 2, squeeze=False, sharey="row")
    for panels, (molecule, models) in zip(axes, found.items(), strict=True):
        for name, (_, forces, cost) in models.items():
            for panel, x in zip(panels, (cost.milliseconds, cost.parameters), strict=True):
                panel.loglog(x, forces, "o")
                panel.annotate(name, (x, forces), xytext=(5, 3), textcoords="offset points", fontsize="small")
        panels[0].set(xlabel="CPU ms a training step", ylabel="error of forces, meV/Å", title=molecule)
        panels[1].set(xlabel="parameters", title=molecule)
        for panel in panels:
            panel.margins(0.15)
            panel.grid(which="both", alpha=0.2)
    return figure


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
