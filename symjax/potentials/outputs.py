"""What a model gives each atom in eV: its network times a scale, relative to a lone atom, and a repulsion."""

from collections.abc import Callable
from typing import Any

import ase
import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import jraph
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Key, PyTree

from symjax.graphs import Budget, atoms_graph, batch_graphs, edge_vectors, graph_index
from symjax.math import poly_envelope, safe_norm, segment_sum
from symjax.potentials.charges import reads_charges
from symjax.potentials.references import References
from symjax.potentials.repulsion import Repulsion

Outputs = Callable[[PyTree, jraph.GraphsTuple], e3nn.IrrepsArray]


def atom_outputs(
    model: Any, references: References, species: tuple[int, ...], key: Key[Array, ""] | None = None
) -> Outputs:
    """Return `outputs(params, graph) -> [n, outputs]`, the outputs of a module times the scale of the references.

    Where the references are those of isolated atoms, y_i = scale (f_i - f(lone atom of z_i)) + bonds(z_i) b_i: what the
    module gives a lone atom is taken off, so that a lone atom has exactly its reference energy, and `bonding` b_i adds
    what atoms with neighbours have less on the average. A module that reads charges and spins is asked about a neutral
    atom in the spin of the structure, so that only a charge makes a lone atom another. A `Repulsion` is added where
    they ask for one.

    With a key the module drops of these atoms what it drops in training, and of lone atoms nothing.
    """

    def network(params: PyTree, graph: jraph.GraphsTuple, key: Key[Array, ""] | None = None) -> e3nn.IrrepsArray:
        drawn = {} if key is None else {"rngs": {"dropout": key}}
        atoms = model.apply(params, graph, **drawn)
        return e3nn.IrrepsArray(atoms.irreps, references.scale * atoms.array)

    def relative(params: PyTree, graph: jraph.GraphsTuple) -> e3nn.IrrepsArray:
        dtype, kinds = graph.nodes.positions.dtype, graph.nodes.species
        bonds = jnp.array([references.bonds.get(number, 0.0) for number in species], dtype)
        bound = bonds[kinds] * bonding(graph, cutoff=model.cutoff)
        atoms = network(params, graph, key)
        return e3nn.IrrepsArray(atoms.irreps, atoms.array - alone(params, graph) + bound[:, None])

    def alone(params: PyTree, graph: jraph.GraphsTuple) -> Float[Array, "n c"]:
        lone = lone_atoms(species, cutoff=model.cutoff, dtype=graph.nodes.positions.dtype)

        def neutral(spin: Float[Array, ""]) -> Float[Array, "s c"]:
            spins = jnp.full_like(lone.globals.spin, spin)
            return network(params, lone._replace(globals=lone.globals._replace(spin=spins))).array

        if not reads_charges(model):
            return neutral(jnp.ones(()))[graph.nodes.species]
        return jax.vmap(neutral)(jnp.asarray(graph.globals.spin))[graph_index(graph), graph.nodes.species]

    chosen = relative if references.isolated else lambda params, graph: network(params, graph, key)
    if references.repulsion == "none":
        return chosen
    repulsion = Repulsion(species, model.cutoff)
    return lambda params, graph: chosen(params, graph) + repulsion.apply({}, graph)


def bonding(graph: jraph.GraphsTuple, *, cutoff: float) -> Float[Array, " n"]:
    """Return b_i = 1 - (1 - s_i)^3 with s_i = sum_j u(r_ij), at most 1, and u the `poly_envelope` of the cutoff.

    It is zero for a lone atom, exactly one for any that has a neighbour near by, and has two continuous derivatives.
    """
    reached = poly_envelope(safe_norm(jnp.asarray(edge_vectors(graph))), cutoff=cutoff)
    lacking = 1 - segment_sum(reached, jnp.asarray(graph.receivers), graph.nodes.species.shape[0])
    return 1 - jnp.maximum(lacking, 0) ** 3


def lone_atoms(species: tuple[int, ...], *, cutoff: float, dtype: DTypeLike) -> jraph.GraphsTuple:
    """Return a batch of one atom of every species in turn, without neighbours, and padding."""
    graphs = [atoms_graph(ase.Atoms([number]), cutoff=cutoff, species=species) for number in species]
    budget = Budget(len(species) + 1, 1, len(species) + 1)
    return jax.tree.map(jnp.asarray, batch_graphs(graphs, budget, dtype=dtype))
