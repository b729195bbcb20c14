import ase.build
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import eval_legendre

from symjax.graphs import atoms_graph, edge_vectors, reverse_edges
from symjax.layers.graph import DimeNetEdges, sum_triplets


def test_sums_at_atoms_are_sums_over_pairs_of_edges():
    """In a crystal where an atom meets its own images: only the way back is left out, not another image of it."""
    crystal = ase.build.bulk("Si")
    crystal.positions[1] += [0.2, -0.1, 0.15]
    graph = atoms_graph(crystal, cutoff=4.0, species=(14,))
    normal, count = np.random.default_rng(0).standard_normal, len(graph.senders)
    vectors, sent, filters = edge_vectors(graph), normal((count, 2)), normal((count, 3, 2))
    directions = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    expected, dropped, images = np.zeros((count, 2)), 0, 0
    for ji in range(count):
        for kj in np.flatnonzero(graph.receivers == graph.senders[ji]):
            if np.allclose(vectors[kj], -vectors[ji]):
                dropped += 1
                continue
            images += graph.senders[kj] == graph.receivers[ji]
            cosine = directions[ji] @ directions[kj]
            for degree in range(3):
                angular = np.sqrt((2 * degree + 1) / (4 * np.pi)) * eval_legendre(degree, cosine)
                expected[ji] += sent[kj] * filters[kj, degree] * angular
    assert dropped == count
    assert images > 0
    reverse, unused = reverse_edges(graph), np.zeros((count, 1))
    edges = DimeNetEdges(sent, graph.edges.shifts, directions, unused, unused[..., None])
    graph = jax.tree.map(jnp.asarray, graph._replace(nodes=np.zeros((2, 1)), edges=edges))
    got = jax.jit(sum_triplets)(jnp.asarray(sent), jnp.asarray(filters), graph, reverse)
    np.testing.assert_allclose(got, expected, atol=1e-12)
