import numpy as np

from symjax.math import memory


def test_containers_and_shells_limit_the_memory(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CONTAINERS", [limit, tmp_path / "absent"])
    limit.write_text("max\n")
    machine = memory.memory_limit()
    limit.write_text("1048576\n")
    assert memory.memory_limit() == 2**20 < machine
    monkeypatch.setattr("resource.getrlimit", lambda kind: (2**19, 2**40))
    assert memory.memory_limit() == 2**19
    monkeypatch.setattr(memory, "resource", None)
    assert memory.memory_limit() == np.inf
