"""Molecular dynamics: a step beside a call of energies and forces, beside `mlip`'s engine on JAX-MD, and its growth.

    python -m venv ~/peers/mlip && ~/peers/mlip/bin/pip install mlip==0.2.5 jax-md
    python -m benchmarks.dynamics --peer-python-mlip ~/peers/mlip/bin/python

Both sides: NequIP with 2 layers, 32 channels, l <= 2, 8 Bessel functions and radial networks 64-64, cutoff 5 Å, random
parameters in float32, velocity Verlet at 300 K with 0.5 fs, one thread. A call of energies and forces is that of the
calculator: on the list of the dynamics, which holds 0.5 Å more than the cutoff. Structures are benzene beside ethanol
(21 atoms), 64 molecules of water (192), silicon (1000 and 10,000). mlip lists pairs of atoms, not of images, which in
these cells are the same.
"""

import argparse
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.timing import alone, compare, serve
from symjax.cli.memory import keep_memory

if TYPE_CHECKING:
    import ase

STEPS = {21: 20, 192: 3, 1000: 1, 10_000: 1}  # of a measured block
TURNS = {21: (6, 4), 192: (4, 4), 1000: (3, 2), 10_000: (1, 3)}  # rounds and repeats


def make_ours(path: str, work: str, steps: int, facts: dict) -> Callable[[], object]:
    """Return a block of steps, or of calls of energies and forces on the same list of neighbours."""
    import ase.io
    import jax
    import numpy as np

    from symjax import potentials
    from symjax.graphs import atoms_graph
    from symjax.potentials.motion import Dynamics, Simulation
    from symjax.potentials.motion.listing import list_neighbours
    from symjax.training import plain

    atoms: Any = ase.io.read(path)
    species = tuple(sorted({*atoms.numbers.tolist()}))
    graph = atoms_graph(atoms, cutoff=5.0, species=species)
    sizes = {"layers": 2, "channels": 32, "lmax": 2, "cutoff": 5.0, "species": len(species)}
    sizes["average_neighbours"] = len(graph.senders) / len(atoms)
    model = potentials.build("nequip", plain(potentials.preset_of("nequip", "small")) | sizes)
    params = jax.jit(model.init)(jax.random.key(0), jax.tree.map(lambda leaf: np.asarray(leaf), graph))
    references = potentials.References(dict.fromkeys(species, 0.0), scale=0.01)
    potential = potentials.Potential(model, params, species, references)
    listed = list_neighbours(potential, atoms, skin=0.5)
    facts |= {"atoms": len(atoms), "edges": len(graph.senders), "listed": listed.budget.edges, "steps": steps}
    if work == "calls":
        program, params = potential.programs["labels"], jax.device_put(params)
        return lambda: [jax.block_until_ready(program(params, listed.graph)) for _ in range(steps)]
    simulation = Simulation(potential, atoms, Dynamics("nve", timestep=0.5), skin=0.5)

    def advance() -> None:
        until = simulation.step + steps
        simulation.advance(until)
        assert simulation.step == until, "it exploded"

    return advance


def structures() -> "dict[int, ase.Atoms]":
    """Return structures at 300 K by their number of atoms."""
    import ase
    import numpy as np
    from ase.build import bulk, molecule

    from symjax.potentials.motion import draw_momenta

    rng, water = np.random.default_rng(0), ase.Atoms(cell=np.eye(3) * 12.4, pbc=True)
    for place in 3.1 * np.indices((4, 4, 4)).reshape(3, -1).T:
        one = molecule("H2O")
        one.rotate(rng.uniform(0, 360), rng.normal(size=3))
        one.positions += place
        water += one
    beside = molecule("CH3CH2OH")
    beside.positions += [0, 0, 4.0]
    silicon = bulk("Si", cubic=True).repeat(5)
    silicon.rattle(0.05, seed=0)
    found = {len(atoms): atoms for atoms in (molecule("C6H6") + beside, water, silicon, silicon.repeat((10, 1, 1)))}
    for atoms in found.values():
        draw_momenta(atoms, 300.0, seed=0)
    return found


def main() -> None:
    """Measure every structure."""
    import ase.io

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_MLIP", sys.executable)
    parser.add_argument("--peer-python-mlip", default=default, help="interpreter that has mlip and jax-md")
    parser.add_argument("--sizes", nargs="+", type=int, choices=tuple(STEPS), default=tuple(STEPS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size, atoms in structures().items():
            if size not in options.sizes:
                continue
            path, steps = str(pathlib.Path(folder, f"{size}.xyz")), str(STEPS[size])
            ase.io.write(path, atoms, format="extxyz")
            rounds, repeats = TURNS[size]
            ours = [sys.executable, "-m", "benchmarks.dynamics", "serve", path]
            if size == 10_000:
                alone(f"dynamics of {size} atoms", [*ours, "steps", steps], rounds=rounds, repeats=repeats)
                continue
            for case, peer, install in (
                ("calls of energies and forces", [*ours, "calls", steps], "it needs nothing"),
                (
                    "mlip",
                    [options.peer_python_mlip, "-m", "benchmarks.peers.mlip_dynamics", path, steps],
                    "python -m venv PEER && PEER/bin/pip install mlip==0.2.5 jax-md, then pass --peer-python-mlip "
                    "PEER/bin/python",
                ),
            ):
                name = f"{steps} steps of {size} atoms against {case}"
                compare(name, [*ours, "steps", steps], peer, install=install, rounds=rounds, repeats=repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        report: dict = {}
        path, work, steps = sys.argv[2:]
        serve(lambda: make_ours(path, work, int(steps), report), "symjax", "jax", facts=report)
    else:
        main()
