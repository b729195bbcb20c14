"""Deviations of a single model's energies: the exact posterior of a linear model, wider where nothing was learnt."""

import dataclasses

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_model import SPECIES
from test_calculator import SCHNET, drawn

from symjax.data import Structures
from symjax.graphs import edge_vectors
from symjax.math import safe_norm, segment_sum
from symjax.potentials import Potential, References, fit_last_layer, last_layer_features

NOISE, WEIGHTS = 0.02, np.array([0.3, -0.7, 1.1, -0.4])
REFERENCES = References({1: -13.6, 8: -2041.8}, scale=2.0)


@dataclasses.dataclass
class LinearModel:
    """E_i = (1, sum_j r, sum_j r^2, sum_j r^3) w, with all neighbours up to 5 Å; `power` makes it no longer linear."""

    cutoff: float = 5.0
    power: int = 1

    def apply(self, params, graph):
        r = safe_norm(jnp.asarray(edge_vectors(graph)))
        powers = segment_sum(jnp.stack([r, r**2, r**3], 1), graph.receivers, graph.nodes.species.shape[0])
        features = jnp.concatenate([jnp.ones_like(powers[:, :1]), powers], axis=1)
        return e3nn.IrrepsArray("1x0e", features @ params["params"]["readout"]["kernel"][:, None] ** self.power)


def model(weights=WEIGHTS, scale=1.0, **options):
    params = {"params": {"readout": {"kernel": jnp.array(weights)}}}
    return Potential(LinearModel(**options), params, SPECIES, dataclasses.replace(REFERENCES, scale=scale))


def bare(lengths):
    return Structures(tuple(ase.Atoms("OH", [[0, 0, 0], [r, 0, 0]]) for r in lengths))


def labelled(lengths, unit=1.0):
    """Structures with energies that the model of scale `unit` gives, and noise."""
    structures, rng = bare(lengths), np.random.default_rng(len(lengths))
    exact = model(scale=unit).predict(structures).energy
    labels = {"energy": exact + 2 * unit * NOISE * rng.normal(size=len(lengths))}
    forces = model(scale=unit).predict(structures).forces
    labels["forces"] = tuple(rows + unit * NOISE * rng.normal(size=rows.shape) for rows in forces)
    return dataclasses.replace(structures, labels=labels)


TRAIN, VALID = (np.random.default_rng(seed).uniform(0.8, 1.6, count) for seed, count in ((0, 100), (1, 60)))


def features(lengths):
    """Features of atoms in dimers, which are those of the structure per atom."""
    return np.stack([np.ones_like(lengths), lengths, lengths**2, lengths**3], axis=1)


def fitted(**options):
    """The model whose weights are those of least squares, as a training finds them."""
    train = labelled(TRAIN)
    target = (train.energy - REFERENCES.of(train.numbers)) / 2
    weights = np.linalg.lstsq(features(TRAIN), target)[0]
    return fit_last_layer(model(weights, **options), train, labelled(VALID))


@pytest.fixture(scope="module")
def learnt():
    return fitted()


def test_features_are_what_the_last_layer_sees():
    found = last_layer_features(model(scale=3.0), bare(VALID), forces=True)
    np.testing.assert_allclose(found.energy, 3.0 * 2 * features(VALID), rtol=1e-12)
    slopes = -3.0 * 2 * np.stack([0 * VALID, 1 + 0 * VALID, 2 * VALID, 3 * VALID**2], axis=1)
    np.testing.assert_allclose([rows[1, 0] for rows in found.forces], slopes, atol=1e-10)
    np.testing.assert_allclose([rows[0, 0] for rows in found.forces], -slopes, atol=1e-10)
    assert last_layer_features(model(), bare(VALID)).forces is None


