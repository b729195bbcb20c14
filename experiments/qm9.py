"""One of the twelve targets of QM9 (Ramakrishnan et al. 2014) from up to 110,000 molecules, by any model of atoms.

    pip install 'symjax[qm9]'                      # the molecules, 104 MB
    python -m experiments.qm9 --preset tiny        # 64 molecules; shows that everything works
    python -m experiments.qm9 --target mu          # 10,000 molecules, no published budget
    python -m experiments.qm9 --preset paper --target gap --model dimenet++

Targets are mu, alpha, homo, lumo, gap, r2, zpve, U0, U, H, G and Cv. The dipole is the length of sum_i q_i x_i + mu_i,
the electronic extent sum_i a_i |x_i - x|² + b_i with x the mean of the positions, as the library's heads have them;
orbital energies are means over the atoms, and all else sums. A network learns what a fit to the training molecules
leaves: the numbers of each element, beside them sums of |x_i - x_mass|², from the centre of mass, for the extent (ten
coefficients, mean absolute error 2.3 a0²), for orbital energies their mean, for the dipole nothing.
The loss is the mean absolute error. Splits are those of `split_qm9`, or the first molecules of each part.
"""

import dataclasses
import pathlib
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from ase.data import atomic_masses
from jaxtyping import Float

from symjax import potentials, training
from symjax.data import Batch, Graphs, Structures, make_samples, sample_sizes
from symjax.data.qm9 import ELEMENTS, QM9, read_qm9, split_qm9, target_of
from symjax.graphs import mean_budget
from symjax.training import Recipe

