import jax
import jax.numpy as jnp
import numpy as np

from symjax.laws import random_params
from symjax.models.atoms import Equiformer
from tests.cases.inputs import RANDOM, atoms
from tests.cases.models import TINY_EQUIFORMER


def test_many_layers_in_a_loop_are_the_layers_one_by_one(monkeypatch):
    model = Equiformer(2, 3.0, **(TINY_EQUIFORMER | {"layers": 6}))
    graph = jax.tree.map(jnp.asarray, atoms(RANDOM))
    together = random_params(model, graph, key=jax.random.key(3))["params"]
    assert "layer_4" not in together
    loop = jax.jit(model.apply)({"params": together}, graph).array
    blocks = together.pop("layers")["block"]
    each = {f"layer_{i}": jax.tree.map(lambda leaf, i=i: leaf[i], blocks) for i in range(5)}
    monkeypatch.setattr("symjax.models.atoms.equiformer.MANY", 7)
    one_by_one = jax.jit(lambda params: model.apply({"params": params}, graph).array)(together | each)
    np.testing.assert_allclose(loop, one_by_one, rtol=1e-12)
