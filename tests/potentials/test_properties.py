"""What every row of the table of potentials promises, measured on one padded shape with one compiled function each."""

import dataclasses
import functools
import json

import ase
import ase.build
import ase.io
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

import symjax
from symjax.cli.main import main
from symjax.data import read_structures
from symjax.graphs import Budget, atoms_graph, batch_graphs, strain_graph
from symjax.groups import SE, E
from symjax.laws import random_params
from symjax.potentials import POTENTIALS, architecture, build, energy_and_forces, preset_of, scaled_energy
from symjax.training import plain
from tests.cases import DEGENERATE, load
from tests.conftest import forget

CUTOFF, KEY = 3.0, jax.random.key(7)
VARIANTS = {name: (name, {}) for name in POTENTIALS} | {
    "nequip, as sevennet": (
        "nequip",
        {
            "reflections": False,
            "hidden_irreps": ["4x0e+2x1e"],
            "self_connection": "linear",
            "trainable_bessel": True,
            "xplor_onset": 1.0,
        },
    ),
}
BUDGET = Budget(nodes=12, edges=96, graphs=4)
TRIANGLE = np.array([(0.0, 0.0, 0.0), (1.0, 0.3, 0.0), (0.2, 1.1, 0.5)])


def padded(*structures, dtype=np.float64):
    graphs = [atoms_graph(atoms, cutoff=CUTOFF, species=(1, 14)) for atoms in structures]
    return jax.tree.map(jnp.asarray, batch_graphs(graphs, BUDGET, dtype=dtype))


def molecule(positions):
    return ase.Atoms(([1, 14] * len(positions))[: len(positions)], positions)


def crystal():
    atoms = ase.build.bulk("Si")
    atoms.positions[1] += [0.2, -0.1, 0.15]
    return atoms


@functools.cache
def model_of(name, outputs="1x0e"):
    row, options = VARIANTS[name]
    given = {"species": 2, "average_neighbours": 3.0, "cutoff": CUTOFF, "outputs": outputs}
    return build(row, plain(preset_of(row, "tiny")) | given | options)


@functools.cache
def learnt(name):
    """Random parameters of a row, and its energies, forces and stresses."""
    model = model_of(name)
    params = random_params(model, padded(molecule(TRIANGLE)), key=KEY)
    return params, jax.jit(energy_and_forces(scaled_energy(model, 1.0), stress=True))


@pytest.fixture(params=VARIANTS, scope="module")
def name(request):
    """One row after the other, each forgotten before the next: the programs of all take gigabytes."""
    yield request.param
    learnt.cache_clear()
    _force_gradient.cache_clear()
    forget()


@pytest.fixture
def predict(name):
    params, function = learnt(name)
    return functools.partial(function, params)


def test_motions_turn_forces_and_stress_and_leave_the_energy(name, predict):
    graph = padded(molecule(TRIANGLE), crystal())
    before = predict(graph)
    alone = atoms_graph(molecule(TRIANGLE), cutoff=CUTOFF, species=(1, 14))
    motions = model_of(name).laws(alone)[0].group
    assert motions == (E(3) if getattr(model_of(name), "reflections", True) else SE(3))
    for component in range(motions.components):
        motion = motions.sample(jax.random.fold_in(KEY, component), component)
        turn = motion.rotation.T
        moved = graph._replace(
            nodes=graph.nodes._replace(positions=graph.nodes.positions @ turn + motion.translation[None]),
            edges=graph.edges._replace(shifts=graph.edges.shifts @ turn),
            globals=graph.globals._replace(cell=graph.globals.cell @ turn),
        )
        after = predict(moved)
        np.testing.assert_allclose(after.energy, before.energy, rtol=1e-11)
        np.testing.assert_allclose(after.forces, before.forces @ turn, atol=1e-11)
        np.testing.assert_allclose(after.stress, turn.T @ before.stress @ turn, atol=1e-11)


def test_the_numbering_of_the_atoms_means_nothing(predict):
    order = [2, 0, 1]
    one, other = (predict(padded(atoms)) for atoms in (molecule(TRIANGLE), molecule(TRIANGLE)[order]))
    np.testing.assert_allclose(other.energy[0], one.energy[0], rtol=1e-12)
    np.testing.assert_allclose(other.forces[:3], one.forces[:3][np.array(order)], atol=1e-12)


