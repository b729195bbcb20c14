import json
import pathlib
import pickle
import sys

import ase
import ase.io
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

import symjax
from symjax.cli.main import main
from symjax.cli.verbs import train
from symjax.graphs import Budget, atoms_graph, batch_graphs
from symjax.potentials import (
    build,
    convert_sevennet,
    energy_and_forces,
    read_blueprint,
    read_sevennet,
    scaled_energy,
)
from symjax.tasks import converted, finetune

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "sevennet.npz"
FLIPPED = (1, 2, 2), (2, 1, 2), (2, 2, 1)  # in the e3nn of the time


def golden(kind, path=GOLDEN):
    """What sevenn 0.13 says with random weights, in double precision: its settings, its weights, structures."""
    with np.load(path, allow_pickle=False) as file:
        config = json.loads(str(file[f"{kind}/config"]))
        state = {name.removeprefix(f"{kind}/w/"): file[name] for name in file if name.startswith(f"{kind}/w/")}
        labels = {name.removeprefix(f"{kind}/"): file[name] for name in file if name.startswith(f"{kind}/")}
        labels |= {name: file[name] for name in file if name.split("/")[0] in ("crystal", "molecule")}
    config["_type_map"] = {int(number): place for number, place in config["_type_map"].items()}
    return config, state, labels


def structure(labels, name):
    return ase.Atoms(*(labels[f"{name}/{key}"] for key in ("numbers", "positions")), **cell_of(labels, name))


def cell_of(labels, name):
    return {key: labels[f"{name}/{key}"] for key in ("cell", "pbc")}


def worst_errors(model, labels, names):
    """The largest errors of energies per atom, forces, and stresses of those that have them, of one batch."""
    atoms = [structure(labels, name) for name in names]
    module, params = build(model.name, model.options), jax.tree.map(lambda leaf: jnp.asarray(leaf, float), model.params)
    graphs = [atoms_graph(each, cutoff=module.cutoff, species=model.species) for each in atoms]
    count, edges = sum(map(len, atoms)), sum(int(graph.n_edge[0]) for graph in graphs)
    batch = batch_graphs(graphs, Budget(count + 1, edges + 1, len(atoms) + 1))
    program = jax.jit(energy_and_forces(scaled_energy(module, model.references.scale), stress=True))
    predicted = jax.device_get(program(params, batch))
    energies = model.references.restore([each.numbers for each in atoms], predicted.energy[:-1])
    forces = np.split(predicted.forces[:-1], np.cumsum([len(each) for each in atoms])[:-1])
    upper = np.array([0, 1, 2, 1, 0, 0]), np.array([0, 1, 2, 2, 2, 1])
    errors = np.zeros((len(names), 3))
    for place, name in enumerate(names):
        errors[place, 0] = abs(energies[place] - labels[f"{name}/energy"]) / len(atoms[place])
        errors[place, 1] = abs(forces[place] - labels[f"{name}/forces"]).max()
        if f"{name}/stress" in labels:
            errors[place, 2] = abs(predicted.stress[place][upper] - labels[f"{name}/stress"]).max()
    return errors.max(axis=0)


@pytest.mark.parametrize("kind", ["xplor", "poly"])
def test_random_weights_give_the_energies_forces_and_stresses_of_sevenn(kind):
    """Of other multiplicities in each layer and XPLOR, or of equal ones and a polynomial."""
    config, state, labels = golden(kind)
    errors = worst_errors(convert_sevennet(config, state), labels, ["crystal", "molecule"])
    assert (errors < 2e-6).all(), errors


def test_sevennet_0_is_reproduced(shared):
    """The file has weights as its checkpoint, of version 0.9.1, without the coefficients of the products."""
    with np.load(shared / "golden" / "sevennet0.npz", allow_pickle=False) as file:
        labels = dict(file)
    config = json.loads(str(labels["meta"])) | {"_normalize_sph": True}
    config["_type_map"] = {int(number): place for number, place in config["type_map"].items()}
    state = {name.removeprefix("w/"): value for name, value in labels.items() if name.startswith("w/")}
    state |= {coefficients(layer, degrees): -triple(*degrees) for layer in range(5) for degrees in FLIPPED}
    names = sorted({name.split("/")[0] for name in labels if name.endswith("/energy")})
    errors = worst_errors(convert_sevennet(config, state), labels, names)
    assert len(names) == 12
    assert (errors < [1e-6, 1e-6, 1e-7]).all(), errors


