"""SevenNet-0, one energy and its forces, against its authors' torch code; the same weights, graphs and precision.

    python -m venv ~/peers/sevenn && ~/peers/sevenn/bin/pip install torch sevenn
    ~/peers/sevenn/bin/pip install . && ~/peers/sevenn/bin/symjax convert sevennet --out runs/7net
    python -m benchmarks.sevennet runs/7net --peer-python ~/peers/sevenn/bin/python

Both sides: float32, one thread, graphs made before: 8 atoms of silicon, 64 and 512 of salt, all displaced. SevenNet's
code also makes the stress, whose cost is that of a sum over edges.
"""

import argparse
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.timing import compare, serve
from symjax.cli.memory import keep_memory

if TYPE_CHECKING:
    import ase


def make_ours(run: str, path: str, facts: dict) -> Callable[[], object]:
    """Return the step: labels of a graph that is on the device."""
    import jax
    import numpy as np

    import symjax
    from symjax.data import make_batch, make_samples, read_structures, sample_sizes
    from symjax.graphs import Budget

    potential, data = symjax.load(run), read_structures(path, energy_key=None, forces_key=None)
    samples = make_samples(data, cutoff=potential.model.cutoff, species=potential.species)
    nodes, edges = (int(sizes.sum()) for sizes in sample_sizes(samples))
    batch = make_batch(samples, [range(len(data))], Budget(nodes + 1, edges + 1, len(data) + 1), dtype=np.float32)
    graph = jax.device_put(jax.tree.map(lambda leaf: leaf[0], batch.graph))
    params, program = jax.device_put(potential.params), potential.programs["labels"]
    facts |= {"atoms": nodes, "edges": edges}
    facts["gflop"] = round(program.lower(params, graph).cost_analysis()["flops"] / 1e9, 4)
    first = jax.device_get(program(params, graph))
    facts["energy"] = float(potential.references.restore(data.numbers, first["energy"][:1])[0])
    return lambda: jax.block_until_ready(program(params, graph))


def structures() -> "dict[str, ase.Atoms]":
    """Return the structures by name."""
    import ase.build

    salt = ase.build.bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    made = {"8 Si": ase.build.bulk("Si", cubic=True), "64 NaCl": salt.repeat(2), "512 NaCl": salt.repeat(4)}
    for atoms in made.values():
        atoms.rattle(0.05, seed=0)
    return made


def main() -> None:
    """Compare on every structure."""
    import ase.io

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="what symjax convert made of SevenNet-0")
    peer = os.environ.get("SYMJAX_PEER_SEVENN", sys.executable)
    parser.add_argument("--peer-python", default=peer, help="interpreter that has sevenn")
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, atoms in structures().items():
            path = str(pathlib.Path(folder, "structure.xyz"))
            ase.io.write(path, atoms, format="extxyz")
            compare(
                f"SevenNet-0, energy and forces of {name}",
                [sys.executable, "-m", "benchmarks.sevennet", "serve", options.run, path],
                [options.peer_python, "-m", "benchmarks.peers.sevennet_torch", path],
                install="python -m venv PEER && PEER/bin/pip install torch sevenn, then pass --peer-python "
                "PEER/bin/python",
                rounds=options.rounds,
                repeats=8 if len(atoms) < 100 else 2,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        report: dict = {}
        run, path = sys.argv[2:]
        serve(lambda: make_ours(run, path, report), "symjax", "jax", "flax", facts=report)
    else:
        main()
