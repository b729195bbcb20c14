"""The repulsion of nuclei at short distance, which data rarely show (Ziegler, Biersack and Littmark, ZBL)."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import e3nn_jax as e3nn
import jax.numpy as jnp
import jraph
import numpy as np
from ase.data import covalent_radii
from jaxtyping import Array, Float, PyTree

from symjax.graphs import edge_vectors
from symjax.math import poly_envelope, safe_norm, segment_sum

COULOMB = 14.399645  # e² / (4 pi epsilon_0), eV Å
SCREENING = ((0.1818, 3.2), (0.5099, 0.9423), (0.2802, 0.4029), (0.02817, 0.2016))
CORE = 1e-3  # Å: closer atoms have the energy that they have there, and no force


@dataclasses.dataclass(frozen=True)
class Repulsion:
    """Screened nuclei, as a model of atoms without parameters.

    E_i = 1/2 sum_j K Z_i Z_j / r_ij phi(r_ij / a_ij) u(r_ij / c_ij), with phi(x) = 0.1818 exp(-3.2 x) + 0.5099
    exp(-0.9423 x) + 0.2802 exp(-0.4029 x) + 0.02817 exp(-0.2016 x), a_ij = 0.46850 Å / (Z_i^0.23 + Z_j^0.23), and
    `poly_envelope` u, which ends it with two continuous derivatives at the sum c_ij of the covalent radii, or at the
    cutoff if that is less. Bonded atoms are about there, and hardly feel it.

    Attributes:
        species: atomic numbers that a graph may hold.
        cutoff: of the graph, in Å.

    Source: Ziegler, Biersack & Littmark 1985, The Stopping and Range of Ions in Solids; constants as in LAMMPS.
    """

    species: tuple[int, ...]
    cutoff: float
    charges: ClassVar[bool] = True  # as a model that reads them: nuclei are the same whatever the electrons are

    def apply(self, params: PyTree, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        """Return E_i in eV, "1x0e"; the parameters are not used."""
        del params
        r = safe_norm(jnp.asarray(edge_vectors(graph)))
        species = jnp.asarray(graph.nodes.species)
        pair = species[graph.receivers], species[graph.senders]
        charges, length, end = (jnp.asarray(table, r.dtype)[pair] for table in self._tables())
        envelope = poly_envelope(r / end, cutoff=1.0)
        r = jnp.maximum(r, CORE)
        halves = 0.5 * COULOMB * charges / r * screening(r / length) * envelope
        atoms = segment_sum(halves, jnp.asarray(graph.receivers), len(species))
        return e3nn.IrrepsArray("1x0e", atoms[:, None])

    def _tables(self) -> Sequence[Float[np.ndarray, "s s"]]:
        """Return Z_i Z_j, a_ij and c_ij of each pair of species."""
        z = np.array(self.species, float)
        radii = covalent_radii[list(self.species)]
        reach = np.minimum(np.add.outer(radii, radii), self.cutoff)
        return np.multiply.outer(z, z), 0.46850 / np.add.outer(z**0.23, z**0.23), reach


def screening(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return phi(x), the universal screening function."""
    return sum((share * jnp.exp(-decay * x) for share, decay in SCREENING), start=jnp.zeros_like(x))