def coefficients(layer, degrees):
    return f"{layer}_convolution.convolution._compiled_main_left_right._w3j_" + "_".join(map(str, degrees))


def triple(*degrees):
    import e3nn_jax as e3nn

    return np.asarray(e3nn.clebsch_gordan(*degrees))


def test_older_checkpoints_keep_paths_as_they_come_and_other_signs():
    """Of 5x0e+3x1e+2x2e with 0e+1e+2e, in the order of products, where today's are sorted by what they make."""
    config, state, _ = golden("xplor")
    features, made = ((5, 0), (3, 1), (2, 2)), (0, 1, 2)
    paths = [
        (mul, left, right, out)
        for mul, left in features
        for right in (0, 1, 2)
        for out in made
        if abs(left - right) <= out <= left + right
    ]
    name = "1_convolution.weight_nn.layer1.weight"
    order = sorted(range(len(paths)), key=lambda place: paths[place][3])
    ends = np.cumsum([paths[place][0] for place in order])[:-1]
    parts = dict(zip(order, np.split(state[name], ends, axis=1), strict=True))
    kernels = [parts[place] * (-1 if paths[place][1:] in FLIPPED else 1) for place in range(len(paths))]
    older = state | {coefficients(1, degrees): -triple(*degrees) for degrees in FLIPPED}
    older[name] = np.concatenate(kernels, axis=1)
    unsorted = [layer for layer in (0, 2) if f"{layer}_convolution.weight_nn.layer1.weight" in state]
    assert unsorted == [0, 2], "whose paths come sorted"
    now, then = (convert_sevennet(config | {"version": v}, s) for v, s in (("0.13.0", state), ("0.9.1", older)))
    jax.tree.map(np.testing.assert_array_equal, now.params, then.params)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"use_modality": True}, "this SevenNet has use_modality = True, where only False fits"),
        ({"is_parity": True}, "is_parity = True"),
        ({"self_connection_type": "nequip"}, "self_connection_type = nequip, where only linear"),
        ({"_normalize_sph": False}, "normalize_sph = False"),
        ({"cutoff_function": {"cutoff_function_name": "poly_cut", "poly_cut_p_value": 5}}, "only Bessel functions and"),
        ({"irreps_manual": ["4x0e", "2x1e+5x0e", "4x0e", "4x0e"]}, "irreps_manual = .* where only rising ones"),
        ({"channel": 8, "irreps_manual": False}, r"expected weights .* of shape \(8, 4\)"),
        ({"cutoff_function": {}}, "its settings have no 'cutoff_function_name'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, sentence):
    config, state, _ = golden("xplor")
    with pytest.raises(ValueError, match=sentence):
        convert_sevennet(config | change, state)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("rescale_atomic_energy.scale", np.array([1.0, 2.0, 1.0]), "several values of scale"),
        ("1_convolution.denominator", np.array([9.0]), "several values of denominator"),
        ("0_self_interaction_1.linear.weight", None, "expected weights 0_self_interaction_1.* got nothing"),
    ],
)
def test_weights_that_do_not_fit_are_refused(name, value, sentence):
    config, state, _ = golden("xplor")
    with pytest.raises(ValueError, match=sentence):
        convert_sevennet(config, {key: array for key, array in (state | {name: value}).items() if array is not None})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    config, state, _ = golden("poly")
    converted.write(convert_sevennet(config, state), {"checkpoint": "tiny"}, converted.Options(), folder)
    return folder


