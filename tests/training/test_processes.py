"""Runs that are killed, told to stop, or spread over processes end with the numbers of a run that was not."""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import toy
import worker

from symjax.training import CheckpointStore, resume

HERE = pathlib.Path(__file__).parent


def launch(order, devices=4):
    flags = {"XLA_FLAGS": os.environ["XLA_FLAGS"].replace("device_count=4", f"device_count={devices}")}
    command = [sys.executable, str(HERE / "worker.py"), json.dumps(order)]
    return subprocess.Popen(command, env=os.environ | flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def records(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The run of one process that nothing happens to, its folder and its result."""
    folder = tmp_path_factory.mktemp("undisturbed")
    result, _ = worker.train(toy.driver(), folder)
    return folder, result


def assert_bits_equal(found, state):
    expected = toy.leaves(state)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].tobytes() == value.tobytes(), name


def assert_close(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-10, err_msg=name)


def test_an_objective_on_eight_devices_is_the_one_of_one_device(tmp_path):
    """Twenty places for rows, eight of them taken by three environments, dealt out to eight devices and padded."""
    code, _, err = finish(launch({"folder": str(tmp_path), "spread": "shard_map"}, devices=8))
    assert code == 0, err
    assert_close(np.load(tmp_path / "spread.npz"), worker.spread("jit", toy.plan(0)[1]))


def test_killed_thrice_and_resumed_is_bit_for_bit_the_undisturbed_run(undisturbed, tmp_path):
    """Killed at a random step, killed while a checkpoint is being written, terminated politely; then finished."""
    order, death = {"folder": str(tmp_path)}, random.randrange(1, 12)
    print(f"killed before step {death}")
    code, *_ = finish(launch(order | {"kill_before": death}))
    assert code == -signal.SIGKILL
    code, *_ = finish(launch(order | {"kill_in_save_of": 16}))
    assert code == -signal.SIGKILL
    assert (tmp_path / "checkpoints" / "16.orbax-checkpoint-tmp").exists()

    code, out, err = finish(launch(order | {"term_before": 3}))
    assert code == 0, err
    answer = json.loads(out)
    assert answer["stopped_by"] == "signal"
    assert (answer["progress"]["epoch"], answer["progress"]["index"], answer["progress"]["step"]) == (2, 3, 15)

    code, out, err = finish(launch(order))
    assert code == 0, err
    assert json.loads(out)["stopped_by"] == "epochs"
    folder, result = undisturbed
    assert_bits_equal(np.load(tmp_path / "final.npz"), result.state)
    assert records(tmp_path) == records(folder)
    assert [record["epoch"] for record in records(tmp_path)] == [1, 2, 3, 4]


@pytest.mark.multiprocess
def test_two_processes_with_two_devices_are_one_with_one(undisturbed, tmp_path):
    """Every driver and its checkpoints, which one process resumes; and told to stop, one stops with the other."""
    for how in ("shard_map", "pmap", "jit"):
        (tmp_path / how).mkdir()
    for attempt in (1, 2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        order = {"folder": str(tmp_path), "processes": 2, "address": address}
        both = [launch(order | {"process": n}, devices=2) for n in range(2)]
        ends = [finish(process) for process in both]
        if attempt == 2 or not any("gloo" in err.lower() and "timeout" in err.lower() for _, _, err in ends):
            break
    assert [code for code, *_ in ends] == [0, 0], ends[0][2][-3000:] + ends[1][2][-3000:]
    first, second = (json.loads(out.splitlines()[-1]) for _, out, _ in ends)
    assert first == second == {"stopped_by": "signal", "step": first["step"], "saved": [first["step"]]}
    alone = worker.spread("jit", toy.plan(0)[1])
    for n in range(2):
        assert_close(np.load(tmp_path / f"spread{n}.npz"), alone)
    folder, result = undisturbed
    expected = toy.leaves(result.state)
    for how in ("shard_map", "pmap", "jit"):
        found = np.load(tmp_path / f"{how}.npz")
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-10, err_msg=f"{how} {name}")
        for line, reference in zip(records(tmp_path / how), records(folder), strict=True):
            np.testing.assert_allclose(list(line.values()), list(reference.values()), rtol=0, atol=1e-9)
        with CheckpointStore(tmp_path / how / "checkpoints", read_only=True) as store:
            resumed = resume(store, toy.state())
        assert_bits_equal(found, resumed.state)
        assert resumed.progress.epoch == worker.EPOCHS