SPECIES = tuple(ELEMENTS.values())
LABEL = "energy"  # where batches keep one number a molecule
HEADS = {"mu": "dipole_magnitude", "r2": "extent"}  # of the library; the others are sums or means of one number
# mean absolute errors from 110,000 molecules: Liao et al. 2023, arXiv:2306.12059, table 5; EGNN split otherwise
PAPER = {
    "alpha": {"dimenet++": 0.044, "egnn": 0.071, "painn": 0.045, "equiformer": 0.046, "equiformer-v2": 0.050},
    "gap": {"dimenet++": 33, "egnn": 48, "painn": 46, "equiformer": 30, "equiformer-v2": 29},
    "homo": {"dimenet++": 25, "egnn": 29, "painn": 28, "equiformer": 15, "equiformer-v2": 14},
    "lumo": {"dimenet++": 20, "egnn": 25, "painn": 20, "equiformer": 14, "equiformer-v2": 13},
    "mu": {"dimenet++": 0.030, "egnn": 0.029, "painn": 0.012, "equiformer": 0.011, "equiformer-v2": 0.010},
    "Cv": {"dimenet++": 0.023, "egnn": 0.031, "painn": 0.024, "equiformer": 0.023, "equiformer-v2": 0.023},
    "G": {"dimenet++": 8, "egnn": 12, "painn": 7.35, "equiformer": 7.63, "equiformer-v2": 7.57},
    "H": {"dimenet++": 7, "egnn": 12, "painn": 5.98, "equiformer": 6.63, "equiformer-v2": 6.22},
    "r2": {"dimenet++": 0.331, "egnn": 0.106, "painn": 0.066, "equiformer": 0.251, "equiformer-v2": 0.186},
    "U": {"dimenet++": 6, "egnn": 12, "painn": 5.83, "equiformer": 6.74, "equiformer-v2": 6.49},
    "U0": {"dimenet++": 6, "egnn": 11, "painn": 5.85, "equiformer": 6.59, "equiformer-v2": 6.17},
    "zpve": {"dimenet++": 1.21, "egnn": 1.55, "painn": 1.28, "equiformer": 1.26, "equiformer-v2": 1.47},
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Which target, from how many molecules, and which network."""

    preset: Literal["tiny", "small", "paper"] = "small"
    target: str = "U0"  # one of the twelve
    train: int = 10_000  # molecules
    valid: int = 1000
    test: int | None = None  # None: all 10,831
    model: str = "painn"  # a row of the table of potentials
    net: Literal["tiny", "small", "base"] = "small"  # its preset
    network: dict[str, int | float] = dataclasses.field(default_factory=dict)  # options that differ, "channels 64"
    batch_size: int = 32  # molecules, on average


SHORT = Recipe(epochs=30, learning_rate=1e-2, evaluate_every=2, ema=0.999, warmup=500)
LONG = dataclasses.replace(SHORT, epochs=300, learning_rate=5e-3, warmup=3000, ema=0.9999)
BRIEF = Recipe(epochs=2, evaluate_every=1, warmup=2)


@dataclasses.dataclass(frozen=True)
class Config:
    """What to learn, how, and the folder of all such runs."""

    options: Options = Options()
    recipe: Recipe = SHORT
    out: pathlib.Path = pathlib.Path("runs/qm9")


PRESETS = {
    "tiny": Config(Options("tiny", train=64, valid=16, test=16, net="tiny", batch_size=16), BRIEF),
    "small": Config(),
    "paper": Config(Options("paper", train=110_000, valid=10_000, net="base"), LONG),
}


def main(config: Config) -> dict[str, Any]:
    """Learn, or go on, or read what was learnt; print and return the error."""
    options = config.options
    target_of(options.target)
    folder = config.out / f"{options.target}-{options.model}-{options.train}"
    errors = training.run_experiment("qm9", options, config.recipe, folder, prepare)
    ours = f"{errors['mae']:.4g} {errors['unit']}"
    print(f"{options.target}, {options.train} molecules, {options.model}: {ours} (constant {errors['constant']:.4g})")
    print("  published, from 110,000:", ", ".join(f"{name} {mae}" for name, mae in PAPER[options.target].items()))
    return errors


def prepare(options: Options, recipe: Recipe) -> tuple[training.Task, training.Errors]:
    """Return the task, and the test errors of parameters."""
    # 1. data
    data = read_qm9()
    chosen = choose(len(data.sizes), options)
    truth = data.target(options.target)
    expected = explained(data, options.target, chosen[0])
    scale = float(np.std((truth - expected)[chosen[0]]))
    factor, unit = shown(options.target)

    # 2. model
    head, vectors = head_of(options.target), potentials.architecture(options.model).vectors
    net = training.plain(potentials.preset_of(options.model, options.net)) | options.network
    train, valid, test = (
        make_samples(labelled(data, part, (truth - expected) / scale), cutoff=net["cutoff"], species=SPECIES)
        for part in chosen
    )
    nodes, edges = sample_sizes(train)
    given = {"species": len(SPECIES), "average_neighbours": float(edges.sum() / nodes.sum())}
    model = potentials.build(options.model, net | given | {"outputs": head.outputs(vectors)})

    # 3. task
    def loss(params, batch: Batch, key):
        graph, real = batch.graph, batch.weights[LABEL] > 0
        error = jnp.where(real, head.read(graph, model.apply(params, graph)) - batch.labels[LABEL], 0)
        total, count = jnp.sum(jnp.abs(error)), jnp.sum(real)
        return {"error": (total, count), "mae": (scale * total, count)}

    budget = mean_budget(*sample_sizes([*train, *valid, *test]), options.batch_size)
    task = training.Task(
        init=lambda key, batch: model.init(key, batch.graph),
        loss=loss,
        weights={"error": 1.0},
        train=Graphs(train, budget, seed=recipe.seed),
        valid=Graphs(valid, budget),
        shown={"mae": (factor, unit)},
    )

    # 4. errors
    def errors(result: training.FitResult):
        mae = training.measure(task, recipe, result.best_params, Graphs(test, budget))["mae"]
        constant = np.abs(truth - np.median(truth[chosen[0]]))[chosen[2]].mean()
        return {"mae": factor * mae, "unit": unit, "constant": factor * float(constant)}

    return task, errors


def choose(count: int, options: Options) -> list[np.ndarray]:
    """Return the molecules for training, validation and testing: the first ones of the parts of the published split."""
    sizes = (options.train, options.valid, options.test)
    parts = [part[:size] for part, size in zip(split_qm9(count), sizes, strict=True)]
    if lacking := [part for part, size in zip(parts, sizes, strict=True) if size is not None and len(part) < size]:
        raise ValueError(f"there are {len(lacking[0])} molecules where {sizes} are asked for; ask for fewer")
    return parts


def labelled(data: QM9, chosen: np.ndarray, values: np.ndarray) -> Structures:
    """Return molecules with one number each."""
    return Structures(data.molecules(chosen), {LABEL: values[chosen]})


def explained(data: QM9, target: str, chosen: np.ndarray) -> Float[np.ndarray, " g"]:
    """Return what a linear fit to the chosen molecules says of a target of all."""
    if target == "mu":
        return np.zeros(len(data.sizes))
    owner = np.repeat(np.arange(len(data.sizes)), data.sizes)

    def summed(values: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(owner, values * (data.numbers == z), len(data.sizes)) for z in SPECIES], axis=1)

    features = np.ones((len(data.sizes), 1))
    if target_of(target).extensive:
        features = summed(np.ones(len(owner)))
    if target == "r2":
        masses = atomic_masses[data.numbers]
        weighted = [np.bincount(owner, masses * x) / np.bincount(owner, masses) for x in data.positions.T]
        features = np.hstack([features, summed(np.sum((data.positions - np.stack(weighted, 1)[owner]) ** 2, axis=1))])
    return features @ np.linalg.lstsq(features[chosen], data.target(target)[chosen])[0]


def head_of(target: str) -> potentials.Head:
    """Return how a target is read off the atoms of a model."""
    if target in HEADS:
        return potentials.HEADS[HEADS[target]]
    energy = potentials.HEADS["energy"]
    if target_of(target).extensive:
        return energy
    return energy._replace(read=lambda graph, atoms: potentials.average(graph, atoms)[:, 0])


def shown(target: str) -> tuple[float, str]:
    """Return the factor and the unit in which errors are published: meV of energies."""
    unit = target_of(target).unit
    return (1000.0, "meV") if unit == "eV" else (1.0, unit)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
