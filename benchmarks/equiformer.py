"""Equiformers, a step of training: the second against eSEN of `mlip`, the first against our own NequIP.

    python -m venv ~/peers/mlip && ~/peers/mlip/bin/pip install mlip==0.2.5
    python -m benchmarks.equiformer --peer-python-mlip ~/peers/mlip/bin/python --bpa train_300K.xyz

Loss on energies and forces of 4 structures of 3BPA (108 atoms, 1784 edges), gradient, clipping, AMSGrad, moving
average; cutoff 5 Å, float32, one thread. Three layers, 32 channels, degrees up to 3 on all sides. EquiformerV2 and eSEN
both have orders up to 2 in the frames of edges, 64 Gaussians, 32 channels of the species at either end of an edge, and
radial networks 32-32; eSEN has gates where EquiformerV2 has attention and products on a grid, and no more than scalars
in its readout. Memory is that of the temporary arrays of a step's program, activations above all.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable
from typing import Any, cast

from benchmarks.potentials import operations, prepared, structures
from benchmarks.timing import compare, serve
from symjax.cli.memory import keep_memory

SIZE = {"layers": 3, "channels": 32, "lmax": 3}
NARROW = {"edge_channels": 32, "radial_widths": [32, 32], "radial_basis": 64}
HEADS, MIDDLE = ("+".join(f"{n}x{degree}{'eo'[degree % 2]}" for degree in range(4)) for n in (8, 96))
MODELS: dict[str, dict[str, Any]] = {
    "equiformer-v2": SIZE | NARROW,
    "equiformer": {
        "irreps": HEADS.replace("8x", "32x"),
        "head_irreps": HEADS,
        "mid_irreps": MIDDLE,
        "layers": 3,
        "lmax": 3,
    },
    "nequip": SIZE,
}


def make(path: str, name: str, facts: dict) -> Callable[[], object]:
    """Return a step of a row of the table of potentials, in the sizes above."""
    import jax

    from symjax import potentials, training
    from symjax.data import read_structures

    model, scale, batch = prepared(read_structures(path), name, MODELS[name])
    graph = jax.tree.map(lambda leaf: leaf[0], batch.graph)
    optimizer = training.make_optimizer(training.Recipe(optimizer="amsgrad", learning_rate=1e-2), steps=10_000)

    def begin(key: jax.Array, graph: Any) -> training.TrainState:
        return training.init_state(model.init(key, graph), optimizer, key=key, ema=True)

    loss = potentials.potential_loss(potentials.scaled_energy(model, scale))
    step = training.parallelise(
        training.make_step(loss, optimizer, {"energy": 1.0, "forces": 1.0}, ema_decay=training.Recipe().ema)
    )
    state = step.replicate(training.run_once(begin, jax.random.key(0), graph))
    batch, lowered = jax.device_put(batch), step.compiled.lower(state, batch)
    program = lowered.compile()
    memory = cast(Any, program.memory_analysis())
    facts |= {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params)),
        "temporary_mib": round(memory.temp_size_in_bytes / 2**20, 1),
        "gflop": operations(lowered),
    }

    def train() -> None:
        nonlocal state
        state, _ = jax.block_until_ready(program(state, batch))

    return train


def main() -> None:
    """Compare both."""
    import ase.io

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_MLIP", sys.executable)
    parser.add_argument("--peer-python-mlip", default=default, help="interpreter that has mlip")
    parser.add_argument("--bpa", required=True, help="extended xyz file of 3BPA")
    parser.add_argument("--models", nargs="+", choices=("equiformer-v2", "equiformer"), default=list(MODELS)[:2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, "3BPA.xyz"))
        ase.io.write(path, structures("3BPA", options.bpa) or [], format="extxyz")
        esen = [options.peer_python_mlip, "-m", "benchmarks.peers.mlip_jax", path, "training", "esen", json.dumps(SIZE)]
        for model in options.models:
            peer = esen if model == "equiformer-v2" else _ours(path, "nequip")
            case = f"{model}, training step on 3BPA, against {'eSEN' if peer is esen else 'nequip'}"
            compare(case, _ours(path, model), peer, install=INSTALL)


INSTALL = "python -m venv PEER && PEER/bin/pip install mlip==0.2.5, then pass --peer-python-mlip PEER/bin/python"


def _ours(path: str, name: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.equiformer", "serve", path, name]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        keep_memory()
        report: dict = {"optimizer": "AMSGrad, clipping, EMA"}
        path, name = sys.argv[2:]
        serve(lambda: make(path, name, report), "symjax", "jax", "flax", facts=report)
    else:
        main()
