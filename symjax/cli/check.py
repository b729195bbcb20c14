"""`symjax check`: the laws of a trained potential, measured in float64."""

import jax
import jax.numpy as jnp
import numpy as np

from symjax.cli.config import Check
from symjax.cli.run import load_potential, read_example
from symjax.data import make_samples, read_structures
from symjax.graphs import ATOMS
from symjax.groups import E, S
from symjax.laws import Equivariance, check
from symjax.potentials.derivatives import energy_and_forces
from symjax.reps import Axis, Relabelling, Vectors


def run(command: Check) -> int:
    """Print one line a law; the exit code is 1 where one is broken."""
    potential = load_potential(command.run)
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
    atoms = len(structures.atoms[0])
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), float), potential.params)
        key = jax.random.key(command.seed)
        predict = energy_and_forces(potential.energy)
        force_laws = [
            Equivariance(E(3), ATOMS, Vectors()),
            Equivariance(S(atoms), Relabelling(), Axis(0)),
        ]
        reports = {
            "energy": check(potential.model, graph, key=key, params=params),
            "forces": check(lambda graph: predict(params, graph).forces, graph, key=key, laws=force_laws),
        }
    for name, report in reports.items():
        print(f"{name} of {structures.atoms[0].get_chemical_formula()}, float64", report, sep="\n")
    return 0 if all(reports.values()) else 1
