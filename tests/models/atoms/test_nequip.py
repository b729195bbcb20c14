import ase
import ase.build
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.graphs import Budget, atoms_graph, batch_graphs
from symjax.models.atoms import NequIP
from symjax.potentials import energy_and_forces, scaled_energy
from tests.cases import start

CUTOFF = 3.0
MODEL = NequIP(species=2, average_neighbours=3.0, cutoff=CUTOFF, channels=2, layers=2)
BUDGET = Budget(nodes=7, edges=40, graphs=2)
TRIANGLE = np.array([(0.0, 0.0, 0.0), (1.0, 0.3, 0.0), (0.2, 1.1, 0.5)])
predict = jax.jit(energy_and_forces(scaled_energy(MODEL, 1.0), stress=True))


def as_graph(atoms, *, budget=BUDGET, dtype=np.float64):
    graph = atoms_graph(atoms, cutoff=CUTOFF, species=(1, 14))
    return jax.tree.map(jnp.asarray, batch_graphs([graph], budget, dtype=dtype))


def molecule(positions):
    return ase.Atoms(([1, 14] * len(positions))[: len(positions)], positions)


@pytest.fixture(scope="module")
def params():
    return start(MODEL, as_graph(molecule(TRIANGLE)), key=jax.random.key(0))[0]


def test_the_last_interaction_only_computes_scalars(params):
    """Three paths, from 0e, 1o and 2e, lead to scalars; no gates, no other irreps."""
    c, layer = MODEL.channels, params["params"]["layer_1"]
    sizes = {name: sum(leaf.size for leaf in jax.tree.leaves(layer[name])) for name in ("down", "connect")}
    assert sizes == {"down": 3 * c * c, "connect": MODEL.species * c * c}
    assert layer["radial"]["kernel_2"].shape == (64, 3 * c)


def test_higher_outputs_have_their_own_paths():
    """One layer reaches 0e, 1o and 2e; the last one keeps what the outputs need, and the scalars that gate it."""
    graph = as_graph(molecule(TRIANGLE))
    model = NequIP(2, 3.0, cutoff=CUTOFF, outputs="2x0e + 1x1o + 1x2e", channels=2, layers=1)
    atoms, params = jax.eval_shape(lambda graph: model.init_with_output(jax.random.key(0), graph), graph)
    assert atoms.irreps == "2x0e + 1x1o + 1x2e"
    readout = {name: leaf.shape for name, leaf in params["params"]["readout"].items()}
    assert readout == {"0e_0": (2, 2), "1o_1": (2, 1), "2e_2": (2, 1)}
    assert params["params"]["layer_0"]["connect"]["0e_0"].shape == (2, 2, 2 + 2 * 2)


@pytest.mark.parametrize(
    ("outputs", "options"), [("1x3o", {"layers": 1}), ("1x0e + 1x1e", {"layers": 1}), ("1x0o", {"layers": 5})]
)
def test_outputs_that_nothing_reaches_are_refused(outputs, options):
    NequIP(2, 3.0, outputs=outputs, lmax=2, parity=True, layers=3)
    with pytest.raises(ValueError, match="expected outputs that the layers reach"):
        NequIP(2, 3.0, outputs=outputs, lmax=2, **options)
