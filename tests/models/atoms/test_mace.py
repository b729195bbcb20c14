import ase.build
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import atoms_graph
from symjax.layers.irreps import InteractionEdges, InteractionNodes, mace_layer
from symjax.models.atoms import MACE
from tests.cases.inputs import all_pairs


def test_what_was_heard_is_contracted_and_what_was_known_is_connected():
    """Two nodes that hear one another: h <- contract(density(R h')) + connect(h)."""
    h, weight = np.array([[2.0], [3.0]]), np.array([[0.5], [0.25]])
    edges = InteractionEdges(e3nn.IrrepsArray("0e", np.ones((2, 1))), weight)
    graph = all_pairs(InteractionNodes(e3nn.IrrepsArray("1x0e", h), np.array([0, 1])), lambda _: edges, 2)
    kinds = jnp.array([1.0, 10.0])
    out = mace_layer(
        lambda x: 7 * x,
        lambda radial, width: jnp.asarray(radial),
        lambda species, heard: heard * kinds[species][:, None],
        lambda species, heard: heard * heard,
        lambda species, x: 100 * kinds[species][:, None] * x,
        e3nn.Irreps("0e"),
        jax.tree.map(jnp.asarray, graph),
    )
    expected = [(7 * 3 * 0.5) ** 2 + 100 * 2, (10 * 7 * 2 * 0.25) ** 2 + 1000 * 3]
    np.testing.assert_allclose(out.nodes.features.array[:, 0], expected, rtol=1e-14)


def test_species_tell_the_messages_of_the_first_layer_apart_and_the_connections_of_others():
    graph = atoms_graph(ase.build.molecule("H2O"), cutoff=2.0, species=(1, 8))
    shapes = jax.eval_shape(MACE(2, 3.0, channels=3, lmax=1).init, jax.random.key(0), graph)["params"]
    first, second = shapes["layer_0"], shapes["layer_1"]
    assert first["density_of_species"]["0e_0"].shape == (2, 3, 3)
    assert second["connect"]["0e_0"].shape == (2, 3, 3)
    assert not {"connect"} & first.keys() | {"density_of_species"} & second.keys()


@pytest.mark.parametrize("options", [{"correlation": 9}, {"lmax": 1, "hidden_lmax": 2}])
def test_products_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="expected a correlation of at most"):
        MACE(2, 3.0, **options)