def test_the_variance_is_the_exact_posterior_of_a_linear_model(learnt):
    lengths = np.linspace(0.8, 1.6, 9)
    predicted = learnt.predict(bare(lengths))
    x, new = features(TRAIN), features(lengths)
    posterior = np.linalg.inv(x.T @ x + learnt.covariance.ridge * np.eye(4))
    exact = np.sqrt(np.einsum("gi,ij,gj->g", new, posterior, new))
    expected = 2 * learnt.calibration["energy"] * learnt.residual * exact
    np.testing.assert_allclose(predicted.labels["energy_deviation"], expected, rtol=1e-5)
    slopes = np.stack([0 * lengths, 1 + 0 * lengths, 2 * lengths, 3 * lengths**2], axis=1)
    exact = 2 * np.sqrt(np.einsum("gi,ij,gj->g", slopes, posterior, slopes))
    told = np.array(predicted.labels["forces_deviation"])
    np.testing.assert_allclose(told[:, 0], learnt.calibration["forces"] * learnt.residual * exact, rtol=1e-5)
    np.testing.assert_allclose(told[:, 1], told[:, 0], rtol=1e-8)
    np.testing.assert_array_equal(predicted.energy, learnt.potential.predict(bare(lengths)).energy)
    assert learnt.residual == pytest.approx(NOISE, rel=0.2)


def test_it_is_larger_far_from_what_was_learnt(learnt):
    near, far, further = learnt.predict(bare([1.2, 2.4, 4.0])).labels["energy_deviation"]
    assert further > 5 * far > 25 * near


def test_the_unit_of_energies_scales_deviations():
    unit, lengths = 23.06, np.linspace(0.8, 3.0, 5)
    first, second = (
        fit_last_layer(model(scale=u), labelled(TRAIN, u), labelled(VALID, u)).predict(bare(lengths))
        for u in (1.0, unit)
    )
    ratio = second.labels["energy_deviation"] / first.labels["energy_deviation"]
    np.testing.assert_allclose(ratio, unit, rtol=1e-5)
    np.testing.assert_allclose(ratio**2, unit**2, rtol=1e-5)


def test_energies_that_are_not_known_count_for_nothing(learnt):
    train, valid = (
        dataclasses.replace(part, labels={"energy": part.energy.copy()}) for part in (labelled(TRAIN), labelled(VALID))
    )
    more = dataclasses.replace(
        train, atoms=(*train.atoms, ase.Atoms("OH2", np.eye(3))), labels={"energy": np.append(train.energy, np.nan)}
    )
    again, once = (fit_last_layer(learnt.potential, part, valid) for part in (more, train))
    assert again.calibration == pytest.approx(once.calibration)
    assert again.calibration.keys() == {"energy"}
    assert "forces_deviation" not in again.predict(bare([1.0])).labels
    with pytest.raises(ValueError, match="energies are known, and there are none"):
        fit_last_layer(learnt.potential, bare(TRAIN[:3]), valid)


def test_a_row_of_the_table_has_features_in_its_readout():
    potential = Potential(SCHNET, drawn(SCHNET), SPECIES, REFERENCES)
    structures = bare([0.9, 1.4])
    found = last_layer_features(potential, structures, forces=True)
    weights = potential.params["params"]["readout"]
    flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(weights)])
    predicted = potential.predict(structures)
    rest = predicted.energy - REFERENCES.of(structures.numbers) - found.energy @ flat
    np.testing.assert_allclose(rest, 0, atol=1e-10)
    for forces, slopes in zip(predicted.forces, found.forces, strict=True):
        np.testing.assert_allclose(slopes @ flat, forces, atol=1e-10)


def test_what_has_no_linear_last_layer_is_refused():
    with pytest.raises(ValueError, match="energies are not linear in 'readout'"):
        last_layer_features(model(power=2), bare(VALID[:3]))
    other = dataclasses.replace(model(), params={"params": {"head": jnp.ones(4)}})
    with pytest.raises(ValueError, match=r"expected a last layer 'readout' .*found \['head'\]"):
        last_layer_features(other, bare(VALID[:3]))
    with pytest.raises(ValueError, match="committee of 2 has deviations of its own"):
        fit_last_layer(dataclasses.replace(model(), members=2), bare(TRAIN[:3]), bare(VALID[:3]))
    with pytest.raises(ValueError, match="predicts dipole"):
        fit_last_layer(dataclasses.replace(model(), label="dipole"), bare(TRAIN[:3]), bare(VALID[:3]))
