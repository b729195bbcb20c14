"""EquiformerV2's published head for forces, vectors of the atoms instead of a gradient, and what it does to the energy.

The baseline of `python -m experiments.equiformer` (Liao et al. 2024, arXiv:2306.12059). Here the vectors come from the
same perceptron as the energies, and there from an attention of their own.
"""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np

from symjax import training
from symjax.data import LABELS, Graphs, Splits, make_samples, sample_sizes
from symjax.graphs import atoms_graph, mean_budget
from symjax.potentials import Potential, Predict, energy, label_loss, measure, read_blueprint
from symjax.potentials.motion import Dynamics, Simulation, draw_momenta
from symjax.training import Recipe, Task

EVERY = 2.0  # fs between two energies of a course


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


def load_direct(folder: pathlib.Path, other: pathlib.Path, structure: ase.Atoms) -> DirectForces:
    """Return the direct forces that were learnt in a folder, beside those of another run."""
    direct = direct_forces(other, {})
    graph = atoms_graph(structure, cutoff=direct.model.cutoff, species=direct.species)
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, np.float32 if leaf.dtype == float else leaf.dtype), graph)
    shapes = jax.eval_shape(direct.model.init, jax.random.key(0), single)
    target = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    found = training.restore_run(folder, identity=training.read_run(folder).identity, target=target)
    return dataclasses.replace(direct, params=found.params)


@dataclasses.dataclass(frozen=True)
class Motion:
    """Dynamics at constant energy."""

    temperature: float = 300.0  # K, of the first velocities
    timesteps: tuple[float, ...] = (1.0, 0.5, 0.25)  # fs
    duration: float = 500.0  # fs


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


def move(both: Mapping[str, Potential], structure: ase.Atoms, motion: Motion) -> dict[str, dict[float, np.ndarray]]:
    """Return the courses of potentials at every time step, and print them.

    The fluctuation of a conserved energy is of the second order in the step; what is not conserved drifts at any step.
    """
    print(
        f"\n{'forces':10}{'curl/slope':>12}{'time step, fs':>15}{'fluctuation, meV/atom':>23}{'drift, meV/atom/ps':>20}"
    )
    courses: dict[str, dict[float, np.ndarray]] = {}
    for name, potential in both.items():
        asymmetry = curl(potential, structure)
        courses[name] = {step: course(potential, structure, step, motion) for step in motion.timesteps}
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
