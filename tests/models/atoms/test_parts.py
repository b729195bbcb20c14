import ase.build
import jax
import pytest

from symjax.graphs import Budget, atoms_graph, batch_graphs
from symjax.models.atoms import SchNet


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"species": 0}, "expected species of at least 1, got 0"),
        ({"layers": 0}, "expected layers of at least 1, got 0"),
        ({"cutoff": 0.0}, "expected a positive cutoff, got 0.0"),
        ({"average_neighbours": float("nan")}, "expected a positive average_neighbours, got nan"),
        ({"outputs": ""}, "expected outputs of at least one irrep, such as 1x0e, got ''"),
    ],
)
def test_impossible_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        SchNet(**{"species": 2, "average_neighbours": 3.0} | options)


def test_laws_of_a_batch_are_refused():
    """Its atoms may only be renumbered within each structure."""
    graph = atoms_graph(ase.build.molecule("H2O"), cutoff=2.0, species=(1, 8))
    batch = jax.eval_shape(lambda: batch_graphs([graph, graph], Budget(7, 13, 3)))
    with pytest.raises(ValueError, match="expected the graph of one structure"):
        SchNet(2, 3.0).laws(batch)
