"""Models of sets pass the mask to every layer, and sets of any size to the same weights."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.cases import load


@pytest.mark.parametrize("name", ["DeepSets", "ExchangeableDeepSets", "SetTransformer"])
def test_padding_changes_nothing(name):
    _, x, params, apply = load(name)
    axes = 1 + (name == "ExchangeableDeepSets")
    mask = jnp.pad(jnp.ones(x.shape[:axes], bool), [(0, 2)] * axes)
    padded = jnp.pad(x, [(0, 2)] * axes + [(0, 0)] * (x.ndim - axes), constant_values=jnp.nan)
    np.testing.assert_allclose(apply(params, padded, mask), apply(params, x), rtol=1e-12)
