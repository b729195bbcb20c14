import jax
import numpy as np
import pytest

from symjax.models.atoms import NequIP
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
