"""How uncertain a single model is, from the features that its last layer makes energies and forces of.

Energies are linear in the weights w of the last layer, E = sum_k f_k w_k + rest, and so are forces, whose features are
the derivatives of f: whatever the model, features are the derivatives by w. Bayesian linear regression on those of the
training set, of energies per atom as they are learnt, gives the variances

    var(E) = s^2 f C f    var(F) = s^2 df/dx C df/dx    C = (F^T F + lambda)^-1

with the features F [structures, weights] per atom and the mean squared residual s^2 of the training set. Its lambda,
and a factor for energies and one for forces, are those of the highest likelihood of the validation set (Bigi et al.
2024, arXiv:2403.02251).
"""

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from symjax.data import Structures
from symjax.graphs import split_nodes
from symjax.potentials.derivatives import Energy, energy_and_forces
from symjax.potentials.potential import Potential
from symjax.potentials.uncertainty.calibration import foretold

NAME = "readout"  # of the last layer, in the parameters of every module of the table
RIDGES = 10.0 ** np.arange(-12, 3)  # lambda over the mean square of the features
LINEAR = 1e-3  # of what a change of the weights adds up to, for single precision


class Covariance(NamedTuple):
    """(F^T F + lambda)^-1 by the eigenvalues and eigenvectors of F^T F, and lambda."""

    values: Float[np.ndarray, " d"]
    vectors: Float[np.ndarray, "d d"]
    ridge: float

    def variance(self, features: Float[np.ndarray, "... d"]) -> Float[np.ndarray, "..."]:
        """Return f (F^T F + lambda)^-1 f along the last axis."""
        return ((features @ self.vectors) ** 2 / (self.values + self.ridge)).sum(axis=-1)


class Features(NamedTuple):
    """Derivatives by the weights of the last layer: of energies, and of the forces of each structure."""

    energy: Float[np.ndarray, "g d"]
    forces: tuple[np.ndarray, ...] | None  # [n, 3, d]


@dataclasses.dataclass(frozen=True, eq=False)
class LastLayer:
    """A single model whose energies, and forces, have deviations.

    Attributes:
        potential: the model.
        covariance: of the weights of the last layer, over the variance of the residuals.
        residual: root mean square of the training set, in eV per atom.
        calibration: what deviations are multiplied by, by the name of the label; others have none.
    """

    potential: Potential
    covariance: Covariance
    residual: float
    calibration: Mapping[str, float]

    def predict(self, structures: Structures, *, stress: bool = False) -> Structures:
        """Return what the model predicts, with energy_deviation in eV and, where calibrated, forces_deviation."""
        predicted = self.potential.predict(structures, stress=stress)
        return self.told(
            predicted, last_layer_features(self.potential, structures, forces="forces" in self.calibration)
        )

    def told(self, predicted: Structures, features: Features) -> Structures:
        """Return predicted structures of these features with deviations."""
        scale = {name: self.calibration.get(name, 1.0) * self.residual for name in ("energy", "forces")}
        told: dict[str, Any] = {
            "energy_deviation": scale["energy"] * np.sqrt(self.covariance.variance(features.energy))
        }
        if features.forces is not None:
            each = (self.covariance.variance(slopes).sum(axis=-1) for slopes in features.forces)
            told["forces_deviation"] = tuple(scale["forces"] * np.sqrt(variance) for variance in each)
        return dataclasses.replace(predicted, labels={**predicted.labels, **told})


def fit_last_layer(potential: Potential, train: Structures, valid: Structures) -> LastLayer:
    """Return a model with deviations.

    Args:
        potential: a single model.
        train: what it has learnt from, with energies in eV.
        valid: what it has not learnt from, with energies and perhaps forces; decides lambda and the factors.

    Raises:
        ValueError: the model predicts no energies or is a committee, energies are not linear in its last layer, or are
            known of no structure.
    """
    _require_energies(potential, train, valid)
    train = train[train.known("energy")]
    sizes = np.array([len(atoms) for atoms in train.atoms])
    features = last_layer_features(potential, train).energy / sizes[:, None]
    values, vectors = np.linalg.eigh(features.T @ features)
    residual = np.sqrt(np.mean(((potential.predict(train).rows("energy") - train.rows("energy")) / sizes) ** 2))
    predicted, seen = (
        potential.predict(valid),
        last_layer_features(potential, valid, forces=bool(valid.known("forces").any())),
    )

    def fitted(ridge: float) -> tuple[float, LastLayer]:
        covariance = Covariance(np.maximum(values, 0), vectors, ridge * float(np.mean(features**2)))
        raw = LastLayer(potential, covariance, float(residual), {})
        told = foretold(valid, raw.told(predicted, seen))
        calibration = {name: each.factor for name, each in told.items()}
        surprise = sum(each.times(each.factor).surprise for each in told.values())
        return surprise, dataclasses.replace(raw, calibration=calibration)

    return min(map(fitted, RIDGES.tolist()), key=lambda pair: pair[0])[1]


