import pathlib

import jax
import numpy as np
import pytest

from symjax.models.atoms import SchNet
from symjax.potentials import heads
from symjax.potentials.derivatives import energy_and_forces
from tests.golden import convert, molecules, read

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "schnet.npz"


def test_reference_energies_and_forces():
    """PyTorch Geometric 2.8.1 with random weights on three molecules; one neighbour divides by one."""
    weights, config, arrays = read(GOLDEN)
    model, params = convert("schnet", weights, config)

    def energy(params, graph):
        return heads.energy(graph, model.apply(params, graph))

    batch = molecules(arrays, model.species, model.cutoff)
    predicted = jax.jit(energy_and_forces(energy))(params, batch)
    np.testing.assert_allclose(predicted.energy[:3], arrays["out/energy"][:, 0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(predicted.forces[:-1], arrays["out/forces"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("outputs", ["1x1o", "1x0e + 1x1o", "1x0o"])
def test_outputs_that_turn_are_refused(outputs):
    with pytest.raises(ValueError, match="expected outputs of even scalars"):
        SchNet(2, 3.0, outputs=outputs)
