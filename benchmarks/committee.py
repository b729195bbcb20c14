"""A committee of four against one model: a step of training and its compilation, in one process.

    python -m benchmarks.committee

A step of training as it ships, on energies and forces of 5 structures of ethanol (45 atoms, 360 edges), in single
precision, of the rows of the table of potentials in the size of their preset "small". Calls of both sides alternate, so
that what else the machine does falls on both; times are medians of CPU seconds of one thread. Members are computed one
after another, and for comparison two and all four at once.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.potentials import prepared
from benchmarks.timing import ONE_THREAD

MEMBERS, STRUCTURES, STEPS = 4, 5, 40


def make_steps(name: str, at_once: int | None) -> dict[str, list]:
    """Return [step, state, batch] of one model and of a committee."""
    import jax

    from symjax import potentials, training
    from symjax.data import ethanol

    model, scale, batch = prepared(ethanol()[range(STRUCTURES)], name, {})
    graph = jax.tree.map(lambda leaf: leaf[0], batch.graph)
    recipe = training.Recipe()
    optimizer = training.make_optimizer(recipe, steps=10_000)
    loss = potentials.potential_loss(potentials.scaled_energy(model, scale))
    body = training.make_step(loss, optimizer, {"energy": 1.0, "forces": 1.0}, ema_decay=recipe.ema)

    def begin(key: jax.Array) -> training.TrainState:
        return training.init_state(model.init(key, graph), optimizer, key=key, ema=True)

    keys = training.member_keys(jax.random.key(0), MEMBERS)
    states = training.run_once(lambda keys: training.init_ensemble(begin, keys), keys)
    one, all_of_them = training.parallelise(body), training.parallelise(training.ensemble(body, at_once=at_once))
    batch = jax.device_put(batch)
    return {
        "one": [one, one.replicate(training.member(states, 0)), batch],
        "committee": [all_of_them, all_of_them.replicate(states), batch],
    }


def measure(sides: Mapping[str, list]) -> dict[str, Any]:
    """Return times of compilation and of steps of both sides, and their ratios."""
    import jax

    compiled = {}
    for side, (step, state, batch) in sides.items():
        began = time.process_time()
        step.compiled.lower(state, batch).compile()
        compiled[side] = time.process_time() - began

    def advance(held: list) -> None:
        held[1], _ = jax.block_until_ready(held[0](held[1], held[2]))

    one, committee = alternate([lambda: advance(sides["one"]), lambda: advance(sides["committee"])])
    return {
        "step_ms": round(1e3 * one, 2),
        "step_ratio": round(committee / one, 2),
        "compilation_cpu_s": round(compiled["one"], 1),
        "compilation_ratio": round(compiled["committee"] / compiled["one"], 2),
    }


def alternate(calls: list[Callable[[], None]]) -> list[float]:
    """Return the median CPU seconds of each call, called in turn."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(STEPS):
        for call, own in zip(calls, times, strict=True):
            began = time.process_time()
            call()
            own.append(time.process_time() - began)
    return [statistics.median(own[2:]) for own in times]


if __name__ == "__main__":
    os.environ |= ONE_THREAD
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    for name in ("nequip", "schnet"):
        for at_once in (1, 2, None):
            case = f"{name}, committee of {MEMBERS}, {at_once or MEMBERS} at once"
            print(json.dumps({"case": case} | measure(make_steps(name, at_once))), flush=True)
