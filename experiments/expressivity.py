"""Which potential tells which pair of structures apart (Joshi et al. 2023, arXiv:2301.09308), with random weights.

    python -m experiments.expressivity --out docs/images  # all models; tables and picture of docs/expressivity.md
    python -m experiments.expressivity --models painn     # one row
    python -m experiments.expressivity --preset tiny      # MACE alone, seconds

Nothing is trained: in float64 two outputs of a random network are equal to rounding, or the network sees the
difference, and three seeds leave no doubt. Graphs have the edges that are drawn, and one element.

- *Bodies* (Pozdnyakov et al. 2020, arXiv:2001.11696): an atom and its neighbours, whose distances, angles, or angles of
  three are all equal; models of one layer. The four-body pairs that circulate with isosceles triangles are congruent,
  and must stay equal; with scalene ones they are what they should be. Mirror images must stay equal too.
- *Chains* of k atoms with bent ends, on one side or on two: the depth at which a model sees it.
- *Stars* of L neighbours, turned by 2 pi / (L + 1): features of degree L turn, lower ones do not.
"""

import dataclasses
import functools
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Float, PyTree
from scipy.spatial.transform import Rotation

from symjax import potentials, training
from symjax.graphs import AtomEdges, AtomGlobals, AtomNodes, Budget, batch_graphs

CUTOFF = 12.0  # Å, beyond all edges
EQUAL = 1e-10  # of the size of the outputs; or ten times what a rotation changes
ISOSCELES = [(3, -4), (0, 5), (-3, -4)]
SCALENE = [(3, -4), (0, 5), (0, -5)]


Asked = tuple[str, Mapping[str, Any]]  # a row of the table of potentials and its options


