import jax
import numpy as np
import pytest

from symjax.graphs import ATOMS
from symjax.groups import E
from symjax.laws import Equivariance, check
from symjax.models.atoms import NequIP
from symjax.reps import Irreps
from tests.cases import KEY, load
from tests.cases.inputs import RANDOM, atoms


def shapes(model):
    """The outputs and the parameters of a model on some atoms."""
    x = jax.tree.map(np.asarray, atoms(RANDOM))
    outputs, params = jax.eval_shape(lambda x: model.init_with_output(jax.random.key(0), x), x)
    return outputs, jax.tree.map(lambda leaf: leaf.shape, params["params"], is_leaf=lambda leaf: hasattr(leaf, "shape"))


def test_the_last_interaction_only_computes_scalars():
    """Three paths, from 0e, 1o and 2e, lead to scalars; no gates, no other irreps."""
    outputs, params = shapes(NequIP(2, 3.0, channels=5, layers=2))
    assert outputs.irreps == "1x0e"
    assert params["layer_1"]["down"] == {"0e_0": (15, 5)}
    assert params["layer_1"]["connect"] == {"0e_0": (2, 5, 5)}
    assert params["layer_1"]["radial"]["kernel_2"] == (64, 15)


def test_higher_outputs_have_their_own_paths():
    """One layer reaches 0e, 1o and 2e; the last one keeps what the outputs need, and the scalars that gate it."""
    outputs, params = shapes(NequIP(2, 3.0, outputs="2x0e + 1x1o + 1x2e", channels=5, layers=1))
    assert outputs.irreps == "2x0e + 1x1o + 1x2e"
    assert params["readout"] == {"0e_0": (5, 2), "1o_1": (5, 1), "2e_2": (5, 1)}
    assert params["layer_0"]["connect"] == {"0e_0": (2, 5, 5 + 2 * 5)}


@pytest.mark.parametrize(
    ("outputs", "options"), [("1x3o", {"layers": 1}), ("1x0e + 1x1e", {"layers": 1}), ("1x0o", {"layers": 5})]
)
def test_outputs_that_nothing_reaches_are_refused(outputs, options):
    NequIP(2, 3.0, outputs=outputs, lmax=2, parity=True, layers=3)
    with pytest.raises(ValueError, match="expected outputs that the layers reach"):
        NequIP(2, 3.0, outputs=outputs, lmax=2, **options)


def test_hidden_irreps_have_multiplicities_of_their_own_and_all_species_one_connection():
    """The first layer makes 3x0e+2x1e of two scalars, with two more scalars as gates; the second less."""
    module, _, params, _ = load("NequIP without reflections")
    shapes = jax.tree.map(np.shape, params["params"], is_leaf=lambda leaf: not isinstance(leaf, dict))
    assert shapes["layer_0"]["connect"] == {"0e_0": (2, 5)}
    assert shapes["layer_0"]["down"] == {"0e_0": (2, 5), "1e_1": (2, 2)}
    assert shapes["layer_1"]["up"] == {"0e_0": (3, 3), "1e_1": (2, 2)}
    assert shapes["layer_2"]["down"] == {"0e_0": (3, 2)}
    assert shapes["roots"] == (module.radial_basis,)


def test_without_reflections_mirror_images_differ():
    module, x, params, _ = load("NequIP without reflections")
    law = Equivariance(E(3), ATOMS, Irreps("1x0e"))
    [entry] = check(module, x, key=KEY, params=params, laws=[law]).entries
    assert entry.verdict == "BROKEN"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hidden_irreps": ("4x0e",)}, "expected hidden_irreps for each of 3 layers but the last, got 1"),
        ({"hidden_irreps": ("4x0e", "4y0e")}, "expected hidden_irreps such as 64x0e.32x1o, got '4y0e'"),
        ({"hidden_irreps": ("4x0e", "")}, "expected hidden_irreps such as"),
        ({"hidden_irreps": ("4x0e", "1x99e")}, "expected hidden_irreps such as"),
        ({"xplor_onset": 5.0}, "expected an xplor_onset from 0 to the cutoff of 5.0, got 5.0"),
        ({"reflections": False, "outputs": "1x0e + 1x1o"}, "nothing leads to 1o"),
    ],
)
def test_options_that_cannot_be_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        NequIP(2, 3.0, **options)
