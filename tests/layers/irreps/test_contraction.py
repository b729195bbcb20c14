"""The maps of the symmetric contraction: as many as e3nn-jax finds, with the same span, and values by hand."""

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.layers.irreps import contractions, symmetric_contraction
from symjax.layers.irreps.contraction import monomials


@pytest.mark.parametrize(
    ("source", "target", "order"), [("0e+1o+2e", "0e", 3), ("0e+1o+2e", "1o", 2), ("0e+0o+1e+1o", "0e", 3)]
)
def test_maps_span_what_e3nn_finds(source, target, order):
    (found,) = contractions(e3nn.Irreps(source), e3nn.Irreps(target), order)
    theirs = e3nn.reduced_symmetric_tensor_product_basis(
        source, order, keep_ir=[target], _use_optimized_implementation=False
    )
    x = np.random.default_rng(0).standard_normal((60, e3nn.Irreps(source).dim))
    ours = np.einsum("pkm,mn->pnk", found.maps[-1], monomials(jnp.asarray(x.T), order)[-1])
    letters = "abc"[:order]
    values = np.einsum(f"{letters}o,{','.join('n' + i for i in letters)}->no", np.asarray(theirs.array), *[x] * order)
    values = values.reshape(len(x), -1, found.target.dim).transpose(1, 0, 2)
    both = np.concatenate([ours, values]).reshape(len(ours) + len(values), -1)
    assert len(ours) == len(values) == np.linalg.matrix_rank(both, tol=1e-8 * np.linalg.norm(both))


def test_a_vector_times_itself():
    """Of a scalar s and a vector v the scalars are s, s^2 and |v|^2, each with a mean square near one."""
    maps = contractions(e3nn.Irreps("0e + 1o"), e3nn.Irreps("0e"), 2)
    x = e3nn.IrrepsArray("1x0e + 1x1o", jnp.array([[3.0, 1.0, 2.0, 2.0]]))
    out = [
        symmetric_contraction([jnp.eye(3)[None, :, p : p + 1]], maps, x, jnp.array([0])).array[0, 0] for p in range(3)
    ]
    np.testing.assert_allclose(out[0] ** 2, 9.0, rtol=1e-12)
    np.testing.assert_allclose(out[1] ** 2 + out[2] ** 2, (9.0**2 + 9.0**2 / 3) / 2, rtol=1e-12)


def test_components_of_products_keep_their_size():
    """A scalar times a vector is the only vector of their products, as long as the two together."""
    maps = contractions(e3nn.Irreps("0e + 1o"), e3nn.Irreps("1o"), 2)
    x = e3nn.IrrepsArray("1x0e + 1x1o", jnp.array([[3.0, 1.0, 2.0, 2.0]]))
    out = symmetric_contraction([jnp.array([[[0.0], [1.0]]])], maps, x, jnp.array([0])).array[0]
    np.testing.assert_allclose(np.abs(out), 3 * np.array([1.0, 2.0, 2.0]), rtol=1e-12)


def test_products_beyond_memory_are_refused_at_once():
    with pytest.raises(ValueError, match=r"entries; .* would take about .*iB of the .* here"):
        contractions(e3nn.Irreps.spherical_harmonics(11), e3nn.Irreps("0e"), 6)
