"""Equiformer and EquiformerV2 beside NequIP: as many parameters, as much time, one molecule (arXiv:2206.11990).

    python -m experiments.equiformer --preset tiny       # the ethanol that ships, a minute; shows that everything works
    python -m experiments.equiformer --data train.xyz --test-data test_MD.xyz --samples 200 --test 1000
    python -m experiments.equiformer --networks nequip equiformer-v2 --data rmd17_aspirin.npz --units kcal/mol

Every network is a run of `symjax train`, with some 50,000 parameters in the preset "small" and so many epochs that all
take about the same time; the table says how much they took. Beside EquiformerV2 stands its published head for forces,
vectors of the atoms in place of the gradient of an energy, which do not conserve it (`direct_forces`). The last table
and the picture show what comes of it in dynamics at constant energy.

Errors on 1000 rMD17 ethanol structures from 200 others (preset "small", 60 epochs of the Equiformers) and from 950 (10,
22 and 120 epochs of equiformer, equiformer-v2 and nequip, `--networks NAME --epochs ...`), seed 0, one core of a busy
x86-64 machine, 2026-11-29; published: 950 structures of the original MD17, 2.9 meV/Å and NequIP 3.1:

    nequip            46,208 parameters   138 CPU s   3.6 meV   20.3 meV/Å      205 CPU s   2.0 meV   10.8 meV/Å
    equiformer        47,141              282         4.8       23.4            238         4.8       21.5
    equiformer-v2     50,369              200         4.5       20.1            269         2.4       11.4
    with direct forces                    110        68.1       35.1

With forces that are gradients the total energy fluctuates by 0.26, 0.063 and 0.016 meV an atom at time steps of 1, 0.5
and 0.25 fs, with direct ones by 6.1 at each.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import jax

from experiments import direct_forces, rmd17
from experiments.direct_forces import Motion
from symjax import training
from symjax.data import split_data
from symjax.potentials import Potential, load_potential
from symjax.tasks import potential as task
from symjax.training import Recipe, Task

Net = Literal["tiny", "small", "base"]
DIRECT = "equiformer-v2-direct"

# of original MD17, other frames and another functional: arXiv:2206.11990, table 3; meV and meV/Å
PAPER = {"equiformer": (2.2, 2.9), "nequip": (2.2, 3.1)}

# some 50,000 parameters with three elements, the degrees of NequIP's preset; the third version's activation and norm
SMALL: dict[str, dict[str, Any]] = {
    "nequip": {"cutoff": 5.0},
    "equiformer": {
        "irreps": "24x0e+12x1o+6x2e",
        "head_irreps": "6x0e+4x1o+2x2e",
        "mid_irreps": "48x0e+24x1o+12x2e",
        "features": 32,
        "layers": 2,
        "radial_widths": [32, 32],
    },
    "equiformer-v2": {
        "channels": 12,
        "lmax": 2,
        "layers": 2,
        "hidden": 12,
        "alpha": 8,
        "value": 4,
        "perceptron": 12,
        "radial_basis": 32,
        "radial_widths": [16, 16],
        "edge_channels": 8,
    },
}
# epochs of about the same time: a step of 5 ethanols took 4.7 and 30 CPU ms, and 32 of a V2 of 90,000 parameters
PACE = {"nequip": 6, "equiformer": 1, "equiformer-v2": 1}


@dataclasses.dataclass(frozen=True)
class Options:
    """Which frames, and which networks."""

    preset: Literal["tiny", "small", "paper"] = "small"
    data: pathlib.Path | None = None  # a file of frames; None: the ethanol that ships, which is not of MD17
    test_data: pathlib.Path | None = None  # others to test on; None: of the first
    units: str = "eV"  # kcal/mol of the published archives
    samples: int = 400
    valid: int = 50
    test: int = 100
    networks: tuple[str, ...] = ("nequip", "equiformer", "equiformer-v2")


MOVING = Motion()
SHORT = Recipe(epochs=60, evaluate_every=5)  # of Equiformers; others have as much time


@dataclasses.dataclass(frozen=True)
class Config:
    """What to learn, how, what moves, and the folder of all runs."""

    options: Options = Options()
    recipe: Recipe = SHORT
    motion: Motion = MOVING
    out: pathlib.Path = pathlib.Path("runs/equiformer")


PRESETS = {
    "tiny": Config(
        Options("tiny", samples=8, valid=4, test=8), Recipe(epochs=2, evaluate_every=1, warmup=2), Motion(duration=4.0)
    ),
    "small": Config(),
    "paper": Config(
        Options("paper", samples=950, test=1000),
        Recipe(epochs=1500, evaluate_every=20, learning_rate=5e-4, optimizer="adam", ema=0.999, warmup=1000),
        Motion(duration=10_000.0),
    ),
}


def network(name: str, preset: Literal["tiny", "small", "paper"]) -> tuple[Net, dict[str, Any]]:
    """Return the preset of a network of the table of potentials, and the options that differ."""
    nets: dict[str, tuple[Net, dict[str, Any]]] = {"tiny": ("tiny", {}), "paper": ("base", {})}
    return nets.get(preset, ("small", SMALL[name]))


def learn(name: str, config: Config, frames: Mapping[str, pathlib.Path]) -> dict[str, Any]:
    """Return the errors of a network of the table of potentials, a run of `symjax train`."""
    options, folder = config.options, config.out / name
    pace = PACE[name] if options.preset == "small" else 1
    every = {"epochs": pace * config.recipe.epochs, "evaluate_every": pace * config.recipe.evaluate_every}
    recipe = dataclasses.replace(config.recipe, **every)
    return timed(folder, lambda: rmd17.learn(question(name, options, frames), recipe, folder))


def question(name: str, options: Options, frames: Mapping[str, pathlib.Path]) -> task.Options:
    """Return what `symjax train` is asked."""
    net, differing = network(name, options.preset)
    of = rmd17.Options("tiny", units=options.units, model=name, net=net, network=differing)
    return rmd17.question(of, dict(frames))


def timed(folder: pathlib.Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what is learnt in a folder, and add the CPU seconds of it to those in a file beside the folder."""
    path, done = folder.with_suffix(".json"), training.read_report(folder) is not None
    before, began = training.read_json(path)["seconds"] if path.exists() else 0.0, time.process_time()
    try:
        return work()
    finally:
        if not done and folder.exists():
            training.write_json(path, {"seconds": before + time.process_time() - began})


