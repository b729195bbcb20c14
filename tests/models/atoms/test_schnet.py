import pathlib

import ase
import jax
import numpy as np
import pytest

from symjax.graphs import Budget, atoms_graph, batch_graphs
from symjax.models.atoms import SchNet
from symjax.potentials import heads
from symjax.potentials.derivatives import energy_and_forces

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "schnet.npz"


@pytest.fixture(scope="module")
def golden():
    """PyTorch Geometric 2.8.1 with random weights on three molecules."""
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def as_params(golden, species, layers):
    def dense(name, *, bias=True):
        return {"kernel": golden[f"w/{name}.weight"].T} | ({"bias": golden[f"w/{name}.bias"]} if bias else {})

    def layer(k):
        return {
            "send": dense(f"interactions.{k}.conv.lin1", bias=False),
            "filter_hidden": dense(f"interactions.{k}.mlp.0"),
            "filter": dense(f"interactions.{k}.mlp.2"),
            "update_hidden": dense(f"interactions.{k}.conv.lin2"),
            "update": dense(f"interactions.{k}.lin"),
        }

    parts = {
        "embedding": golden["w/embedding.weight"][list(species)],
        "hidden": dense("lin1"),
        "readout": dense("lin2"),
    }
    return {"params": parts | {f"layer_{k}": layer(k) for k in range(layers)}}


def test_reference_energies_and_forces(golden):
    """The reference has no mean number of neighbours: one neighbour divides by one."""
    numbers, positions, owner = (golden[f"in/{name}"] for name in ("z", "pos", "batch"))
    species = tuple(int(z) for z in np.unique(numbers))
    model = SchNet(len(species), 1.0, cutoff=2.5, channels=16, filters=12, layers=2, radial_basis=10)
    molecules = [ase.Atoms(numbers[owner == i], positions[owner == i]) for i in range(3)]
    graphs = [atoms_graph(molecule, cutoff=2.5, species=species) for molecule in molecules]
    batch = batch_graphs(graphs, Budget(len(numbers) + 1, len(golden["out/dist"]) + 1, 4))

    def energy(params, graph):
        return heads.energy(graph, model.apply(params, graph))

    predicted = jax.jit(energy_and_forces(energy))(as_params(golden, species, 2), batch)
    np.testing.assert_allclose(predicted.energy[:3], golden["out/energy"][:, 0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(predicted.forces[:-1], golden["out/forces"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("outputs", ["1x1o", "1x0e + 1x1o", "1x0o"])
def test_outputs_that_turn_are_refused(outputs):
    with pytest.raises(ValueError, match="expected outputs of even scalars"):
        SchNet(2, 3.0, outputs=outputs)
