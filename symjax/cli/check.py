"""`symjax check`: the laws of a trained model of atoms, measured in float64."""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.cli.options import RunDirectory, parse_options
from symjax.data import LABELS, make_samples, read_structures
from symjax.graphs import ATOMS
from symjax.groups import E, S
from symjax.laws import Equivariance, Law, check
from symjax.potentials import read_example
from symjax.reps import Axis, Relabelling, Trivial
from symjax.tasks import load


@dataclasses.dataclass(frozen=True)
class Check:
    """Measure the laws of a trained model in float64, on a training structure or the first of a file."""

    run: RunDirectory
    data: pathlib.Path | None = None  # anything ASE reads; its first structure is used
    seed: int = 0


def parse(arguments: list[str]) -> Check:
    """Return the options."""
    return parse_options(Check, "check", arguments)


def run(command: Check) -> int:
    """Print one line a law; the exit code is 1 where one is broken."""
    potential = load(command.run)
    if command.data is None:
        structures = read_example(command.run)
    else:
        structures = read_structures(command.data, energy_key=None, forces_key=None)
    [(graph, _)] = make_samples(structures[:1], cutoff=potential.model.cutoff, species=potential.species)
    if not graph.n_edge.sum():
        raise ValueError(
            f"no two atoms of {structures.atoms[0].symbols} are within {potential.model.cutoff} Å, so that "
            "all laws hold trivially; name another file with --data"
        )
    obeyed, atoms = True, len(structures.atoms[0])
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), float), potential.params)
        predict, key = potential.labels(stress=bool(structures.atoms[0].pbc.all())), jax.random.key(command.seed)
        for name in jax.eval_shape(predict, params, graph):

            def label(graph: jraph.GraphsTuple, name: str = name) -> jax.Array:
                return predict(params, graph)[name]

            report = check(label, graph, key=key, laws=laws(name, atoms))
            print(f"{name} of {structures.atoms[0].get_chemical_formula()}, float64", report, sep="\n")
            obeyed &= bool(report)
    return 0 if obeyed else 1


def laws(name: str, atoms: int) -> list[Law]:
    """Return how a label of so many atoms goes with a motion and with the numbering of the atoms."""
    label = LABELS[name]
    numbering = Trivial() if label.of == "graph" else Axis(0)
    return [Equivariance(E(3), ATOMS, label.rep), Equivariance(S(atoms), Relabelling("atoms"), numbering)]
