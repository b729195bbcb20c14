"""A pair potential with the interface of a linen module: fast to compile, and easy to redo by hand."""

import dataclasses

import ase
import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np

from symjax.data import Structures, make_samples
from symjax.graphs import edge_vectors
from symjax.math import poly_envelope, safe_norm, segment_sum

SPECIES = (1, 8)
CUTOFF = 3.0


@dataclasses.dataclass
class PairModel:
    """E_i = a[species i] + sum_edges k (r - 1)^2 envelope(r)."""

    cutoff: float = CUTOFF
    traces: int = 0

    def apply(self, params, graph):
        self.traces += 1
        r = safe_norm(jnp.asarray(edge_vectors(graph)))
        edges = params["k"] * (r - 1) ** 2 * poly_envelope(r, cutoff=self.cutoff)
        atoms = params["a"][graph.nodes.species] + segment_sum(edges, graph.receivers, graph.nodes.species.shape[0])
        return e3nn.IrrepsArray("1x0e", atoms[:, None])


def params(dtype=float):
    return {"a": jnp.array([0.3, -0.7], dtype), "k": jnp.array(1.3, dtype)}


def structures(count=5, labels=True):
    """Random clusters of one to five atoms, the odd ones periodic, with random labels."""
    rng = np.random.default_rng(0)
    atoms = []
    for i in range(count):
        cell = np.eye(3) * 4 + rng.normal(0, 0.2, (3, 3)) if i % 2 else None
        atoms.append(ase.Atoms(rng.choice(SPECIES, i + 1), rng.uniform(0, 3, (i + 1, 3)), cell=cell, pbc=bool(i % 2)))
    if not labels:
        return Structures(tuple(atoms))
    forces = tuple(rng.normal(size=(len(a), 3)) for a in atoms)
    labels = {"energy": rng.normal(size=count), "forces": forces, "stress": rng.normal(size=(count, 3, 3))}
    return Structures(tuple(atoms), labels)


def samples(data):
    return make_samples(data, cutoff=CUTOFF, species=SPECIES)
