import dataclasses
import json

import ase.build
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.data import g2

from experiments import qm9
from symjax.data import make_batch, make_samples, sample_sizes
from symjax.data.qm9 import QM9, TARGETS
from symjax.graphs import mean_budget


@pytest.fixture(scope="module")
def molecules():
    """Molecules of H, C, N, O and F, with targets that are linear in what the fits know, and a little noise."""
    found = [ase.build.molecule(name) for name in g2.data]
    found = [atoms for atoms in found if len(atoms) >= 3 and {*atoms.numbers} <= {*qm9.SPECIES}][:40]
    numbers = np.concatenate([atoms.numbers for atoms in found])
    squares = [np.sum((atoms.positions - atoms.get_center_of_mass()) ** 2, axis=1) for atoms in found]
    values = np.outer([atoms.numbers.sum() for atoms in found], np.ones(len(TARGETS)))
    values += np.random.default_rng(0).normal(size=values.shape)
    values[:, [*TARGETS].index("r2")] = [atoms.numbers @ square for atoms, square in zip(found, squares, strict=True)]
    positions = np.concatenate([atoms.positions for atoms in found])
    return QM9(np.arange(len(found)), np.array([len(atoms) for atoms in found]), numbers, positions, values)


@pytest.fixture
def tiny(molecules, monkeypatch, tmp_path):
    count = len(molecules.sizes)
    order = np.random.default_rng(0).permutation(count)
    monkeypatch.setattr(qm9, "read_qm9", lambda: molecules)
    monkeypatch.setattr(qm9, "split_qm9", lambda _: np.split(order, [16, 24]))
    options = dataclasses.replace(qm9.PRESETS["tiny"].options, train=16, valid=8, test=8, batch_size=8, model="schnet")
    return dataclasses.replace(qm9.PRESETS["tiny"], options=options, out=tmp_path)


def test_tiny_preset_trains_and_reports(tiny, capsys):
    errors = qm9.main(tiny)
    assert errors["unit"] == "meV"
    assert errors["mae"] < errors["constant"]
    folder = tiny.out / "U0-schnet-16"
    assert json.loads((folder / "report.json").read_text())["errors"] == errors
    assert "published, from 110,000: dimenet++ 6" in capsys.readouterr().out
    with pytest.raises(ValueError, match="QM9 has no target 'enthalpy'; its twelve are mu"):
        qm9.main(dataclasses.replace(tiny, options=dataclasses.replace(tiny.options, target="enthalpy")))
    with pytest.raises(ValueError, match=r"where .*17.* are asked for; ask for fewer"):
        qm9.choose(40, dataclasses.replace(tiny.options, train=17))


def test_fits_of_the_composition_and_of_the_extent(molecules):
    chosen = np.arange(len(molecules.sizes))
    np.testing.assert_allclose(qm9.explained(molecules, "r2", chosen), molecules.target("r2"), rtol=1e-9)
    assert np.std(qm9.explained(molecules, "homo", chosen)) < 1e-9
    rest = molecules.target("alpha") - qm9.explained(molecules, "alpha", chosen)
    assert np.std(rest) < 1.2
    assert not qm9.explained(molecules, "mu", chosen).any()


def test_heads(molecules):
    samples = make_samples(
        qm9.labelled(molecules, np.arange(3), molecules.values[:, 0]), cutoff=5.0, species=qm9.SPECIES
    )
    budget = mean_budget(*sample_sizes(samples), 3)
    graph = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]), make_batch(samples, [range(3)], budget, dtype=np.float64).graph
    )
    charges = e3nn.IrrepsArray("1x0e", jnp.asarray(qm9.SPECIES, float)[graph.nodes.species][:, None])
    read = {target: qm9.head_of(target).read(graph, charges)[:3] for target in ("mu", "gap", "alpha")}
    first = molecules.molecules(range(3))
    np.testing.assert_allclose(read["gap"], [atoms.numbers.mean() for atoms in first])
    np.testing.assert_allclose(read["alpha"], [atoms.numbers.sum() for atoms in first])
    centred = [(atoms.numbers - atoms.numbers.mean()) @ (atoms.positions - atoms.positions.mean(0)) for atoms in first]
    np.testing.assert_allclose(read["mu"], np.linalg.norm(centred, axis=1), atol=1e-9)
    assert [qm9.head_of(target).outputs(vectors=True) for target in ("mu", "r2")] == ["1x0e+1x1o", "2x0e"]
