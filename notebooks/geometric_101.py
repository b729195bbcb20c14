# %% [markdown]
# # Geometric learning in half an hour
#
# What a graph network may know of a molecule, which molecules it cannot tell apart, and what vectors and tensors add.
# Then two potentials, trained for a minute each, and a molecule that moves. Open this file as a notebook with
# `jupytext --to notebook notebooks/geometric_101.py` (`pip install '.[notebooks]'`), or run it as it is.

# %%
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import ase.build
import ase.units
import jax
import jax.numpy as jnp
import jraph
import matplotlib.pyplot as plt
import numpy as np
from ase.md.verlet import VelocityVerlet

import symjax
from symjax import Equivariance, check
from symjax.graphs import ATOMS, AtomEdges, AtomGlobals, AtomNodes, atoms_graph, edge_vectors
from symjax.groups import E, S
from symjax.models.atoms import NequIP, SchNet
from symjax.potentials.motion import Calculator, draw_momenta
from symjax.reps import Axis, Relabelling, Trivial

TINY = os.environ.get("NOTEBOOK_PRESET") == "tiny"  # seconds, to see that everything runs
key = jax.random.key(0)

# %% [markdown]
# ## A graph, and its law
#
# Atoms are nodes, and an edge joins two that are closer than a cutoff. It says where the sender is, seen from the
# receiver. What each atom hears is a sum over its edges: the order of the sum means nothing, so the numbering of the
# atoms does not matter; and lengths do not change when the molecule moves.

# %%
ethanol = ase.build.molecule("CH3CH2OH")
graph = atoms_graph(ethanol, cutoff=3.0, species=(1, 6, 8))
print(f"{graph.n_node[0]} atoms, {graph.n_edge[0]} edges")


def crowding(graph):
    """Return how crowded each atom is: the sum of exp(-r) over its edges."""
    lengths = jnp.linalg.norm(edge_vectors(graph), axis=-1)
    return jax.ops.segment_sum(jnp.exp(-lengths), graph.receivers, len(graph.nodes.species))


motions = Equivariance(E(3), ATOMS, Trivial())
renumbered = Equivariance(S(9), Relabelling("atoms"), Axis(0))
print(check(crowding, graph, key=key, laws=[motions, renumbered]))

# %% [markdown]
# ## Break it
#
# Weigh the edges by their x components, and the answer depends on where the axes point. Add up what is heard in the
# order of the atoms, and it depends on their numbers. Each is one line, each looks harmless, and `check` names the law.


# %%
def leaning(graph):
    return jax.ops.segment_sum(jax.nn.relu(edge_vectors(graph)[:, 0]), graph.receivers, len(graph.nodes.species))


def queued(graph):
    return jnp.cumsum(crowding(graph))


for broken in (leaning, queued):
    report = check(broken, graph, key=key, laws=[motions, renumbered])
    print(f"{broken.__name__}:\n{report}")
    assert [entry.verdict for entry in report.entries].count("BROKEN") == 1

# %% [markdown]
# ## Two neighbourhoods that distances cannot tell apart
#
# An atom with two neighbours at equal distances, once at an angle of 53 degrees, once at 180. And one with four in a
# plane: on two crossed lines at right angles, or at 45 degrees. Only the edges to the middle are drawn.


# %%
def star(neighbours):
    """Return the graph of an atom in the middle that exchanges messages with each of its neighbours."""
    count = len(neighbours)
    outer, middle = np.arange(1, count + 1), np.zeros(count, int)
    return jraph.GraphsTuple(
        nodes=AtomNodes(np.concatenate([np.zeros((1, 3)), neighbours]), np.zeros(count + 1, int)),
        edges=AtomEdges(np.zeros((2 * count, 3))),
        receivers=np.concatenate([middle, outer]),
        senders=np.concatenate([outer, middle]),
        globals=AtomGlobals(np.zeros((1, 3, 3)), np.zeros(1), np.ones(1)),
        n_node=np.array([count + 1]),
        n_edge=np.array([2 * count]),
    )


def ring(*degrees):
    angles = np.deg2rad(degrees)
    return star(np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1))


pairs = {
    "two neighbours": (ring(0, 53), ring(0, 180)),
    "four neighbours": (ring(0, 180, 90, 270), ring(0, 180, 45, 225)),
}

# %% [markdown]
# ## From invariant to vector to tensor messages
#
# Let every edge send a tensor of order l made of its direction, add them up in the middle, and measure the sum. Order 0
# counts neighbours. Order 1 adds arrows, and sees the angle of two; but the four arrows cancel either way. Order 2 adds
# up the lines they lie on, and sees what is left.


