import dataclasses
import pathlib

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import direct_forces, equiformer
from symjax.graphs import atoms_graph, edge_vectors
from symjax.math import poly_envelope, safe_norm, segment_sum
from symjax.potentials import Potential, References, build

WATER = ase.Atoms("OHH", [(0.0, 0.0, 0.0), (1.0, 0.1, 0.0), (-0.2, 1.1, 0.1)])
FRAMES = dict.fromkeys(("train", "valid", "test"), pathlib.Path("frames.xyz"))


@dataclasses.dataclass
class Springs:
    """An energy of pairs, and vectors that are no gradient of it nor of another one."""

    outputs: str
    cutoff: float = 5.0

    def apply(self, params, graph):
        edges = jnp.asarray(edge_vectors(graph))
        lengths, count = safe_norm(edges), graph.nodes.species.shape[0]
        inside = poly_envelope(lengths, cutoff=self.cutoff)
        energies = segment_sum(inside * (lengths - params["length"]) ** 2, graph.receivers, count)[:, None]
        if self.outputs == "1x0e":
            return e3nn.IrrepsArray("1x0e", energies)
        pulls = segment_sum(inside[:, None] * edges, graph.receivers, count)
        return e3nn.IrrepsArray("1x0e+1x1o", jnp.concatenate([energies, energies * pulls], axis=1))


def potential(kind, outputs):
    return kind(Springs(outputs), {"length": np.array(1.0)}, (1, 8), References({1: 0.0, 8: 0.0}))


@pytest.fixture(scope="module")
def both():
    return potential(Potential, "1x0e"), potential(direct_forces.DirectForces, "1x0e+1x1o")


def test_direct_forces_have_a_curl_and_a_gradient_has_none(both):
    gradient, direct = (direct_forces.curl(potential, WATER) for potential in both)
    assert gradient < 1e-12
    assert direct > 0.1


def test_the_gradient_conserves_energy_to_second_order_and_direct_forces_do_not(both):
    motion = direct_forces.Motion(100.0, (0.5, 0.25), 60.0)
    coarse, fine = (
        [np.ptp(direct_forces.course(potential, WATER, step, motion)[1]) for step in motion.timesteps]
        for potential in both
    )
    np.testing.assert_allclose(coarse[0] / coarse[1], 4, rtol=0.2)
    np.testing.assert_allclose(fine[0] / fine[1], 1, rtol=0.2)


def test_networks_have_as_many_parameters():
    options, graph = equiformer.PRESETS["small"].options, atoms_graph(WATER, cutoff=5.0, species=(1, 6, 8))
    counts = []
    for name in options.networks:
        net = equiformer.question(name, options, FRAMES).net
        model = build(name, net | {"species": 3, "average_neighbours": 8.0})
        shapes = jax.eval_shape(model.init, jax.random.key(0), graph)
        counts.append(sum(leaf.size for leaf in jax.tree.leaves(shapes)))
    np.testing.assert_allclose(counts, 48_000, rtol=0.06)
