"""What a model gives each atom in eV: its network times a scale, relative to a lone atom, and a repulsion."""

from collections.abc import Callable
from typing import Any

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import PyTree

from symjax.graphs import Budget, atoms_graph, batch_graphs
from symjax.potentials.references import References
from symjax.potentials.repulsion import Repulsion

Outputs = Callable[[PyTree, jraph.GraphsTuple], e3nn.IrrepsArray]


def atom_outputs(model: Any, references: References, species: tuple[int, ...]) -> Outputs:
    """Return `outputs(params, graph) -> [n, outputs]`, the outputs of a module times the scale of the references.

    Where the references are those of isolated atoms, what the module gives a lone atom of the same element is taken
    off, y_i = scale (f_i - f(lone atom of z_i)), so that a lone atom has exactly its reference energy. A `Repulsion`
    is added where they ask for one.
    """

    def scaled(params: PyTree, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        atoms = model.apply(params, graph)
        return e3nn.IrrepsArray(atoms.irreps, references.scale * atoms.array)

    def relative(params: PyTree, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        alone = scaled(params, lone_atoms(species, cutoff=model.cutoff, dtype=graph.nodes.positions.dtype))
        return scaled(params, graph) - alone[graph.nodes.species]

    network = relative if references.isolated else scaled
    if references.repulsion == "none":
        return network
    repulsion = Repulsion(species, model.cutoff)
    return lambda params, graph: network(params, graph) + repulsion.apply({}, graph)


def lone_atoms(species: tuple[int, ...], *, cutoff: float, dtype: DTypeLike) -> jraph.GraphsTuple:
    """Return a batch of one atom of every species in turn, without neighbours, and padding."""
    graphs = [atoms_graph(ase.Atoms([number]), cutoff=cutoff, species=species) for number in species]
    budget = Budget(len(species) + 1, 1, len(species) + 1)
    return jax.tree.map(jnp.asarray, batch_graphs(graphs, budget, dtype=dtype))
