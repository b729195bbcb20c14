"""A committee of four against one model: the time of a step of training, and of its compilation, in one process.

    python -m benchmarks.committee

One step of training as it ships, on 8 structures of ethanol (72 atoms, 576 edges), in single precision. Calls of both
alternate, so that what else the machine does falls on both; numbers are medians, of wall and of CPU time.
"""

import argparse
import json
import statistics
import time
from typing import Any

COUNT, STEPS = 4, 30


def prepare(name: str, options: dict[str, Any], size: int) -> tuple:
    """Return the task of a row of the table of potentials on some structures of ethanol, and a batch."""
    import jax
    import numpy as np

    from symjax import potentials, training
    from symjax.data import ethanol, make_batch, make_samples, sample_sizes
    from symjax.graphs import Budget

    data = ethanol()[range(size)]
    references = potentials.fit_references(data)
    samples = make_samples(references.remove(data), cutoff=5.0, species=data.species)
    nodes, edges = (int(sizes.sum()) for sizes in sample_sizes(samples))
    batch = make_batch(samples, [range(size)], Budget(nodes + 1, edges + 1, size + 1), dtype=np.float32)
    given = {"species": len(data.species), "average_neighbours": edges / nodes, "cutoff": 5.0}
    model = potentials.build(name, training.plain(potentials.preset_of(name, "small")) | options | given)
    loss = potentials.potential_loss(potentials.scaled_energy(model, references.scale))
    return model, loss, jax.device_put(batch)


def make_steps(name: str, options: dict[str, Any], size: int, at_once: int | None) -> dict[str, list]:
    """Return [step, state] of one model and of a committee."""
    import jax

    from symjax import training

    model, loss, batch = prepare(name, options, size)
    recipe = training.Recipe()
    optimizer = training.make_optimizer(recipe, steps=10_000)
    body = training.make_step(loss, optimizer, {"energy": 1.0, "forces": 1.0}, ema_decay=recipe.ema)
    graph = jax.tree.map(lambda leaf: leaf[0], batch.graph)

    def begin(key):
        return training.init_state(model.init(key, graph), optimizer, key=key, ema=True)

    keys = jax.random.split(jax.random.key(0), COUNT)
    one, many = training.parallelise(body), training.parallelise(training.ensemble(body, at_once=at_once))
    states = training.run_once(lambda keys: training.init_ensemble(begin, keys), keys)
    return {
        "one": [one, one.replicate(training.member(states, 0)), batch],
        "committee": [many, many.replicate(states), batch],
    }


def measure(name: str, options: dict[str, Any], size: int, at_once: int | None) -> dict[str, Any]:
    import jax

    sides = make_steps(name, options, size, at_once)
    first, wall, cpu = {}, {side: [] for side in sides}, {side: [] for side in sides}
    for side, (step, state, batch) in sides.items():
        began = time.process_time()
        step.compiled.lower(state, batch).compile()
        first[side] = time.process_time() - began
    for _ in range(STEPS):
        for side, held in sides.items():
            step, state, batch = held
            start, begun = time.perf_counter(), time.process_time()
            held[1], _ = jax.block_until_ready(step(state, batch))
            wall[side].append(time.perf_counter() - start)
            cpu[side].append(time.process_time() - begun)
    medians = {side: (statistics.median(wall[side][2:]), statistics.median(cpu[side][2:])) for side in sides}
    ratio = [many / one for many, one in zip(medians["committee"], medians["one"], strict=True)]
    return {
        "model": name,
        "size": size,
        "at_once": at_once,
        "one_ms": round(1e3 * medians["one"][0], 2),
        "ratio": round(ratio[0], 2),
        "ratio_cpu": round(ratio[1], 2),
        "compile_one_s": round(first["one"], 2),
        "compile_ratio": round(first["committee"] / first["one"], 2),
    }


if __name__ == "__main__":
    import sys

    for name, options in (
        ("schnet", {}),
        ("nequip", {}),
    ):
        for size in (5,):
            for at_once in (None, 1, 2):
                print(json.dumps(measure(name, options, size, at_once)), flush=True)