class Pair(NamedTuple):
    """Two structures, the first atom in the origin, with the same edges."""

    first: Float[np.ndarray, "n 3"]
    second: Float[np.ndarray, "n 3"]
    edges: Sequence[tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class Config:
    """Which models, how deep, and where the picture goes."""

    preset: Literal["tiny", "small", "paper"] = "small"
    models: tuple[str, ...] = tuple(potentials.POTENTIALS)
    most_layers: int = 5
    most_factors: int = 4  # of MACE
    most_degree: int = 3  # of features of stars
    seeds: int = 3
    out: pathlib.Path = pathlib.Path("runs/expressivity")


PRESETS = {
    "tiny": Config("tiny", ("mace",), most_layers=2, most_factors=2, most_degree=1),
    "small": Config(),
    "paper": Config("paper", most_degree=5),
}


def main(config: Config) -> dict[str, dict[str, dict[str, Any]]]:
    """Print, draw and return, for each model, what it sees of bodies, chains and stars."""
    tables = {"bodies": {}, "chains": {}, "stars": {}}
    config.out.mkdir(parents=True, exist_ok=True)
    draw(config.out / "pairs.png")
    for name, options in variants(config):
        tables["bodies"][name], tables["chains"][name] = bodies_and_depths(options, config)
        print(json.dumps({name: [tables["bodies"][name], tables["chains"][name]]}), flush=True)
    for name, options in degrees(config):
        tables["stars"][name] = seen(options, stars(), config.seeds, turned=True)
        print(json.dumps({name: tables["stars"][name]}), flush=True)
    print("\n\n".join(map(markdown, tables.values())))
    return tables


# 1. pairs


def bodies() -> dict[str, Pair]:
    """Return neighbourhoods that scalars of 2, 3 and 4 bodies do not tell apart, and some that nothing may."""
    two = [(5, 0, 0)]
    three = [(5, 0, 5), (5, 5, 5), (-5, -5, 5)]
    return {
        "2-body": star([*two, (3, 0, 4)], [*two, (-5, 0, 0)]),
        "3-body": star([*three, (0, 5, 5)], [*three, (0, -5, 5)]),
        "4-body": star(*(triangles(SCALENE, height) for height in (5, -5))),
        "4-body, congruent": star(*(triangles(ISOSCELES, height) for height in (5, -5))),
        "4-body chiral, congruent": star(*(plane(ISOSCELES, height) for height in (5, -5))),
        "mirror images": star(*(plane(SCALENE, height) for height in (5, -5))),
    }


def star(first: Any, second: Any) -> Pair:
    """Return two sets of neighbours of an atom in the origin."""
    one, other = (np.array([(0, 0, 0), *points], float) for points in (first, second))
    return Pair(one, other, [(0, i) for i in range(1, len(first) + 1)])


def triangles(triangle: Sequence[tuple[float, float]], height: float) -> np.ndarray:
    """Return a triangle above, the same turned by 36 degrees below, and an atom on the axis above or below."""
    above = np.array([(x, 2, z) for x, z in triangle], float)
    below = Rotation.from_euler("y", math.pi / 5).apply(above * [1, -1, 1])
    return np.concatenate([above, below, [(0, height, 0)]])


def plane(triangle: Sequence[tuple[float, float]], height: float) -> list[tuple[float, float, float]]:
    """Return a triangle around the origin and an atom above or below its plane."""
    return [*((x, 0, z) for x, z in triangle), (0, height, 0)]


def chain(length: int) -> Pair:
    """Return so many atoms in a row with an end to the left or right of each, at the first of them."""
    row = [(0, 5 * i, 0) for i in range(length)]
    first, second = (np.array([*row, (side, -3, 0), (4, 5 * (length - 1) + 3, 0)], float) for side in (-4, 4))
    return Pair(first, second, [*((i, i + 1) for i in range(length - 1)), (0, length), (length - 1, length + 1)])


def stars() -> dict[str, Pair]:
    """Return stars of L neighbours and the same turned by 2 pi / (L + 1)."""

    def fold(count: int, angle: float) -> list[tuple[float, float, float]]:
        turns = angle + 2 * math.pi * np.arange(count) / count
        return [(math.cos(turn), math.sin(turn), 0.0) for turn in turns]

    return {f"{count}-fold": star(fold(count, 0.0), fold(count, 2 * math.pi / (count + 1))) for count in (2, 3, 5)}


# 2. what a model sees


def variants(config: Config) -> list[tuple[str, Asked]]:
    """Return models by the names of rows: MACE for each number of factors, others as their tiny preset has them."""
    found = []
    for name in config.models:
        if name == "mace":
            options = {"lmax": 3 if config.most_factors > 2 else 1}
            found += [
                (f"mace, {factors} factors", (name, options | {"correlation": factors}))
                for factors in range(1, config.most_factors + 1)
            ]
        else:
            found.append((name, (name, {})))
    return found


def degrees(config: Config) -> list[tuple[str, Asked]]:
    """Return models of one layer whose atoms have outputs of all degrees up to one, for those that have degrees."""
    found = []
    for name in config.models:
        if "lmax" not in {field.name for field in dataclasses.fields(potentials.options_of(name))}:
            outputs = "1x0e+1x1o" if potentials.architecture(name).vectors else "1x0e"
            found.append((name, (name, {"outputs": outputs})))
            continue
        for lmax in range(1, config.most_degree + 1):
            outputs = "+".join(f"1x{degree}{'eo'[degree % 2]}" for degree in range(lmax + 1))
            options = {"lmax": lmax, "outputs": outputs}
            if name == "equiformer":
                options |= dict.fromkeys(("irreps", "head_irreps", "mid_irreps"), outputs.replace("1x", "4x"))
            found.append((f"{name}, degree {lmax}", (name, options)))
    return found


def bodies_and_depths(options: Asked, config: Config) -> tuple[dict[str, bool], dict[str, int | None]]:
    """Return which bodies one layer tells apart, and the fewest layers that tell chains of 2, 3 and 4, or None."""
    name, more = options
    chains = {f"{length}-chain": chain(length) for length in (2, 3, 4)}
    one = seen((name, dict(more) | {"layers": 1}), bodies() | chains, config.seeds)
    found = {kind: 1 if one.pop(kind) else None for kind in chains}
    for layers in range(2, config.most_layers + 1):
        if None not in found.values():
            break
        sees = seen((name, dict(more) | {"layers": layers}), chains, config.seeds)
        found = {kind: depth or (layers if sees[kind] else None) for kind, depth in found.items()}
    return one, found


def seen(options: Asked, pairs: Mapping[str, Pair], seeds: int, *, turned: bool = False) -> dict[str, bool]:
    """Return which pairs random networks tell apart.

    Args:
        options: of the network, which has one layer where they name no other number.
        pairs: by name.
        seeds: of the networks.
        turned: by what they make of the atom in the origin, which turns with it, instead of by the sum over all atoms.
    """
    motion = Rotation.from_euler("xyz", (0.3, 1.1, -0.7)).as_matrix()
    graphs = [
        atoms_graph(positions, pair.edges)
        for pair in pairs.values()
        for positions in (pair.first, pair.second, pair.first @ motion.T)
    ]
    nodes, edges = (sum(int(getattr(graph, field)[0]) for graph in graphs) for field in ("n_node", "n_edge"))
    with jax.enable_x64(True):
        batch = batch_graphs(graphs, Budget(nodes + 1, edges + 1, len(graphs) + 1), dtype=np.float64)
        atoms = np.asarray(outputs(options, jax.tree.map(jnp.asarray, batch), seeds))
    starts = np.cumsum(batch.n_node)[: len(graphs)] - batch.n_node[: len(graphs)]
    values = atoms[:, starts] if turned else np.add.reduceat(atoms[:, :nodes], starts, axis=1)
    found = {}
    for kind, (first, second, moved) in zip(pairs, np.split(np.moveaxis(values, 1, 0), len(pairs)), strict=True):
        noise = 0.0 if turned else 10 * np.abs(first - moved).max()
        found[kind] = bool(np.abs(first - second).max() > max(EQUAL * np.abs(first).max(), noise))
    return found


def atoms_graph(positions: np.ndarray, edges: Sequence[tuple[int, int]]) -> jraph.GraphsTuple:
    """Return atoms of one element with the given edges, in both directions."""
    receivers, senders = np.array(sorted([*edges, *((j, i) for i, j in edges)]), np.int32).T
    return jraph.GraphsTuple(
        nodes=AtomNodes(positions, np.zeros(len(positions), np.int32)),
        edges=AtomEdges(np.zeros((len(senders), 3))),
        senders=senders,
        receivers=receivers,
        globals=AtomGlobals(np.zeros((1, 3, 3)), np.zeros(1), np.ones(1)),
        n_node=np.array([len(positions)], np.int32),
        n_edge=np.array([len(senders)], np.int32),
    )


def outputs(options: Asked, graph: jraph.GraphsTuple, seeds: int) -> jax.Array:
    """Return the outputs of all atoms of networks of so many seeds, [s, n, outputs]."""
    name, more = options
    given = {"species": 1, "average_neighbours": 1.0, "outputs": "1x0e", "cutoff": CUTOFF, "layers": 1}
    model = potentials.build(name, training.plain(potentials.preset_of(name, "tiny")) | given | dict(more))

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})  # runs once: half the time
    def run(keys: jax.Array) -> jax.Array:
        return jax.vmap(lambda key: model.apply(shaken(model.init(key, graph), key), graph).array)(keys)

    return run(jax.random.split(jax.random.key(0), seeds))


