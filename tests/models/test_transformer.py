import jax
import numpy as np
import pytest

from tests.cases import load

NAMES = "Transformer", "Transformer, last instants"


def by_hand(own, x, heads):
    """The layer as the paper writes it, instant by instant and head by head."""
    h, (t, c) = x + own["positions"], x.shape
    dense = lambda name, x: x @ own["attention"][name]["kernel"] + own["attention"][name]["bias"]  # noqa: E731
    queries, both = dense("queries", h).reshape(t, heads, -1), dense("keys_values", h).reshape(t, 2, heads, -1)
    heard = np.zeros((t, heads, c // heads))
    for i in range(t):
        for k in range(heads):
            weights = np.exp(both[: i + 1, 0, k] @ queries[i, k] / np.sqrt(c / heads))
            heard[i, k] = weights @ both[: i + 1, 1, k] / weights.sum()
    h = h + dense("out", heard.reshape(t, c))
    up, down, out = (own[name] for name in ("up", "down", "read_out"))
    h = h + np.maximum(h @ up["kernel"] + up["bias"], 0) @ down["kernel"] + down["bias"]
    return h @ out["kernel"] + out["bias"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_layer_of_the_paper_at_the_instants_asked_for(name):
    model, x, params, apply = load(name)
    wanted = by_hand(jax.tree.map(np.asarray, params["params"]), np.asarray(x), model.heads)
    got = apply(params, x)
    assert got.shape == (model.queries or len(x), 3)
    np.testing.assert_allclose(got, wanted[-len(got) :], rtol=1e-10)


def test_neurons_can_be_seen():
    model, x, params, _ = load(NAMES[1])
    _, sown = jax.eval_shape(lambda params: model.apply(params, x, mutable="intermediates"), params)
    assert sown["intermediates"]["neurons"][0].shape == (2, 5)
