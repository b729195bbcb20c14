"""Sums over neighbours are divided by the root of how many there are on average: as often as there are sums."""

import dataclasses

import jax
import numpy as np
import pytest

from tests.cases import load

LINEAR = {  # parameters of which each sum is a linear function
    "Allegro of a chain": ("products", "readout"),
    "Equiformer": ("degree_radial/dense_1",),
    "EquiformerV2": ("degree/dense_1",),
}


@pytest.mark.parametrize("case", LINEAR)
def test_four_times_the_neighbours_are_made_up_for_by_twice_the_weights(case):
    model, graph, params, apply = load(case)
    many = dataclasses.replace(model, average_neighbours=4 * model.average_neighbours)

    def grown(path, leaf):
        place = jax.tree_util.keystr(path, simple=True, separator="/")
        return 2 * leaf if any(name in place for name in LINEAR[case]) else leaf

    doubled = jax.tree_util.tree_map_with_path(grown, params)
    found, wanted = jax.jit(many.apply)(doubled, graph).array, apply(params, graph).array
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)
    assert abs(apply(doubled, graph).array - wanted).max() > 1e-3 * abs(wanted).max()
