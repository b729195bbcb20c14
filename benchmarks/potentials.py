"""Potentials, a step of training and of inference; against `mlip` (JAX), `nequip`, `nequip-allegro` and PyG.

    python -m venv ~/peers/mlip && ~/peers/mlip/bin/pip install mlip==0.2.5
    python -m venv ~/peers/nequip && ~/peers/nequip/bin/pip install torch nequip==0.19.1
    ~/peers/nequip/bin/pip install nequip-allegro==0.8.3
    python -m venv ~/peers/pyg && ~/peers/pyg/bin/pip install torch torch-geometric==2.8.1 ase
    python -m benchmarks.potentials --peer-python-{nequip,allegro}=~/peers/nequip/bin/python \
        --peer-python-mlip ~/peers/mlip/bin/python --peer-python-pyg ~/peers/pyg/bin/python --bpa train_300K.xyz

All sides: cutoff 5 Å, float32, 8 Bessel functions, radial networks 64-64, one thread, the same structures: 8 of
ethanol (72 atoms, 576 edges), 4 of 3BPA (108 atoms, 1784 edges). Sizes are LAYERSxCHANNELSlDEGREE, as in 2x32l2.
Training is a whole step as it ships: loss on energies and forces, gradient, clipping, AMSGrad, moving average;
nequip's is plain Adam without the last. Its last interaction only computes scalars, and so does ours; mlip's computes
all irreps. Allegro's sizes have 64 scalars, perceptrons of one hidden layer of 64 and both parities; the peer's step is
plain Adam again. The first step's time counts imports, data, initial parameters, tracing, compilation and the step; no
compilation cache. Our process keeps its memory from step to step, as the command does. Operations are those of our
program before it is compiled; beside their rate stands that of a product of matrices in the same process.

SchNet and DimeNet++ meet those of PyG, and PaiNN its equations in plain torch, all in the sizes of the preset "small"
with plain Adam. Rows of the table of potentials without a peer are measured alone, in this size too.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from benchmarks.timing import alone, compare, serve
from symjax.cli.memory import keep_memory

if TYPE_CHECKING:
    import ase

    from symjax.data import Batch, Structures

PEERS = {
    "allegro": ("benchmarks.peers.allegro_torch", "torch nequip-allegro"),
    "mlip": ("benchmarks.peers.mlip_jax", "mlip"),
    "nequip": ("benchmarks.peers.nequip_torch", "torch nequip"),
    "pyg": ("benchmarks.peers.atoms_torch", "torch torch-geometric ase"),
}
PEERS_OF = {
    "allegro": ("allegro",),
    "dimenet++": ("pyg",),
    "mace": ("mlip",),
    "nequip": ("mlip", "nequip"),
    "painn": ("pyg",),
    "schnet": ("pyg",),
}
SIZED = ("allegro", "mace", "nequip")  # by --sizes
COUNTS = {"ethanol": 8, "3BPA": 4}
SIZES = ("2x32l2", "3x64l2", "4x64l2", "4x32l3")


def prepared(data: "Structures", name: str, options: dict[str, Any]) -> tuple[Any, float, "Batch"]:
    """Return a model of the table of potentials, the scale of its energies, and one batch of all structures."""
    import numpy as np

    from symjax import potentials, training
    from symjax.data import make_batch, make_samples, sample_sizes
    from symjax.graphs import Budget

    references = potentials.fit_references(data)
    samples = make_samples(references.remove(data), cutoff=5.0, species=data.species)
    nodes, edges = (int(sizes.sum()) for sizes in sample_sizes(samples))
    batch = make_batch(samples, [range(len(data))], Budget(nodes + 1, edges + 1, len(data) + 1), dtype=np.float32)
    given = {"species": len(data.species), "average_neighbours": edges / nodes, "cutoff": 5.0}
    model = potentials.build(name, training.plain(potentials.preset_of(name, "small")) | options | given)
    return model, references.scale, batch


def make_ours(path: str, work: str, name: str, options: dict[str, Any], facts: dict) -> Callable[[], object]:
    """Return the step of a row of the table of potentials."""
    import jax

    from symjax import potentials, training
    from symjax.data import read_structures

    model, scale, batch = prepared(read_structures(path), name, options)
    graph = jax.tree.map(lambda leaf: leaf[0], batch.graph)
    energy = potentials.scaled_energy(model, scale)
    recipe = training.Recipe(optimizer="amsgrad", learning_rate=1e-2)
    optimizer = training.make_optimizer(recipe, steps=10_000)

    def begin(key: jax.Array, graph: Any) -> training.TrainState:
        return training.init_state(model.init(key, graph), optimizer, key=key, ema=True)

    state = training.run_once(begin, jax.random.key(0), graph)
    count = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    atoms, edges = (int(sizes[:-1].sum()) for sizes in (graph.n_node, graph.n_edge))  # without the padding
    facts |= {"parameters": count, "atoms": atoms, "edges": edges}
    if work == "inference":
        infer, graph = jax.jit(potentials.energy_and_forces(energy)), jax.device_put(graph)
        facts["gflop"] = operations(infer.lower(state.params, graph))
        return lambda: jax.block_until_ready(infer(state.params, graph))

    body = training.make_step(
        potentials.potential_loss(energy), optimizer, {"energy": 1.0, "forces": 1.0}, ema_decay=recipe.ema
    )
    step = training.parallelise(body)
    state, batch = step.replicate(state), jax.device_put(batch)
    facts["gflop"] = operations(step.compiled.lower(state, batch))

    def train():
        nonlocal state
        state, _ = jax.block_until_ready(step(state, batch))

    return train


def operations(lowered: Any) -> float:
    """Return how many billions of floating-point operations a program has."""
    return round(lowered.cost_analysis()["flops"] / 1e9, 4)


def rate_of_products(size: int = 1024, repeats: int = 20) -> float:
    """Return the billions of operations a CPU second of a product of float32 matrices."""
    import jax
    import jax.numpy as jnp

    x = jnp.ones((size, size))
    multiply = jax.jit(lambda x: x @ x)
    jax.block_until_ready(multiply(x))
    began = time.process_time()
    for _ in range(repeats):
        jax.block_until_ready(multiply(x))
    return round(2 * size**3 * repeats / (time.process_time() - began) / 1e9, 1)


def options_of_size(size: str) -> dict[str, int]:
    """Return the options that a size such as 4x64l2 means."""
    layers, channels, lmax = map(int, re.fullmatch(r"(\d+)x(\d+)l(\d+)", size).groups())  # pyright: ignore
    return {"layers": layers, "channels": channels, "lmax": lmax}


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
    """Compare on every data set, for both kinds of work, in every size, with every peer."""
    import ase.io

    from symjax.potentials import POTENTIALS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in PEERS:
        default = os.environ.get(f"SYMJAX_PEER_{peer.upper()}", sys.executable)
        parser.add_argument(f"--peer-python-{peer}", default=default, help=f"interpreter that has {peer}")
    parser.add_argument("--ethanol", help="extended xyz file; by default the data set that ships")
    parser.add_argument("--bpa", help="extended xyz file of 3BPA; skipped without")
    parser.add_argument("--models", nargs="+", choices=tuple(POTENTIALS), default=tuple(POTENTIALS))
    parser.add_argument("--sizes", nargs="+", default=SIZES, help=f"of {', '.join(SIZED)}, such as 4x64l2")
    parser.add_argument("--work", nargs="+", choices=("training", "inference"), default=("training", "inference"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, file in (("ethanol", options.ethanol), ("3BPA", options.bpa)):
            frames = structures(name, file)
            if frames is None:
                print(f'{{"case": "potentials on {name}", "skipped": "pass a file of structures"}}', flush=True)
                continue
            path = str(pathlib.Path(folder, f"{name}.xyz"))
            ase.io.write(path, frames, format="extxyz")
            for work in options.work:
                where = f"{work} step on {name}, batch {len(frames)}"
                for model in options.models:
                    for size, network in sizes_of(model, options.sizes):
                        case = f"{model} {size}, {where}"
                        if model in PEERS_OF:
                            against_peers(case, path, work, model, network, vars(options))
                        else:
                            alone(case, _ours(path, work, model, network))


def sizes_of(model: str, sizes: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the names and the options of the sizes in which a model is measured."""
    from symjax import potentials, training

    if model in SIZED:
        return [(size, options_of_size(size)) for size in sizes]
    return [("small", training.plain(potentials.preset_of(model, "small")))]


def against_peers(
    case: str, path: str, work: str, model: str, network: dict[str, Any], options: dict[str, Any]
) -> None:
    """Compare a row of the table, of some options, with each of its peers."""
    for peer in PEERS_OF[model]:
        module, packages = PEERS[peer]
        interpreter = options[f"peer_python_{peer}"]
        compare(
            f"{case}, against {peer}",
            _ours(path, work, model, network),
            [interpreter, "-m", module, path, work, model, json.dumps(network)],
            install=f"python -m venv PEER && PEER/bin/pip install {packages}, then pass --peer-python-{peer} "
            "PEER/bin/python",
        )


def _ours(path: str, work: str, name: str, options: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "benchmarks.potentials", "serve", path, work, name, json.dumps(options)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        report: dict = {"optimizer": "AMSGrad, clipping, EMA"}
        path, work, name, options = sys.argv[2:]
        step = lambda: make_ours(path, work, name, json.loads(options), report)  # noqa: E731
        serve(step, "symjax", "jax", "flax", facts=report, after=lambda: {"product_gflops": rate_of_products()})
    else:
        main()
