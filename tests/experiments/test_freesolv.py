import dataclasses

import jax
import numpy as np
import pytest

from experiments import freesolv
from symjax.data.graphs import make_graphs

ALCOHOLS = tuple("C" * (n + 1) + tail for n in range(20) for tail in ("", "O", "N"))


def test_every_molecule_is_in_one_part_and_keeps_its_energy():
    batch = make_graphs([1, 0, 3, 2], [0, 1, 2, 3], np.arange(24.0).reshape(24, 1), n_node=[2] * 12)
    energies = np.arange(12.0)
    dealt = [freesolv.deal(12, seed) for seed in (0, 1)]
    stacked = freesolv.stack(False, batch, energies, dealt)
    assert stacked.globals.shape[:2] == (2, 10)
    for parts in stacked.globals:
        assert sorted(parts[parts > 0]) == list(range(1, 12))
    first = jax.tree.map(lambda x: x[0, 0], stacked)
    np.testing.assert_array_equal(first.nodes[:2, 0] // 2, first.globals[0])


def test_ridge_finds_what_is_linear():
    x = np.random.default_rng(0).standard_normal((60, 3))
    errors = freesolv.ridge_errors(x, x @ [1.0, -2.0, 3.0] + 5, [freesolv.deal(60, 0)])
    assert errors[0] < 0.02


def test_tiny_preset_is_better_than_the_mean(tmp_path, capsys):
    pytest.importorskip("rdkit")
    energies = [{"O": -5.0, "N": -4.0}.get(text[-1], 2.0) for text in ALCOHOLS]
    table = tmp_path / "table.csv"
    table.write_text("smiles,expt\n" + "\n".join(f"{s},{e}" for s, e in zip(ALCOHOLS, energies, strict=True)))
    errors = freesolv.main(dataclasses.replace(freesolv.PRESETS["tiny"], epochs=40, table=table))
    assert errors.network.mean() < np.std(energies)
    assert errors.ridge.max() < 0.5
    assert "mpnn, 60 molecules, 2 splits: " in capsys.readouterr().out