def test_energies_and_forces_are_continuous_at_the_cutoff(predict):
    """An atom, with a neighbour of its own, leaves the sphere of another: their edges leave the list."""

    def at(distance):
        far = TRIANGLE[0] - distance * np.array([0.0, 0.6, 0.8])
        graph = padded(molecule([*TRIANGLE, far, far - np.array([0.0, 1.0, 0.0])]))
        return graph.n_edge[0], predict(graph)

    (_, inside), (more, before), (fewer, after) = (at(CUTOFF + step) for step in (-1.5, -1e-6, 1e-6))
    assert more == fewer + 2
    size = jnp.abs(inside.forces).max()
    assert abs(inside.energy[0] - after.energy[0]) > 1e-3 * size
    np.testing.assert_allclose(before.energy, after.energy, atol=1e-9 * size)
    np.testing.assert_allclose(before.forces, after.forces, atol=1e-5 * size)


def test_forces_are_minus_the_gradient_and_sum_to_zero(predict):
    graph = padded(molecule(TRIANGLE), crystal())
    forces, step = predict(graph).forces, 1e-5 * jax.random.normal(KEY, graph.nodes.positions.shape)
    up, down = (
        predict(graph._replace(nodes=graph.nodes._replace(positions=graph.nodes.positions + sign * step))).energy[:2]
        for sign in (1, -1)
    )
    work = (forces * step).sum(axis=1)
    np.testing.assert_allclose([work[:3].sum(), work[3:5].sum()], (down - up) / 2, rtol=1e-6)
    assert jnp.abs(forces).max() > 1e-5
    np.testing.assert_allclose(forces[:3].sum(axis=0), 0, atol=1e-11)
    np.testing.assert_allclose(forces[3:5].sum(axis=0), 0, atol=1e-11)


def test_stress_is_the_derivative_with_respect_to_strain(predict):
    graph, strain = padded(crystal()), np.zeros((4, 3, 3))
    strain[0] = 1e-5 * np.array([(1.0, 0.3, -0.2), (0.3, -0.5, 0.4), (-0.2, 0.4, 0.7)])
    up, down = (predict(strain_graph(graph, jnp.asarray(sign * strain))).energy[0] for sign in (1, -1))
    work = jnp.sum(predict(graph).stress[0] * strain[0]) * crystal().get_volume()
    np.testing.assert_allclose(work, (up - down) / 2, rtol=1e-6)


def test_neither_batch_mates_nor_padding_are_seen(predict):
    alone, together = predict(padded(molecule(TRIANGLE))), predict(padded(crystal(), molecule(TRIANGLE)))
    np.testing.assert_allclose(together.energy[1], alone.energy[0], rtol=1e-12)
    np.testing.assert_allclose(together.forces[2:5], alone.forces[:3], atol=1e-12)
    np.testing.assert_array_equal(alone.forces[3:], 0)


def test_far_copies_add_up(predict):
    one, two = (predict(padded(molecule(x))) for x in (TRIANGLE, [*TRIANGLE, *TRIANGLE + 50.0]))
    swapped = predict(padded(ase.Atoms([14, 1, 14], TRIANGLE)))
    np.testing.assert_allclose(two.energy[0], one.energy[0] + swapped.energy[0], rtol=1e-11)
    np.testing.assert_allclose(two.forces[:3], one.forces[:3], atol=1e-11)


def test_all_of_the_above_compiled_once(name):
    assert learnt(name)[1]._cache_size() == 1


@pytest.mark.parametrize("name", POTENTIALS, indirect=True)
def test_single_precision_stays_single(name):
    """By types alone, without compiling; the command trains in it."""
    (params, predict), single = learnt(name), padded(molecule(TRIANGLE), dtype=np.float32)
    fresh = jax.eval_shape(model_of(name).init, KEY, single)
    low = jax.eval_shape(predict, jax.tree.map(lambda leaf: leaf.astype(np.float32), params), single)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves((fresh, low))} == {"float32"}


CLASSES = {name: type(model_of(name)).__name__ for name in POTENTIALS}
STRUCTURES = [(name, case) for name, kind in CLASSES.items() for case in DEGENERATE if case.startswith(f"{kind},")]


