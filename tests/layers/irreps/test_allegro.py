import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np

from symjax.layers.irreps import radial_weights, tensor_product_paths
from tests.cases import load


def test_tensors_meet_what_their_atom_sees():
    """Every path is a product of e3nn, of the tensors of an edge with the sum over the edges of its receiver."""
    module, graph, params, apply = load("AllegroLayer")
    edges, p, u = graph.edges, params["params"], 2
    harmonics, tensors = (dict(zip((ir for _, ir in x.irreps), x.chunks, strict=True)) for x in edges[:1:-1])
    weights = np.split(np.asarray(edges.weights), len(harmonics), axis=1)
    seen = {}
    for (ir, y), w in zip(harmonics.items(), weights, strict=True):
        told = w[:, :, None] * np.asarray(y) / np.sqrt(module.average_neighbours)
        sums = np.stack([told[graph.receivers == i].sum(axis=0) for i in range(4)])
        seen[ir] = jnp.asarray(sums[graph.receivers])

    paths = tensor_product_paths(edges.tensors.irreps, edges.harmonics.irreps, e3nn.Irreps(module.irreps))

    @jax.jit
    def products():
        found = []
        for path in paths:
            left, right = list(tensors)[path.source], list(harmonics)[path.harmonic]
            factors = e3nn.IrrepsArray(str(left), tensors[left]), e3nn.IrrepsArray(str(right), seen[right])
            found.append(e3nn.tensor_product(*factors, filter_ir_out=[path.target.ir]).array)
        return found

    wanted, made = {}, products()
    for place, path in enumerate(paths):
        alike = sum(other.target == path.target for other in paths)
        part = made[place] * p["products"][place][None, :, None] / np.sqrt(alike)
        wanted[path.target.ir] = wanted.get(path.target.ir, 0) + part
    out = apply(params, graph).edges
    for (mul, ir), chunk in zip(out.tensors.irreps, out.tensors.chunks, strict=True):
        assert mul == u
        np.testing.assert_allclose(chunk, wanted[ir], atol=1e-12)

    both = jnp.concatenate([edges.scalars, wanted[e3nn.Irrep("0e")][:, :, 0]], axis=1)
    told = radial_weights([p["mix"][f"kernel_{k}"] for k in range(2)], both)
    np.testing.assert_allclose(out.scalars, jnp.concatenate([edges.scalars, told[:, :3]], axis=1), atol=1e-12)
    np.testing.assert_allclose(out.weights, told[:, 3:], atol=1e-12)
