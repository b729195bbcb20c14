import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import graph_index
from symjax.math import segment_sum
from symjax.models.atoms import DimeNetPP
from tests.golden import convert, molecules, read


def test_reference_energies_and_forces(shared):
    """Forces are those of the sum of all outputs of a molecule."""
    weights, config, arrays = read(shared / "golden" / "pyg_dimenetpp.npz")
    model, params = convert("dimenet++", weights, config)
    graph = jax.tree.map(jnp.asarray, molecules(arrays, model.species, model.cutoff))

    def total(positions):
        moved = graph._replace(nodes=graph.nodes._replace(positions=positions))
        energies = segment_sum(model.apply(params, moved).array, graph_index(moved), len(moved.n_node))[:-1]
        return energies.sum(), energies

    gradient, energies = jax.jit(jax.grad(total, has_aux=True))(graph.nodes.positions)
    np.testing.assert_allclose(energies, arrays["out/energy"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(-gradient[:-1], arrays["out/forces"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("outputs", ["1x1o", "1x0o"])
def test_outputs_that_turn_are_refused(outputs):
    with pytest.raises(ValueError, match="expected outputs of even scalars"):
        DimeNetPP(2, 3.0, outputs=outputs)


def test_more_degrees_than_can_be_had_are_refused():
    with pytest.raises(ValueError, match="spherical_basis of at most 12, got 13"):
        DimeNetPP(2, 3.0, spherical_basis=13)