@pytest.mark.parametrize("name", POTENTIALS, indirect=True)
def test_its_row_is_whole(name):
    """Cases on symmetric structures, every preset, and a line of help for every option."""
    assert any(row == name for row, _ in STRUCTURES), f"add {CLASSES[name]} to SMALL in tests/cases/models.py"
    options = [preset_of(name, preset) for preset in ("tiny", "small", "base")]
    helped = type(options[0]).__doc__.partition("Attributes:")[2]
    missing = [field.name for field in dataclasses.fields(options[0]) if f"{field.name}: " not in helped]
    assert not missing, "each option has a line under Attributes:"


@pytest.mark.parametrize(("name", "case"), STRUCTURES, indirect=["name"])
def test_forces_can_be_trained_on_symmetric_structures(name, case):
    model, graph, params, _ = load(case)
    gradient = _force_gradient(model)(params, graph)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@functools.cache
def _force_gradient(model):
    def loss(params, graph):
        return jnp.sum(energy_and_forces(scaled_energy(model, 1.0))(params, graph).forces ** 2)

    return jax.jit(jax.grad(loss))


def command(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


def labelled(count=80):
    """Turned and shaken triangles of springs between point charges: energy, forces and dipole are known."""
    rng, made = np.random.default_rng(0), []
    for _ in range(count):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        positions = (TRIANGLE + 0.1 * rng.normal(size=(3, 3))) @ turn
        charges = np.array([0.5, -1.0, 0.5])
        atoms = ase.Atoms([1, 14, 1], positions)
        centred = positions - positions.mean(axis=0)
        labels = {"energy": 0.5 * (centred**2).sum(), "forces": -centred, "dipole": charges @ positions}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        made.append(atoms)
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "springs.xyz"
    ase.io.write(path, labelled(), format="extxyz")
    return path


@pytest.mark.parametrize("name", POTENTIALS, indirect=True)
def test_it_trains_by_the_command_and_comes_back(name, data, tmp_path):
    """What comes back has the errors that were reported; one that dropped in training obeys its laws."""
    words = ["--preset", "tiny", "--model", name, "--epochs", "1", "--data", data, "--test-data", data]
    dropping = ["--drop-path", "0.3", "--alpha-drop", "0.2"] if name == "equiformer-v2" else []
    with jax.enable_x64(False):
        assert command("train", *words, *dropping, "--out", tmp_path / "run") == 0
        assert not dropping or command("check", tmp_path / "run") == 0
        structures = read_structures(data)
        predicted = symjax.load(tmp_path / "run").predict(structures)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["compilations"] == {"train": 1, "evaluation": 1}
    error = 1e3 * np.abs(predicted.energy - structures.labels["energy"]).mean()
    np.testing.assert_allclose(report["errors"]["energy, meV"]["mae"], error, rtol=1e-3)


@pytest.mark.parametrize("name", ["nequip", "schnet"])  # with and without vectors; what a row makes of them is a case
def test_it_learns_dipoles_by_the_command(name, data, tmp_path, capsys):
    """Fixed charges are learnt; the label turns with the molecule and stays where it moves; its errors have a unit."""
    run, epochs = tmp_path / "run", ["--epochs", "40", "--evaluate-every", "20"]
    options = ["--preset", "tiny", "--model", name, "--test", "2", *epochs, "--data", data, "--out", run]
    with jax.enable_x64(False):
        assert command("train", *options, "--property", "dipole") == 0
        errors = json.loads((run / "report.json").read_text())["errors"]
        assert errors["dipole, me·Å"]["mae"] < 60, "a tenth of their mean size"
        assert "dipole, me·Å" in capsys.readouterr().out
        assert command("evaluate", run, "--data", data) == 0
        assert command("check", run) == 0
        printed = capsys.readouterr().out
        predicted = symjax.load(run).predict(read_structures(data, energy_key=None, forces_key=None))
    assert printed.count("obeyed") == 2
    assert predicted.labels["dipole"].shape == (80, 3)
    assert symjax.load(run).model.outputs == ("1x0e+1x1o" if architecture(name).vectors else "1x0e")
