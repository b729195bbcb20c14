"""How uncertain the energies of a single model are, from the features that its last layer makes energies of.

Energies are linear in the weights of the last layer, E = n f.w + rest, where the features f of a structure of n atoms
are the derivatives of E / n by w. Bayesian linear regression on them, of energies per atom as they are learnt, gives
the variance

    var(E / n) = s^2 f (F^T F + lambda)^-1 f

with the features F [structures, weights] and the mean squared residual s^2 of the training set, and lambda and a factor
chosen by the likelihood of the validation set (Bigi et al. 2024, arXiv:2403.02251).
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from symjax.data import Structures
from symjax.potentials.calibration import Foretold
from symjax.potentials.derivatives import Energy
from symjax.potentials.potential import Potential

NAME = "readout"  # of the last layer, in the parameters of every module of the table
RIDGES = 10.0 ** np.arange(-12, 3)  # lambda over the mean square of the features
LINEAR = 1e-3  # of what a change of the weights adds up to, for single precision


class Covariance(NamedTuple):
    """(F^T F + lambda)^-1 by the eigenvalues and eigenvectors of F^T F, and lambda."""

    values: Float[np.ndarray, " d"]
    vectors: Float[np.ndarray, "d d"]
    ridge: float

    def deviation(self, features: Float[np.ndarray, "g d"]) -> Float[np.ndarray, " g"]:
        """Return sqrt(f (F^T F + lambda)^-1 f) for each row."""
        return np.sqrt(((features @ self.vectors) ** 2 / (self.values + self.ridge)).sum(axis=1))


@dataclasses.dataclass(frozen=True, eq=False)
class LastLayer:
    """A single model whose energies have deviations.

    Attributes:
        potential: the model.
        covariance: of the weights of the last layer, over the variance of the residuals.
        residual: root mean square of the training set, in eV per atom.
        calibration: what deviations are multiplied by, by the name of the label.
    """

    potential: Potential
    covariance: Covariance
    residual: float
    calibration: Mapping[str, float]

    def predict(self, structures: Structures, *, stress: bool = False) -> Structures:
        """Return what the model predicts, with energy_deviation in eV."""
        predicted = self.potential.predict(structures, stress=stress)
        _, features = last_layer_features(self.potential, structures)
        sizes = np.array([len(atoms) for atoms in structures.atoms])
        each = self.calibration["energy"] * self.residual * self.covariance.deviation(features)
        return dataclasses.replace(predicted, labels={**predicted.labels, "energy_deviation": sizes * each})


def fit_last_layer(potential: Potential, train: Structures, valid: Structures) -> LastLayer:
    """Return a model with the deviations of its energies.

    Args:
        potential: a single model.
        train: what it has learnt from, with energies in eV.
        valid: what it has not learnt from, with energies; decides lambda and the factor.

    Raises:
        ValueError: the model predicts no energies or is a committee, energies are not linear in its last layer, or are
            known of no structure.
    """
    _require_energy(potential)
    errors, features = zip(*(_known_errors(potential, part) for part in (train, valid)), strict=True)
    values, vectors = np.linalg.eigh(features[0].T @ features[0])
    residual = float(np.sqrt(np.mean(errors[0] ** 2)))
    mean_square = float(np.mean(features[0] ** 2))

    def told(covariance: Covariance) -> Foretold:
        return Foretold(errors[1], residual * covariance.deviation(features[1]))

    choices = [Covariance(np.maximum(values, 0), vectors, float(ridge * mean_square)) for ridge in RIDGES]
    best = min(choices, key=lambda choice: told(choice).times(told(choice).factor).surprise)
    return LastLayer(potential, best, residual, {"energy": told(best).factor})


def last_layer_features(
    potential: Potential, structures: Structures
) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, "g d"]]:
    """Return energies in eV, and their derivatives by the weights of the last layer, both per atom.

    Raises:
        ValueError: energies are not linear in these weights, or there are none.
    """
    if NAME not in (names := potential.params.get("params", potential.params)):
        raise ValueError(f"expected a last layer {NAME!r} in the parameters, found {sorted(names)}")
    weights = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(names[NAME])])
    program = jax.jit(functools.partial(_energies_and_slopes, potential.energy))
    energy, slopes = np.zeros(len(structures)), np.zeros((len(structures), len(weights)))
    for chosen, graph in potential.batches(structures):
        energies, at_zero, gradient = jax.device_get(program(potential.params, graph))
        rows = np.concatenate([leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(gradient)], axis=1)
        _require_linear(weights, energies, at_zero, rows)
        energy[chosen], slopes[chosen] = energies[: len(chosen)], rows[: len(chosen)]
    sizes = np.array([len(atoms) for atoms in structures.atoms])
    return potential.references.restore(structures.numbers, energy) / sizes, slopes / sizes[:, None]


def _energies_and_slopes(energy: Energy, params: PyTree, graph: Any) -> tuple[Array, Array, PyTree]:
    """Return energies, those with weights of zero in the last layer, and derivatives by its weights [g, ...]."""

    def of(weights: PyTree) -> Array:
        return energy({**params, "params": {**params["params"], NAME: weights}}, graph)

    weights = jax.tree.map(jnp.asarray, params["params"][NAME])
    return of(weights), of(jax.tree.map(jnp.zeros_like, weights)), jax.jacrev(of)(weights)


def _require_linear(weights: np.ndarray, energy: np.ndarray, at_zero: np.ndarray, slopes: np.ndarray) -> None:
    size = np.abs(slopes) @ np.abs(weights) + np.abs(at_zero)
    if (np.abs(energy - at_zero - slopes @ weights) > LINEAR * size).any():
        raise ValueError(
            f"energies are not linear in {NAME!r} of this model, so that its last layer gives no deviations"
        )


def _require_energy(potential: Potential) -> None:
    if potential.members is not None:
        raise ValueError(f"a committee of {potential.members} has deviations of its own; leave --uncertainty out")
    if potential.label != "energy":
        raise ValueError(f"a last layer gives deviations of energies, and this model predicts {potential.label}")


def _known_errors(potential: Potential, structures: Structures) -> tuple[np.ndarray, np.ndarray]:
    """Return errors of energies per atom, in eV, and features, of the structures whose energies are known."""
    known = structures[structures.known("energy")]
    if not len(known):
        raise ValueError("deviations of energies need structures whose energies are known, and there are none")
    energies, features = last_layer_features(potential, known)
    return energies - known.rows("energy") / [len(atoms) for atoms in known.atoms], features