# %%
def size_of_sum(graph, order):
    """Return the length of the sum, over the edges of the middle, of their direction's tensor power."""
    directions = edge_vectors(graph)[: graph.n_node[0] - 1]
    powers = [np.ones(()), directions.sum(axis=0), np.einsum("ei,ej->ij", directions, directions)]
    return np.sqrt(np.sum((len(directions) * powers[0] if order == 0 else powers[order]) ** 2))


for name, (one, other) in pairs.items():
    seen = [bool(abs(size_of_sum(one, order) - size_of_sum(other, order)) > 1e-6) for order in range(3)]
    print(f"{name}: order 0, 1, 2 tell them apart: {seen}")

# %% [markdown]
# Networks are no exception: what NequIP with degrees up to l says of the middle, at random weights, is different
# exactly where the sums are. SchNet, which knows lengths alone, never sees a difference, however deep it is.


# %%
def tells_apart(module, one, other):
    def middles(key):
        params = module.init(key, one)
        return [module.apply(params, graph).array[0] for graph in (one, other)]

    first, second = jax.jit(middles)(key)
    return bool(jnp.abs(first - second).max() > 1e-4 * jnp.abs(first).max())


nets = {"SchNet, 4 layers": SchNet(1, 2.0, cutoff=2.0, layers=4, channels=8, filters=8)}
nets |= {f"NequIP, l = {order}": NequIP(1, 2.0, cutoff=2.0, layers=3, channels=4, lmax=order) for order in (1, 2)}
table = {net: [tells_apart(module, *pair) for pair in pairs.values()] for net, module in nets.items()}
for net, seen in table.items():
    print(f"{net:18}{dict(zip(pairs, seen, strict=True))}")
assert table["SchNet, 4 layers"] == [False, False]
assert table["NequIP, l = 1"] == [True, False]
assert table["NequIP, l = 2"] == [True, True]

# %% [markdown]
# ## Two potentials, a minute each
#
# Energies and forces of 600 ethanol geometries come with the package. The same command trains any model of the table;
# forces are gradients of the energy.

# %%
runs = pathlib.Path(tempfile.mkdtemp())
epochs = {"nequip": 40} if TINY else {"nequip": 40, "schnet": 60}
for model in epochs:
    options = ["--preset", "tiny"] if TINY else ["--epochs", str(epochs[model])]
    command = [sys.executable, "-m", "symjax", "train", "--model", model, *options, "--out", str(runs / model)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout[-400:])

# %%
figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
for model in epochs:
    lines = [json.loads(line) for line in (runs / model / "metrics.jsonl").read_text().splitlines()]
    seen = [line for line in lines if "valid_forces_mae" in line]
    axes.loglog([line["seconds"] for line in seen], [1000 * line["valid_forces_mae"] for line in seen], label=model)
axes.set(xlabel="seconds", ylabel="force error, meV/Å")
axes.legend()
figure.savefig(runs / "learning_curves.png")

# %% [markdown]
# ## A molecule that moves
#
# The trained potential is a calculator of ASE. Forces that are gradients keep the energy while the atoms move.

# %%
molecule = ethanol.copy()
molecule.calc = Calculator(symjax.load(runs / "nequip"))
draw_momenta(molecule, 300, seed=0)
total, places = [], []
dynamics = VelocityVerlet(molecule, 0.5 * ase.units.fs)
dynamics.attach(lambda: (total.append(molecule.get_total_energy()), places.append(molecule.positions.copy())))
dynamics.run(20 if TINY else 1000)
print(f"the total energy moves by {np.ptp(total):.4f} eV, of {molecule.get_kinetic_energy():.2f} eV in motion")

# %%
figure = plt.figure(figsize=(4.5, 4.5))
axes = figure.add_subplot(projection="3d")
path = np.array(places)
for atom, number in enumerate(molecule.numbers):
    colour = {1: "#bbbbbb", 6: "#333333", 8: "#d62728"}[number]
    axes.plot(*path[:, atom].T, color=colour, lw=0.5)
    axes.scatter(*path[0, atom], color=colour, s=40 + 20 * number)
for i, j in {tuple(sorted(pair)) for pair in zip(graph.senders.tolist(), graph.receivers.tolist(), strict=True)}:
    if np.linalg.norm(path[0, i] - path[0, j]) < 1.6:
        axes.plot(*path[0, [i, j]].T, color="black", lw=1.5)
axes.set_axis_off()
figure.savefig(runs / "trajectory.png")
print(f"pictures and runs are in {runs}")
