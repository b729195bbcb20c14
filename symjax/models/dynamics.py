"""Hamiltonian networks: equations of motion from a learnt energy (Greydanus et al. 2019, arXiv:1906.01563).

A network from a representation to itself is an equivariant vector field as it is. Either is integrated by
`symjax.math.odeint.runge_kutta`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symjax.laws import Equivariance, Law
from symjax.reps import LinearRep

Energy = Callable[[Float[Array, "*b n"]], Float[Array, "*b 1"]]


def hamiltonian_field(energy: Energy, z: Float[Array, "*b n"]) -> Float[Array, "*b n"]:
    """Return dz/dt = (dH/dp, -dH/dq) where z = (q, p), halves of the last axis.

    Args:
        energy: the Hamiltonian H of each state, which depends on no other state.
        z: states.

    Raises:
        ValueError: If the energy is no single number, or z has no two halves.
    """
    return _symplectic(jax.grad(lambda z: _total(energy, z))(z))


def _total(energy: Energy, z: Float[Array, "*b n"]) -> Float[Array, ""]:
    energies = energy(z)
    if energies.shape != (*z.shape[:-1], 1):
        raise ValueError(f"expected an energy of one number for each state of {z.shape}, got {energies.shape}")
    return jnp.sum(energies)


def _symplectic(slope: Float[Array, "*b n"]) -> Float[Array, "*b n"]:
    if slope.shape[-1] % 2:
        raise ValueError(f"expected as many momenta as positions along the last axis, got {slope.shape}")
    along_q, along_p = jnp.split(slope, 2, axis=-1)
    return jnp.concatenate([along_p, -along_q], axis=-1)


def require_canonical(rep: LinearRep) -> LinearRep:
    """Return the representation.

    Raises:
        ValueError: If its elements do not preserve the equations of Hamilton: rho(g) J rho(g)^T = J.
    """
    half, odd = divmod(rep.size, 2)
    if odd or not _preserves(rep * rep, np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(half)).ravel()):
        raise ValueError(f"expected momenta that transform as the dual of the positions, as in V + V.T, got {rep}")
    return rep


def _preserves(rep: LinearRep, vector: Float[np.ndarray, " n"]) -> bool:
    group = rep.require_group()
    moves = [rep.dact(a, vector) for a in group.directions]
    moves += [rep.act(h, vector) - vector for h in group.generators]
    return all(np.allclose(move, 0, rtol=0, atol=1e-9) for move in moves)


def _law_of_motion(law: Law) -> Law:
    if not (isinstance(law, Equivariance) and isinstance(law.rep_in, LinearRep)):
        return law
    rep = require_canonical(law.rep_in)
    return dataclasses.replace(law, rep_out=law.rep_out * rep if isinstance(law.rep_out, LinearRep) else rep)


class HamiltonianNet(nn.Module):
    """The motion that conserves a network's energy; it has every symmetry of the energy.

    Attributes:
        energy: From states z = (q, p) [..., n] to one number each [..., 1].
    """

    energy: nn.Module

    def laws(self, z: Float[Any, "*b n"]) -> tuple[Law, ...]:
        """Those of the energy, the group acting on the motion as on the states.

        Raises:
            ValueError: If positions and momenta do not transform as duals.
        """
        return tuple(_law_of_motion(law) for law in self.energy.laws(z))

    def __call__(self, z: Float[Array, "*b n"]) -> Float[Array, "*b n"]:
        """Return dz/dt.

        Raises:
            ValueError: If the energy is no single number, or positions and momenta do not transform as duals.
        """
        if hasattr(self.energy, "laws"):
            self.laws(z)
        return _symplectic(nn.grad(_total, self.energy, z)[0])
