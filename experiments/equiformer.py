"""Equiformer and EquiformerV2 beside NequIP: as many parameters, as much time, one molecule (arXiv:2206.11990).

    python -m experiments.equiformer --preset tiny       # the ethanol that ships, a minute; shows that everything works
    python -m experiments.equiformer --data train.xyz --test-data test_MD.xyz --epochs 48
    python -m experiments.equiformer --networks nequip equiformer-v2 --data rmd17_aspirin.npz --units kcal/mol

Every network is a run of `symjax train`, with some 50,000 parameters in the preset "small" and so many epochs that all
take the same time. Beside EquiformerV2 stands its published head for forces, vectors of the atoms in place of the
gradient of an energy: that head is `DirectForces`, which does not conserve energy. The last table and the picture show
what comes of it in dynamics at constant energy.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np

from experiments import rmd17
from symjax import training
from symjax.data import LABELS, Graphs, Splits, make_samples, sample_sizes, split_data
from symjax.graphs import atoms_graph, mean_budget
from symjax.potentials import Potential, Predict, energy, label_loss, load_potential, measure, read_blueprint
from symjax.potentials.motion import Dynamics, Simulation, draw_momenta
from symjax.tasks import potential as task
from symjax.training import Recipe, Task

Net = Literal["tiny", "small", "base"]
DIRECT = "equiformer-v2-direct"
EVERY = 2.0  # fs between two energies of a course

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
PACE = {"nequip": 6, "equiformer": 1, "equiformer-v2": 1}  # epochs of as much CPU time


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


@dataclasses.dataclass(frozen=True)
class Motion:
    """Dynamics at constant energy."""

    temperature: float = 300.0  # K, of the first velocities
    timesteps: tuple[float, ...] = (1.0, 0.5, 0.25)  # fs
    duration: float = 500.0  # fs


SHORT = Recipe(epochs=60, evaluate_every=5)  # of Equiformers; others have as much time


@dataclasses.dataclass(frozen=True)
class Config:
    """What to learn, how, what moves, and the folder of all runs."""

    options: Options = Options()
    recipe: Recipe = SHORT
    motion: Motion = Motion()
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


@dataclasses.dataclass(frozen=True, eq=False)
class DirectForces(Potential):
    """A potential whose forces are vectors of the atoms beside the energy, and not its gradient; without stress."""

    def labels(self, *, stress: bool = False) -> Predict:
        """Return `(params, graph) -> energy and forces`."""

        def labels(params: Any, graph: Any) -> dict[str, Any]:
            atoms = self._outputs(params, graph)
            return {
                "energy": energy(graph, atoms.filter(e3nn.Irreps("0e"))),
                "forces": atoms.filter(e3nn.Irreps("1o")).array,
            }

        return labels


def learn_direct(config: Config, frames: Mapping[str, pathlib.Path]) -> dict[str, Any]:
    """Return the errors of EquiformerV2 with direct forces, of the same references and weights as the other one."""
    folder, other = config.out / DIRECT, config.out / "equiformer-v2"

    def prepare(options: task.Options, recipe: Recipe) -> tuple[Task, training.Errors]:
        splits = split_data(task.read(options), valid=options.valid, test=options.test, seed=recipe.seed)
        return direct_task(other, splits, options, recipe)

    asked = training.absolute_data(question("equiformer-v2", config.options, frames))
    work = functools.partial(training.run_experiment, "equiformer", asked, config.recipe, folder, prepare)
    return timed(folder, work)


def direct_task(other: pathlib.Path, splits: Splits, options: Any, recipe: Recipe) -> tuple[Task, training.Errors]:
    """Return the task, and the errors of its result on the test frames."""
    plan, direct = read_blueprint(other), direct_forces(other, {})
    train, valid = (
        make_samples(plan.references.remove(part), cutoff=direct.model.cutoff, species=plan.species)
        for part in splits[:2]
    )
    budget = mean_budget(*sample_sizes([*train, *valid]), options.batch_size)
    weights = {"energy": float(options.energy_weight), "forces": float(options.forces_weight)}
    learnt = Task(
        init=lambda key, batch: direct.model.init(key, batch.graph),
        loss=label_loss(direct.labels()),
        weights={name: weight / plan.spreads[name] ** 2 for name, weight in weights.items()},
        train=Graphs(train, budget, seed=recipe.seed),
        valid=Graphs(valid, budget),
        shown={f"{name}_mae": LABELS[name].shown for name in weights},
    )
    return learnt, lambda result: measure(dataclasses.replace(direct, params=result.best_params), splits.test).errors


def direct_forces(other: pathlib.Path, params: Any) -> DirectForces:
    """Return the module of a run with vectors beside its energies."""
    plan = read_blueprint(other)
    return DirectForces(plan.build().clone(outputs="1x0e+1x1o"), params, plan.species, plan.references)


def load_direct(config: Config, structure: ase.Atoms) -> DirectForces:
    """Return the direct forces that were learnt."""
    folder, direct = config.out / DIRECT, direct_forces(config.out / "equiformer-v2", {})
    graph = atoms_graph(structure, cutoff=direct.model.cutoff, species=direct.species)
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, np.float32 if leaf.dtype == float else leaf.dtype), graph)
    shapes = jax.eval_shape(direct.model.init, jax.random.key(0), single)
    target = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    found = training.restore_run(folder, identity=training.read_run(folder).identity, target=target)
    return dataclasses.replace(direct, params=found.params)


def course(potential: Potential, structure: ase.Atoms, timestep: float, motion: Motion) -> np.ndarray:
    """Return the times in fs and the changes of the total energy in meV an atom, of dynamics at constant energy."""
    atoms = structure.copy()
    draw_momenta(atoms, motion.temperature, seed=0)
    simulation, rows = Simulation(potential.in_double(), atoms, Dynamics("nve", timestep)), []
    for step in range(0, round(motion.duration / timestep) + 1, max(1, round(EVERY / timestep))):
        simulation.advance(step)
        if simulation.exploded:
            break
        rows.append((step * timestep, simulation.record.conserved))
    times, energies = np.array(rows).T
    return np.array([times, 1e3 * (energies - energies[0]) / len(atoms)])


def moved(config: Config, structure: ase.Atoms) -> dict[str, dict[float, np.ndarray]]:
    """Return the courses of the gradient and of the direct forces of EquiformerV2 at every time step, and print them.

    The fluctuation of a conserved energy is of the second order in the step; what is not conserved drifts at any step.
    """
    both = {"gradient": load_potential(config.out / "equiformer-v2"), "direct": load_direct(config, structure)}
    print(
        f"\n{'forces':10}{'curl, eV/Å':>12}{'time step, fs':>15}{'fluctuation, meV/atom':>23}{'drift, meV/atom/ps':>20}"
    )
    courses: dict[str, dict[float, np.ndarray]] = {}
    for name, potential in both.items():
        asymmetry = curl(potential, structure)
        courses[name] = {step: course(potential, structure, step, config.motion) for step in config.motion.timesteps}
        for step, (times, energies) in courses[name].items():
            slope = np.polyfit(times, energies, 1)[0]
            print(f"{name:10}{asymmetry:12.1e}{step:15g}{np.std(energies):23.2e}{1e3 * slope:20.2e}")
    return courses


def curl(potential: Potential, structure: ase.Atoms) -> float:
    """Return the root mean square of dF_i/dx_j - dF_j/dx_i over that of dF_i/dx_j, zero for a gradient."""
    with jax.enable_x64(True):
        listed = atoms_graph(structure, cutoff=potential.model.cutoff, species=potential.species)
        params, graph = jax.tree.map(jnp.asarray, (potential.in_double().params, listed))

        def forces(positions: Any) -> Any:
            moved = graph._replace(nodes=graph.nodes._replace(positions=positions))
            return potential.labels()(params, moved)["forces"].ravel()

        slopes = jax.jit(jax.jacfwd(forces))(graph.nodes.positions)
        matrix = np.asarray(slopes).reshape(3 * len(structure), -1)
    return float(np.linalg.norm(matrix - matrix.T) / np.linalg.norm(matrix))


def draw(path: pathlib.Path, courses: Mapping[str, Mapping[float, np.ndarray]]) -> None:
    """Draw the total energy against time, and its fluctuation against the step."""
    from matplotlib.figure import Figure

    figure = Figure((9.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, each), colour in zip(courses.items(), ("tab:blue", "tab:red"), strict=True):
        step, (times, energies) = next(iter(each.items()))
        left.plot(times, energies, color=colour, label=f"{name}, {step:g} fs")
        spreads = [np.std(energies) for _, energies in each.values()]
        right.loglog([*each], spreads, "o-", color=colour, label=name)
    steps = np.array([*courses["gradient"]])
    first = np.std(next(iter(courses["gradient"].values()))[1])
    right.loglog(steps, first * (steps / steps[0]) ** 2, "k--", linewidth=0.8, label="second order")
    left.set(xlabel="time, fs", ylabel="change of the total energy, meV/atom")
    right.set(xlabel="time step, fs", ylabel="its fluctuation, meV/atom")
    for axes in (left, right):
        axes.legend()
    training.write_picture(path, figure)


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
    print(
        f"{of}\n{'':22}{'parameters':>12}{'CPU seconds':>15}{'energy, meV':>14}{'forces, meV/Å':>16}   published, MD17"
    )
    for name, errors in learnt.items():
        tell(name, config, errors, load_potential(config.out / name))
    if "equiformer-v2" in names:
        direct = learn_direct(config, frames)
        start = task.read(question("equiformer-v2", config.options, frames)).structures.atoms[0]
        tell(DIRECT, config, direct, load_direct(config, start))
        draw(config.out / "equiformer_nve.png", moved(config, start))


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