def last_layer_features(potential: Potential, structures: Structures, *, forces: bool = False) -> Features:
    """Return the derivatives of energies in eV, and if asked of forces in eV/Å, by the weights of the last layer.

    Those of energies cost a pass backwards through that layer, those of forces as much as forces for each weight.

    Raises:
        ValueError: energies are not linear in these weights, or there are none.
    """
    if NAME not in (parts := potential.params.get("params", potential.params)):
        raise ValueError(f"expected a last layer {NAME!r} in the parameters, found {sorted(parts)}")
    weights = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(parts[NAME])])
    of_energies, of_forces = (jax.jit(partial(slopes, potential.energy)) for slopes in (_of_energies, _of_forces))
    energies, rows = np.zeros((len(structures), len(weights))), [np.zeros(0)] * len(structures)
    for chosen, graph in potential.batches(structures):
        energy, at_zero, slopes = jax.device_get(of_energies(potential.params, graph))
        _require_linear(weights, energy, at_zero, slopes)
        energies[chosen] = slopes[: len(chosen)]
        if forces:
            found = np.asarray(jax.device_get(of_forces(potential.params, graph)), float)
            for i, part in zip(chosen, split_nodes(found, graph.n_node[: len(chosen)]), strict=True):
                rows[i] = part
    return Features(energies, tuple(rows) if forces else None)


def _of_energies(energy: Energy, params: PyTree, graph: Any) -> tuple[Array, Array, Array]:
    """Return energies [g], those with weights of zero in the last layer, and derivatives by its weights [g, d]."""
    weights, put = _last(params)

    def of(weights: Array) -> Array:
        return energy(put(weights), graph)

    return of(weights), of(jnp.zeros_like(weights)), jax.jacrev(of)(weights)


def _of_forces(energy: Energy, params: PyTree, graph: Any) -> Array:
    """Return the derivatives of forces by the weights of the last layer [n, 3, d], one weight after another."""
    weights, put = _last(params)

    def along(direction: Array) -> Array:
        return jax.jvp(lambda weights: energy_and_forces(energy)(put(weights), graph).forces, (weights,), (direction,))[
            1
        ]

    return jnp.moveaxis(jax.lax.map(along, jnp.eye(len(weights), dtype=weights.dtype)), 0, -1)


def _last(params: PyTree) -> tuple[Array, Any]:
    """Return the weights of the last layer as one vector, and the function that puts others in their place."""
    weights, shaped = ravel_pytree(jax.tree.map(jnp.asarray, params["params"][NAME]))
    return weights, lambda other: {**params, "params": {**params["params"], NAME: shaped(other)}}


def _require_linear(weights: np.ndarray, energy: np.ndarray, at_zero: np.ndarray, slopes: np.ndarray) -> None:
    size = np.abs(slopes) @ np.abs(weights) + np.abs(at_zero)
    if (np.abs(energy - at_zero - slopes @ weights) > LINEAR * size).any():
        raise ValueError(
            f"energies are not linear in {NAME!r} of this model, so that its last layer gives no deviations"
        )


def _require_energies(potential: Potential, train: Structures, valid: Structures) -> None:
    if potential.members is not None:
        raise ValueError(f"a committee of {potential.members} has deviations of its own; leave --uncertainty out")
    if potential.label != "energy":
        raise ValueError(f"a last layer gives deviations of energies, and this model predicts {potential.label}")
    if not (train.known("energy").any() and valid.known("energy").any()):
        raise ValueError("deviations of energies need structures whose energies are known, and there are none")