def command(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


def test_the_run_predicts_and_is_evaluated_in_single_precision(run, capsys, tmp_path):
    _, _, labels = golden("poly")
    atoms = structure(labels, "molecule")
    atoms.calc = SinglePointCalculator(atoms, energy=labels["molecule/energy"], forces=labels["molecule/forces"])
    ase.io.write(tmp_path / "molecule.xyz", atoms)
    with jax.enable_x64(False):
        assert symjax.load(run).dtype == np.float32
        assert command("predict", run, "--input", tmp_path / "molecule.xyz", "--output", tmp_path / "out.xyz") == 0
        assert command("evaluate", run, "--data", tmp_path / "molecule.xyz") == 0
    assert "1 structures of" in capsys.readouterr().out
    predicted = ase.io.read(tmp_path / "out.xyz")
    np.testing.assert_allclose(predicted.get_potential_energy(), labels["molecule/energy"], atol=1e-5)
    np.testing.assert_allclose(predicted.get_forces(), labels["molecule/forces"], atol=1e-5)


def test_its_law_is_that_of_motions_without_reflections(run, capsys, tmp_path):
    _, _, labels = golden("poly")
    ase.io.write(tmp_path / "molecule.xyz", structure(labels, "molecule"))
    with jax.enable_x64(False):
        assert command("check", run, "--data", tmp_path / "molecule.xyz") == 0
    printed = capsys.readouterr().out
    assert printed.count("SE(3): atoms") == printed.count("S(5): atoms") == 2
    assert ase.io.read(run / "structure.xyz").get_chemical_formula() == "H4Si4"


def test_a_fine_tuning_begins_with_it(run):
    """The table keeps its elements, those that the data lack too, and new ones go to its end."""
    options = train.parse(["--init", str(run), "--charges", "False"]).options
    with jax.enable_x64(False):
        begun, learnt = finetune.begin(options, "energy", (1, 7, 8), seed=0), symjax.load(run)
    assert begun.species == (1, 8, 14, 7)
    assert begun.blueprint.options == read_blueprint(run).options | {"species": 4}
    rows = jax.tree.map(lambda old, new: new[tuple(map(slice, old.shape))], learnt.params, begun.potential.params)
    jax.tree.map(np.testing.assert_array_equal, rows, learnt.params)
    tables = [leaf for leaf in jax.tree.leaves(begun.potential.params) if leaf.shape[0] == 4]
    assert tables
    assert all(np.abs(leaf[3]).min() > 0 for leaf in tables)


def test_it_cannot_be_resumed_nor_overwritten(run, capsys):
    assert command("train", "--resume", run) == 2
    assert f"{run} was converted and not trained here; start from it with --init {run}" in capsys.readouterr().err
    with pytest.raises(ValueError, match="already holds a run"):
        converted.write(convert_sevennet(*golden("poly")[:2]), {}, converted.Options(), run)


def test_without_torch_one_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"needs torch and sevenn: pip install 'symjax\[sevennet\]'"):
        read_sevennet(None)


@pytest.fixture
def saved(tmp_path):
    torch = pytest.importorskip("torch")
    config, state, _ = golden("poly")

    def save(**more):
        weights = {name: torch.from_numpy(array) for name, array in state.items()}
        torch.save({"config": config | more, "model_state_dict": weights}, tmp_path / "checkpoint.pth")
        return tmp_path / "checkpoint.pth"

    return save


def test_a_checkpoint_is_read_with_arrays_of_numpy_in_its_settings(saved):
    _, state, _ = golden("poly")
    path, config, weights = read_sevennet(saved(shift=np.arange(3.0), count=np.arange(2)))
    assert path.name == "checkpoint.pth"
    np.testing.assert_array_equal(config["shift"], [0, 1, 2])
    jax.tree.map(np.testing.assert_array_equal, weights, state)


class Harm:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("harm"),)


def test_nothing_in_a_checkpoint_is_run(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickle.dumps(Harm())) is None
    pathlib.Path("harm").unlink()
    with pytest.raises(ValueError, match="holds more than weights and settings"):
        read_sevennet(saved(harm=Harm()))
    assert not pathlib.Path("harm").exists()
