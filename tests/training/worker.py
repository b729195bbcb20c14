"""One training process that may be told to die: `python worker.py '{"folder": ..., ...}'`; the tests start it."""

import json
import os
import pathlib
import signal
import sys

import jax
import numpy as np
import toy

from symjax.training import CheckpointStore, Keep, MetricsLog, Pace, Plateau, fit, initialise_distributed, resume

EPOCHS = 4


def evaluate(params):
    """A number that falls, rises and falls, so that best, patience and plateau have something to remember."""
    return {"loss": abs(float(np.abs(params["w"]).sum()) - 17.0)}


def train(step, folder, load=None, wrap=lambda store: store):
    """Train the toy in `folder`, continuing what is there."""
    with CheckpointStore(folder / "checkpoints") as store:
        state, progress, passed_over = resume(store, toy.state())
        pace = Pace(EPOCHS, plateau=Plateau(patience=1), save_every=4, report_every=3)
        keep = Keep(wrap(store), MetricsLog(folder / "metrics.jsonl"))
        result = fit(state, step, toy.plan, pace=pace, load=load, evaluate=evaluate, keep=keep, start=progress)
    return result, passed_over


def dying(order):
    """Return the hooks that kill this process: before a step, or at once after a save was begun."""
    count = 0

    def load(batch):
        nonlocal count
        count += 1
        if count == order.get("kill_before"):
            os.kill(os.getpid(), signal.SIGKILL)
        if count == order.get("term_before"):
            os.kill(os.getpid(), signal.SIGTERM)
        return batch

    def wrap(store):
        save = store.save

        def save_and_die(step, *args, **options):
            save(step, *args, **options)
            if step == order.get("kill_in_save_of"):
                os.kill(os.getpid(), signal.SIGKILL)

        store.save = save_and_die
        return store

    return {"load": load, "wrap": wrap}


def among_many(order, folder):
    """Train with each driver as one process of several, meeting the others before the first collective."""
    for how in ("shard_map", "pmap", "jit"):
        step = toy.driver(how, jax.device_count())
        mine = np.array(step.local(range(toy.SHARDS)))
        load = lambda batch, mine=mine: jax.tree.map(lambda x: x[mine], batch)  # noqa: E731
        meet(how, step, step.replicate(toy.state()), load(toy.plan(0)[0]))
        result, _ = train(step, folder / how, load)
        if jax.process_index() == 0:
            np.savez(folder / f"{how}.npz", **toy.leaves(result.state))
    np.savez(folder / f"spread{jax.process_index()}.npz", **spread("shard_map", toy.plan(0)[1]))
    print(json.dumps(preempted(step, mine, folder / "preempted")))
    jax.distributed.shutdown()


def meet(name, step, state, batch):
    """Compile, and wait for the other processes where there are some: collectives are less patient."""
    from jax._src import distributed

    if jax.process_count() > 1:
        step.compiled.lower(state, step.shard(batch)).compile()
        distributed.global_state.client.wait_at_barrier(name, timeout_in_ms=120_000)


def spread(how, batch):
    """Return the state, on the host, after one step of an objective that is no sum over environments."""
    step = toy.driver(how, jax.device_count(), loss=toy.by_environment, weights=toy.SPREAD)
    mine = np.array(step.local(range(len(batch["x"]))))
    state, batch = step.replicate(toy.state(rule=toy.SPREAD.init)), jax.tree.map(lambda x: x[mine], batch)
    meet("spread", step, state, batch)
    return toy.leaves(step(state, batch)[0])


def preempted(step, mine, folder):
    """Train endlessly until process 1 alone is told to stop; return where this process stopped."""
    told = []

    def load(batch):
        if jax.process_index() == 1 and not told:
            told.append(os.kill(os.getpid(), signal.SIGTERM))
        return jax.tree.map(lambda x: x[mine], batch)

    with CheckpointStore(folder) as store:
        result = fit(toy.state(), step, toy.plan, pace=Pace(10_000, 10_000), load=load, keep=Keep(store))
        return {"stopped_by": result.stopped_by, "step": result.progress.step, "saved": store.steps()}


def main(order):
    folder = pathlib.Path(order["folder"])
    if "process" in order:
        initialise_distributed(order["address"], processes=order["processes"], process=order["process"], heartbeat=30)
        among_many(order, folder)
        return
    if "spread" in order:
        np.savez(folder / "spread.npz", **spread(order["spread"], toy.deal(toy.plan(0)[1], jax.device_count())))
        return
    result, passed_over = train(toy.driver(), folder, **dying(order))
    np.savez(folder / "final.npz", **toy.leaves(result.state))
    progress = result.progress._asdict()
    print(json.dumps({"stopped_by": result.stopped_by, "passed_over": passed_over, "progress": progress}))


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main(json.loads(sys.argv[1]))