def shaken(params: PyTree, key: jax.Array) -> PyTree:
    """Return parameters moved at random, because some begin at zero, and with them all that a network says."""
    leaves, tree = jax.tree.flatten(params)
    keys = jax.random.split(key, len(leaves))
    moved = [x + 0.3 * jax.random.normal(k, x.shape, x.dtype) for k, x in zip(keys, leaves, strict=True)]
    return tree.unflatten(moved)


# 3. what is shown


def markdown(table: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table, a model a row: + where it sees the difference, or from how many layers on."""
    kinds = next(iter(table.values()))
    lines = [["model", *kinds], ["---"] * (len(kinds) + 1)]
    for name, row in table.items():
        lines.append([name, *("+" if sees is True else str(sees or "·") for sees in row.values())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(path: pathlib.Path) -> None:
    """Draw all pairs, the first above the second."""
    from matplotlib.figure import Figure

    pairs = bodies() | {"4-chain": chain(4)} | {"3-fold": stars()["3-fold"]}
    figure = Figure((2.2 * len(pairs), 4.6), layout="constrained")
    for column, (name, pair) in enumerate(pairs.items()):
        for row, positions in enumerate((pair.first, pair.second)):
            axis: Any = figure.add_subplot(2, len(pairs), row * len(pairs) + column + 1, projection="3d")
            for i, j in pair.edges:
                axis.plot(*positions[[i, j]].T, color="grey", linewidth=1)
            axis.scatter(*positions.T, c=["tab:red"] + ["tab:blue"] * (len(positions) - 1), s=25, depthshade=False)
            axis.set_axis_off()
            axis.set_aspect("equal")
            axis.set_title(name if row == 0 else "", fontsize=9)
    training.write_picture(path, figure)


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
