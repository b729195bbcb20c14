import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import tensor_product_conv, tensor_product_paths

FEATURES = ["2x0e + 3x1o + 1x2e + 2x3o", "3x1e + 1x0o + 2x2o"]
HARMONICS = ["0e + 1o + 2e + 3o", "1e + 2e"]
EVERYTHING = e3nn.Irreps("+".join(f"{degree}{parity}" for degree in range(7) for parity in "eo"))
SENDERS, RECEIVERS = jnp.array([2, 1, 1, 0, 3]), jnp.array([0, 0, 2, 3, 3])


def random(irreps, rows, seed):
    irreps = e3nn.Irreps(irreps)
    return e3nn.IrrepsArray(irreps, jnp.asarray(np.random.default_rng(seed).normal(size=(rows, irreps.dim))))


@pytest.mark.parametrize("harmonics", HARMONICS)
@pytest.mark.parametrize("features", FEATURES)
def test_weighted_sums_of_e3nn_products(features, harmonics):
    """A node hears two others, one itself, one nothing; every channel of every path has its weight."""
    x, y = random(features, 4, 0), random(harmonics, len(SENDERS), 1)
    paths = tensor_product_paths(x.irreps, y.irreps, EVERYTHING)
    widths = [path.target.mul for path in paths]
    weights = np.random.default_rng(2).normal(size=(len(SENDERS), sum(widths)))

    @jax.jit
    def compute(x, y, weights):
        ours = tensor_product_conv(x, y, weights, senders=SENDERS, receivers=RECEIVERS, paths=paths)
        return ours.sort(), e3nn.tensor_product(x[SENDERS], y, regroup_output=False)

    summed, product = compute(x, y, jnp.asarray(weights))
    assert summed.irreps == product.irreps
    blocks = np.split(weights, np.cumsum(widths)[:-1], axis=1)
    rising = sorted(range(len(paths)), key=lambda path: paths[path].target.ir)
    expected = np.zeros(summed.shape)
    per_component = np.concatenate(
        [np.repeat(blocks[path], paths[path].target.ir.dim, axis=1) for path in rising], axis=1
    )
    np.add.at(expected, np.asarray(RECEIVERS), per_component * product.array)
    np.testing.assert_allclose(summed.array, expected, atol=1e-12)


def test_paths_obey_the_selection_rules():
    paths = tensor_product_paths(e3nn.Irreps("4x1o + 2x0e"), e3nn.Irreps("0e + 1o"), e3nn.Irreps("0e + 1e + 1o"))
    assert [(path.source, path.harmonic, str(path.target)) for path in paths] == [
        (0, 0, "4x1o"),
        (0, 1, "4x0e"),
        (0, 1, "4x1e"),
        (1, 0, "2x0e"),
        (1, 1, "2x1o"),
    ]


@pytest.mark.parametrize(("harmonics", "width"), [("0e + 1o", 5), ("2x0e", 4)])
def test_refused(harmonics, width):
    x, y = random("2x0e", 4, 0), random(harmonics, 5, 1)
    paths = tensor_product_paths(x.irreps, y.irreps, EVERYTHING)
    with pytest.raises(ValueError, match="expected harmonics of multiplicity 1 and weights of width"):
        tensor_product_conv(x, y, jnp.ones((5, width)), senders=SENDERS, receivers=RECEIVERS, paths=paths)