def learn_direct(config: Config, frames: Mapping[str, pathlib.Path]) -> dict[str, Any]:
    """Return the errors of EquiformerV2 with direct forces, of the same references and weights as the other one."""
    folder, other = config.out / DIRECT, config.out / "equiformer-v2"

    def prepare(options: task.Options, recipe: Recipe) -> tuple[Task, training.Errors]:
        splits = split_data(task.read(options), valid=options.valid, test=options.test, seed=recipe.seed)
        return direct_forces.direct_task(other, splits, options, recipe)

    asked = training.absolute_data(question("equiformer-v2", config.options, frames))
    work = functools.partial(training.run_experiment, "equiformer", asked, config.recipe, folder, prepare)
    return timed(folder, work)


def choose_frames(config: Config) -> dict[str, pathlib.Path]:
    """Return what names the frames for training, validation and testing."""
    options = config.options
    sizes = {name: getattr(options, name) for name in ("data", "test_data", "samples", "valid", "test")}
    return rmd17.choose_frames(rmd17.Options(**sizes), config.out / "frames", config.recipe.seed)


def tell(name: str, config: Config, errors: Mapping[str, Any], potential: Potential) -> None:
    """Print a row of the table of errors."""
    count = sum(leaf.size for leaf in jax.tree.leaves(potential.params))
    seconds = training.read_json((config.out / name).with_suffix(".json"))["seconds"]
    ours = [errors[label]["mae"] for label in ("energy, meV", "forces, meV/Å")]
    published = "{:.1f} and {:.1f}".format(*PAPER[name]) if name in PAPER else ""
    print(f"{name:22}{count:12,}{seconds:15.0f}{ours[0]:14.1f}{ours[1]:16.1f}   {published}")


def main(config: Config) -> None:
    """Learn, or go on, or read what was learnt; print the tables, and draw how the energy goes."""
    frames, names = choose_frames(config), config.options.networks
    learnt = {name: learn(name, config, frames) for name in names}
    of = f"{config.options.samples} structures of {config.options.data or 'the ethanol that ships'}"
    columns = f"{'':22}{'parameters':>12}{'CPU seconds':>15}{'energy, meV':>14}{'forces, meV/Å':>16}"
    print(f"{of}\n{columns}   published, ethanol of MD17")
    for name, errors in learnt.items():
        tell(name, config, errors, load_potential(config.out / name))
    if "equiformer-v2" in names:
        direct = learn_direct(config, frames)
        start = task.read(question("equiformer-v2", config.options, frames)).structures.atoms[0]
        gradient = load_potential(config.out / "equiformer-v2")
        other = direct_forces.load_direct(config.out / DIRECT, config.out / "equiformer-v2", start)
        tell(DIRECT, config, direct, other)
        courses = direct_forces.move({"gradient": gradient, "direct": other}, start, config.motion)
        direct_forces.draw(config.out / "equiformer_nve.png", courses)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
