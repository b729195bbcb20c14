"""NequIP, one step of training and one of inference, against `mlip` (JAX) and `nequip` (torch, eager).

    python -m venv ~/peers/mlip && ~/peers/mlip/bin/pip install mlip==0.2.5
    python -m venv ~/peers/nequip && ~/peers/nequip/bin/pip install torch nequip==0.19.1
    python -m benchmarks.potentials --peer-python-mlip ~/peers/mlip/bin/python \
        --peer-python-nequip ~/peers/nequip/bin/python --bpa train_300K.xyz

All sides: cutoff 5 Å, float32, 2 interactions, 32x0e + 32x1o + 32x2e, 8 Bessel functions, radial networks 64-64, one
thread, the same structures: 8 of ethanol (72 atoms, 576 edges), 4 of 3BPA (108 atoms, 1784 edges). Training is a
whole step: loss on energies and forces, gradient, optimiser. Ours and mlip's also clip and average the parameters;
nequip's is plain Adam. nequip's last interaction only computes scalars, and so does ours; mlip's computes all irreps.
The first step's time counts imports, data, initial parameters, tracing, compilation and the step; no compilation cache.
"""

import argparse
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from benchmarks.timing import compare, serve

if TYPE_CHECKING:
    import ase

PEERS = {"mlip": ("benchmarks.peers.mlip_jax", "mlip"), "nequip": ("benchmarks.peers.nequip_torch", "torch nequip")}
COUNTS = {"ethanol": 8, "3BPA": 4}


def make_ours(path: str, work: str, facts: dict) -> Callable[[], object]:
    """Return the step of `symjax.models.atoms.NequIP`."""
    import ase.io
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    from symjax.graphs import Budget, atoms_graph, batch_graphs, graph_mask, node_mask
    from symjax.models.atoms import NequIP
    from symjax.potentials.derivatives import energy_and_forces
    from symjax.potentials.potential import scaled_energy
    from symjax.training import init_state, make_step, parallelise, run_once

    frames = list(ase.io.iread(path))
    species = tuple(sorted({int(number) for atoms in frames for number in atoms.numbers}))
    graphs = [atoms_graph(atoms, cutoff=5.0, species=species) for atoms in frames]
    nodes, edges = sum(len(atoms) for atoms in frames), sum(len(graph.senders) for graph in graphs)
    batch = batch_graphs(graphs, Budget(nodes + 1, edges + 1, len(graphs) + 1), dtype=np.float32)
    energies = np.array([*(atoms.get_potential_energy() for atoms in frames), 0], np.float32)
    forces = np.concatenate([*(atoms.get_forces() for atoms in frames), np.zeros((1, 3))]).astype(np.float32)

    model = NequIP(len(species), edges / nodes, layers=2)
    params, predict = run_once(model.init, jax.random.key(0), batch), energy_and_forces(scaled_energy(model, 1.0))
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    facts |= {"parameters": count, "atoms": nodes, "edges": edges}
    if work == "inference":
        infer = jax.jit(predict)
        batch = jax.device_put(batch)
        return lambda: jax.block_until_ready(infer(params, batch))

    def loss(params, batch, key):
        graph, energies, forces = batch
        predicted = predict(params, graph)
        graph_errors = jnp.where(graph_mask(graph), predicted.energy - energies, 0)
        atom_errors = jnp.where(node_mask(graph)[:, None], predicted.forces - forces, 0)
        return {
            "energy": (jnp.sum(graph_errors**2), graph_mask(graph).sum()),
            "forces": (jnp.sum(atom_errors**2), 3 * node_mask(graph).sum()),
        }

    optimizer = optax.chain(optax.clip_by_global_norm(500.0), optax.amsgrad(1e-2))
    step = parallelise(make_step(loss, optimizer, {"energy": 1.0, "forces": 25.0}, ema_decay=0.99))
    state = run_once(lambda params, key: init_state(params, optimizer, key=key, ema=True), params, jax.random.key(1))
    shards = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (batch, energies, forces))

    def train():
        nonlocal state
        state, _ = jax.block_until_ready(step(state, shards))

    return train


def structures(name: str, file: str | None) -> "list[ase.Atoms] | None":
    """Return the first structures of a file, or those that ship; None where there are none."""
    import ase.io

    if file is not None:
        return list(ase.io.iread(file, f":{COUNTS[name]}"))
    if name != "ethanol":
        return None
    from ase.calculators.singlepoint import SinglePointCalculator

    from symjax.data import ethanol

    data = ethanol()
    labelled = list(zip(data.atoms, cast(Any, data.energy), cast(Any, data.forces), strict=True))[: COUNTS[name]]
    for atoms, energy, forces in labelled:
        atoms.calc = SinglePointCalculator(atoms, energy=float(energy), forces=forces)
    return [atoms for atoms, _, _ in labelled]


def main() -> None:
    """Compare on every data set, for both kinds of work, with both peers."""
    import ase.io

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in PEERS:
        default = os.environ.get(f"SYMJAX_PEER_{peer.upper()}", sys.executable)
        parser.add_argument(f"--peer-python-{peer}", default=default, help=f"interpreter that has {peer}")
    parser.add_argument("--ethanol", help="extended xyz file; by default the data set that ships")
    parser.add_argument("--bpa", help="extended xyz file of 3BPA; skipped without")
    parser.add_argument("--work", nargs="+", choices=("training", "inference"), default=("training", "inference"))
    options = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        for name, file in (("ethanol", options["ethanol"]), ("3BPA", options["bpa"])):
            frames = structures(name, file)
            if frames is None:
                print(f'{{"case": "NequIP on {name}", "skipped": "pass a file of structures"}}', flush=True)
                continue
            path = str(pathlib.Path(folder, f"{name}.xyz"))
            ase.io.write(path, frames, format="extxyz")
            for work in options["work"]:
                for peer, (module, packages) in PEERS.items():
                    compare(
                        f"NequIP {work} step on {name}, batch {len(frames)}, against {peer}",
                        [sys.executable, "-m", "benchmarks.potentials", "serve", path, work],
                        [options[f"peer_python_{peer}"], "-m", module, path, work],
                        install=f"python -m venv PEER && PEER/bin/pip install {packages}, "
                        f"then pass --peer-python-{peer} PEER/bin/python",
                    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        report: dict = {"optimizer": "AMSGrad, clipping, EMA"}
        serve(lambda: make_ours(sys.argv[2], sys.argv[3], report), "symjax", "jax", "flax", facts=report)
    else:
        main()
