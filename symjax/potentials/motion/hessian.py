"""Second derivatives of any energy model, exact: forward over reverse on a fixed list of neighbours."""

from collections.abc import Callable, Sequence

import ase
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from symjax.math import require_memory
from symjax.potentials.derivatives import Energy
from symjax.potentials.motion.listing import list_neighbours
from symjax.potentials.potential import Potential

Hessian = Callable[[PyTree, jraph.GraphsTuple, Int[Array | np.ndarray, " k"]], Float[Array, "k 3 n 3"]]


def hessian(energy: Energy, *, block: int = 24) -> Hessian:
    """Return a function of (params, graph, atoms) that gives rows of the Hessian H = d²E / dx dx in eV/Å².

    The gradient is linearised once and applied to unit displacements of the chosen atoms, a block of them at a time, so
    that memory grows with the block and not with the number of atoms. Periodic images move with their atoms.

    Args:
        energy: gives the energies in eV of a graph with `AtomNodes`.
        block: how many displacements at a time.
    """

    def rows(params: PyTree, graph: jraph.GraphsTuple, atoms: Int[Array | np.ndarray, " k"]) -> Float[Array, "k 3 n 3"]:
        graph = jax.tree.map(jnp.asarray, graph)
        positions = graph.nodes.positions

        def total(moved: Float[Array, "n 3"]) -> Float[Array, ""]:
            return energy(params, graph._replace(nodes=graph.nodes._replace(positions=moved))).sum()

        _, apply = jax.linearize(jax.grad(total), positions)

        def row(index: Int[Array, ""]) -> Float[Array, "n 3"]:
            return apply(jnp.zeros_like(positions).at[index // 3, index % 3].set(1))

        indices = (3 * jnp.asarray(atoms)[:, None] + jnp.arange(3)[None]).reshape(-1)
        width = min(block, len(indices))
        blocks = jnp.resize(indices, (-(-len(indices) // width), width))
        found = jax.lax.map(jax.vmap(row), blocks).reshape(-1, *positions.shape)
        return found[: len(indices)].reshape(-1, 3, *positions.shape)

    return rows


def hessian_of(
    potential: Potential, atoms: ase.Atoms, rows: Sequence[int] | np.ndarray | None = None
) -> Float[np.ndarray, "k 3 n 3"]:
    """Return the Hessian of a structure in eV/Å², in the precision of the parameters.

    Args:
        potential: of energies.
        atoms: n atoms.
        rows: those whose rows are asked for; None: all.

    Raises:
        ValueError: an element is not known, the Hessian does not fit in memory, or it is not finite.
    """
    count = len(atoms)
    rows = np.arange(count) if rows is None else np.asarray(rows, int)
    what = f"a Hessian of {len(rows)} by {count} atoms"
    require_memory(3 * 8 * 9 * len(rows) * count, what)
    arguments = potential.params, list_neighbours(potential, atoms, skin=0.0).at(atoms), rows
    program = jax.jit(hessian(potential.energy)).lower(*arguments).compile()
    if needed := program.memory_analysis():
        require_memory(needed.temp_size_in_bytes + needed.output_size_in_bytes, what)
    found = np.asarray(program(*arguments), float)[:, :, :count]
    if not np.isfinite(found).all():
        raise ValueError(f"{what} is not finite; two of the atoms may be at one point")
    return found
