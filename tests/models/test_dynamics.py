"""Hamiltonian networks: the equations of motion, what they conserve, and which symmetries they may have."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symjax.data.pendulum import energy, forces, initial_states
from symjax.groups import SL, O2eR3, Sp
from symjax.laws import Equivariance, check
from symjax.math import runge_kutta
from symjax.models import EMLP, MLP, HamiltonianNet, hamiltonian_field
from symjax.reps import Det, Scalar, V
from tests.cases import start

KEY = jax.random.key(0)
Z = jnp.asarray(initial_states(np.random.default_rng(0), 3))


class Springs(nn.Module):
    """The energy of two free particles on springs, scaled by a parameter."""

    @nn.compact
    def __call__(self, z):
        stiffness = self.param("stiffness", nn.initializers.constant(2.0, z.dtype), ())
        q, p = jnp.split(z, 2, axis=-1)
        return jnp.sum(p**2 / 2 + stiffness * q**2 / 2, axis=-1, keepdims=True)


def test_positions_follow_momenta_and_momenta_follow_forces():
    params, apply = start(HamiltonianNet(Springs()), Z)
    q, p = jnp.split(Z, 2, axis=-1)
    np.testing.assert_allclose(apply(params, Z), jnp.concatenate([p, -2 * q], axis=-1), atol=1e-12)
    np.testing.assert_allclose(apply(params, Z[0]), apply(params, Z)[0], atol=1e-12)


def test_the_motion_of_an_equivariant_field_is_equivariant():
    rep = (4 * V)(O2eR3())
    params, apply = start(EMLP(rep, rep, channels=12, layers=1), Z)

    def move(z):
        return runge_kutta(lambda z: 0.1 * apply(params, z), z, jnp.linspace(0.0, 1.0, 3))[-1]

    assert check(move, Z, key=KEY, laws=[Equivariance(O2eR3(), rep, rep)])


def test_the_field_of_a_known_energy():
    def pendulum(z):
        q1, q2, p1, p2 = jnp.split(z, 4, axis=-1)
        first, second = (jnp.linalg.norm(q, axis=-1, keepdims=True) - 1 for q in (q1, q2 - q1))
        height = (q1 + q2)[..., 2:]
        return jnp.sum(p1**2 + p2**2, axis=-1, keepdims=True) / 2 + first**2 / 2 + second**2 + height

    np.testing.assert_allclose(pendulum(Z)[:, 0], energy(np.asarray(Z)), atol=1e-12)
    wanted = np.concatenate([Z[:, 6:], forces(np.asarray(Z[:, :6]))], axis=-1)
    np.testing.assert_allclose(jax.jit(functools.partial(hamiltonian_field, pendulum))(Z), wanted, atol=1e-12)


def test_a_network_conserves_its_energy_along_its_motion():
    rep = (4 * V)(O2eR3())
    network = EMLP(rep, Scalar, channels=16, layers=1)
    params, apply = start(HamiltonianNet(network), Z)
    inner = {"params": params["params"]["energy"]}
    path = jax.jit(lambda z: runge_kutta(functools.partial(apply, params), z, jnp.linspace(0.0, 2.0, 5), substeps=8))(Z)
    energies = jax.jit(network.apply)(inner, path)
    assert np.abs(path[-1] - path[0]).max() > 0.05
    np.testing.assert_allclose(energies, np.broadcast_to(energies[:1], energies.shape), atol=1e-5)


def test_it_learns_through_the_gradient():
    params, apply = start(HamiltonianNet(Springs()), Z)
    gradient = jax.jit(jax.grad(lambda params: jnp.sum(apply(params, Z) ** 2)))(params)
    stiffness = gradient["params"]["energy"]["stiffness"]
    np.testing.assert_allclose(stiffness, 4 * jnp.sum(Z[:, :6] ** 2), rtol=1e-12)


@pytest.mark.parametrize("rep", [(V + V.T)(SL(2)), V(Sp(2)), (2 * V)(O2eR3())])
def test_canonical_representations_keep_their_symmetry(rep):
    net = HamiltonianNet(EMLP(rep, Scalar, channels=2 * Scalar + rep, layers=1))
    z = jnp.asarray(np.random.default_rng(1).standard_normal((2, rep.size)))
    [law] = net.laws(z)
    assert law == Equivariance(rep.group, rep, rep)
    if not isinstance(rep.group, Sp):  # the invariants of a single vector are constant
        assert check(net, z, key=KEY)


class AngularMomentum(nn.Module):
    """About the vertical; mirrors turn it around."""

    def laws(self, z):
        return (Equivariance.between((2 * V)(O2eR3()), Det),)

    def __call__(self, z):
        return z[..., 0:1] * z[..., 4:5] - z[..., 1:2] * z[..., 3:4]


def test_an_energy_that_changes_sign_turns_the_motion_around():
    net = HamiltonianNet(AngularMomentum())
    [law] = net.laws(Z[:, :6])
    assert law.rep_out == (Det * (2 * V))(O2eR3())
    assert check(net, Z[:, :6], key=KEY)


@pytest.mark.parametrize("rep", [(2 * V)(SL(2)), (V + 3 * Scalar + V.T)(SL(2)), (2 * Scalar + V)(O2eR3())])
def test_momenta_that_are_no_duals_are_refused_in_one_sentence(rep):
    with pytest.raises(ValueError, match="expected momenta that transform as the dual of the positions"):
        HamiltonianNet(EMLP(rep, Scalar, channels=8)).init(KEY, jnp.ones((1, rep.size)))


def test_a_field_needs_one_energy_and_two_halves():
    with pytest.raises(ValueError, match="expected an energy of one number"):
        HamiltonianNet(MLP(2, channels=4)).init(KEY, Z)
    with pytest.raises(ValueError, match="as many momenta as positions"):
        hamiltonian_field(lambda z: z[..., :1], jnp.ones((2, 3)))


def test_without_symmetry_rows_still_do_not_mix():
    assert check(HamiltonianNet(MLP(1, channels=8)), Z, key=KEY)
