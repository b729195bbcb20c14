"""Solving for equivariant maps, and training on them, against `emlp` 1.0.3 (Finzi, Welling and Wilson 2021).

    python3.11 -m venv ~/peers/emlp
    ~/peers/emlp/bin/pip install "jax==0.10.1" "flax==0.12.8" optax plum-dispatch tqdm scikit-learn matplotlib scipy
    ~/peers/emlp/bin/pip install --no-deps emlp==1.0.3
    python -m benchmarks.equivariant_basis --peer-python ~/peers/emlp/bin/python
    python -m benchmarks.equivariant_basis --plot docs/images/basis_cost.png

emlp asks for objax, which no longer runs: install it without its dependencies, as above; `benchmarks.peers.emlp_basis`
says what else it takes. A case is a group and two sums of tensors, the same on both sides, each of which solves it in
a fresh process on one core. Cold is the first solution in the process, with compilation, without imports; warm is the
same again with remembered solutions forgotten. emlp computes in float32, we in float64. emlp's residual is the largest
entry of its constraints on its basis; ours is relative to the maps. Where its singular values are NaN, as those of
S(6) T(2)->T(2) with jaxlib 0.10.1, it returns every map there is, and `same_dim` is false. Its slow cases take minutes:
`--no-slow-peer` leaves its side of them out. In training emlp's parameters are whole weight matrices, which it projects
at each step; ours are coefficients of the basis.
"""

import argparse
import datetime as dt
import functools
import json
import operator
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from benchmarks.timing import Work, compare, once, serve, serve_once

Sum = tuple[tuple[int, int, int], ...]  # (multiplicity, p, q) of T(p, q)


class Case(NamedTuple):
    """The maps from one sum of tensors to another; `peer` is "runs", "slow" or why emlp's side is left out."""

    name: str
    group: tuple
    rep_in: Sum
    rep_out: Sum
    peer: str = "runs"

    def spec(self) -> str:
        """Return what the process of a side needs to know."""
        return json.dumps({"group": self.group, "in": self.rep_in, "out": self.rep_out})


def tensors(group: str, rep_in: tuple[int, ...], rep_out: tuple[int, ...], peer: str = "runs") -> Case:
    """Return the case of the maps T(*rep_in) -> T(*rep_out)."""
    sides = [f"T({','.join(map(str, rep))})" for rep in (rep_in, rep_out)]
    (p, q), (r, s) = ((*rep, 0)[:2] for rep in (rep_in, rep_out))
    return Case(f"{group} {sides[0]}->{sides[1]}", call(group), ((1, p, q),), ((1, r, s),), peer)


def call(group: str) -> tuple:
    """Return the name and the arguments of `"SO(3)"`."""
    name, *numbers = re.findall(r"[A-Za-z]\w*|\b\d+", group)
    return name, *map(int, numbers)


# what emlp's own rule makes of 384 channels; for O(1,3), one of its random draws
UNIFORM: dict[str, Sum] = {
    "SO(3)": ((102, 0, 0), (34, 1, 0), (11, 2, 0), (3, 3, 0)),
    "S(4)": ((112, 0, 0), (28, 1, 0), (6, 2, 0), (1, 3, 0)),
    "O13()": ((112, 0, 0), (14, 1, 0), (14, 0, 1), (1, 2, 0), (4, 1, 1), (1, 0, 2), (1, 2, 1)),
}
INCOMPLETE = "cannot: its limit on memory ends the search for more maps, and what it found so far is returned"

CASES = [
    tensors("SO(3)", (2,), (2,)),
    tensors("SO(3)", (3,), (3,)),
    tensors("SO(3)", (4,), (4,), "slow"),
    tensors("S(10)", (2,), (2,), "slow"),
    tensors("S(6)", (2,), (2,)),
    tensors("SU(3)", (2, 1), (2, 1)),
    *(Case(f"{group} 384 channels, uniform", call(group), sum_of, sum_of, "slow") for group, sum_of in UNIFORM.items()),
    tensors("SO(3)", (6,), (6,), INCOMPLETE),
    tensors("S(10)", (2,), (4,), INCOMPLETE),
    tensors("RubiksCube()", (2,), (2,), "cannot: its generators are those of another group"),
]
PEER_UNKNOWNS = 1500  # in the pictures
CURVES = {"SO(3)": range(1, 7), "S(5)": range(1, 5), "O13()": range(1, 6)}
TABLE = "all rows of tests/solver/dimension_table.py"
TRAINING = "EMLP(384, O(3)) training step, batch 500, Inertia"
INSTALL = "see the top of benchmarks/equivariant_basis.py, then pass --peer-python PEER/bin/python"


def make_ours(spec: str) -> Work:
    """Return the solution of one case, groups and representations made anew each time."""
    from symjax import groups
    from symjax.reps import T
    from symjax.solver import equivariant_maps

    case = json.loads(spec)

    def solve():
        name, *arguments = case["group"]
        group = getattr(groups, name)(*arguments)
        terms = ([m * T(p, q)(group) for m, p, q in case[side]] for side in ("in", "out"))
        rep_in, rep_out = (functools.reduce(operator.add, side) for side in terms)
        return equivariant_maps(rep_in, rep_out)

    return Work(solve, forget, describe)


def make_table() -> Work:
    """Return the solution of every row that theory has a dimension for."""
    from symjax import groups
    from symjax.reps import T
    from symjax.solver import equivariant_maps
    from tests.solver.dimension_table import ROWS

    def solve():
        plans = []
        for row in ROWS:
            name, *arguments = call(row.group)
            group = getattr(groups, name)(*arguments)
            plans.append(equivariant_maps(T(*row.rep_in)(group), T(*row.rep_out)(group)))
        return plans

    def report(plans):
        right = sum(plan.dim == row.dim for plan, row in zip(plans, ROWS, strict=True))
        return {"rows": len(ROWS), "right_dim": right, "residual": max(plan.residual for plan in plans)}

    return Work(solve, forget, report)


def forget() -> None:
    """Empty every cache of the representations and of the solver; compiled functions stay."""
    for name, module in sys.modules.items():
        if name.startswith(("symjax.reps", "symjax.solver")):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def describe(plan: Any) -> dict[str, Any]:
    import jax

    held = sum(leaf.nbytes for leaf in jax.tree.leaves(plan))
    return {"dim": plan.dim, "residual": plan.residual, "method": plan.method, "held_mib": round(held / 2**20, 4)}


def make_training(facts: dict) -> Callable[[], object]:
    """Return the training step of `symjax.models.EMLP` on the moments of inertia of five masses."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    from symjax.groups import O
    from symjax.models import EMLP
    from symjax.reps import Scalar, T, V
    from symjax.training import run_once

    group = O(3)
    model, optimizer = EMLP((5 * Scalar + 5 * V)(group), T(2)(group), channels=384, layers=3), optax.adam(3e-3)
    normal = np.random.default_rng(0).standard_normal
    x, y = (jnp.asarray(normal((500, size)), jnp.float32) for size in (20, 9))

    def begin(key):
        params = model.init(key, x)
        return params, optimizer.init(params)

    state = run_once(begin, jax.random.key(0))
    facts["parameters"] = sum(leaf.size for leaf in jax.tree.leaves(state[0]))

    def loss(params):
        return jnp.mean((cast(jax.Array, model.apply(params, x)) - y) ** 2)

    @jax.jit
    def train(state):
        params, moments = state
        updates, moments = optimizer.update(jax.grad(loss)(params), moments)
        return optax.apply_updates(params, updates), moments

    def step():
        nonlocal state
        state = jax.block_until_ready(train(state))

    return step


def versus(case: Case, peer_python: str, slow: bool) -> dict[str, Any]:
    """Measure both sides of a case."""
    ours = once([sys.executable, "-m", "benchmarks.equivariant_basis", "solve", case.spec()])
    if case.peer == "runs" or (case.peer == "slow" and slow):
        peer = once([peer_python, "-m", "benchmarks.peers.emlp_basis", case.spec()])
        peer |= {"install": INSTALL} if "skipped" in peer else {}
    else:
        peer = {"skipped": "takes minutes; left out by --no-slow-peer" if case.peer == "slow" else case.peer}
    ratios = {f"{key}_ratio": _ratio(ours, peer, f"{key}_cpu_s") for key in ("cold", "warm")}
    same = ours["dim"] == peer["dim"] if "dim" in ours and "dim" in peer else None
    return {"case": case.name, "unknowns": unknowns(case), "ours": ours, "peer": peer, "same_dim": same, **ratios}


def unknowns(case: Case) -> int:
    from tests.solver.dimension_table import degree

    d = degree(f"{case.group[0]}({','.join(map(str, case.group[1:]))})")
    size_in, size_out = (sum(m * d ** (p + q) for m, p, q in rep) for rep in (case.rep_in, case.rep_out))
    return size_in * size_out


def _ratio(ours: dict, peer: dict, key: str) -> float | None:
    cpu, of_peer = ours.get(key), peer.get(key)
    return round(cpu / of_peer, 6) if cpu and of_peer else None


def show(line: dict[str, Any]) -> None:
    load, date = round(os.getloadavg()[0], 2), dt.date.today().isoformat()
    print(json.dumps(line | {"load": load, "date": date}), flush=True)


def plot(path: str, peer_python: str) -> None:
    """Draw cost and memory of T(k) -> T(k) against the number of unknowns, for three groups."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    cost, memory = figure.subplots(1, 2)
    for (group, powers), color in zip(CURVES.items(), ("C0", "C1", "C2"), strict=True):
        lines = []
        for k in powers:
            case = tensors(group, (k,), (k,))
            small = unknowns(case) <= PEER_UNKNOWNS
            lines.append(versus(case if small else case._replace(peer="left out, too slow"), peer_python, slow=True))
            show(lines[-1])
        for side, style in (("peer", {"ls": "--", "marker": "x"}), ("ours", {"marker": "o"})):
            solved = [line for line in lines if side == "ours" or line["same_dim"]]
            n = [line["unknowns"] for line in solved]
            name = f"{group.replace('O13()', 'O(1,3)')}, {'emlp' if side == 'peer' else 'symjax'}"
            warm = [line[side]["warm_cpu_s"] or line[side]["cold_cpu_s"] for line in solved]
            cost.plot(n, warm, color=color, label=name, **style)
            memory.plot(n, [line[side]["peak_mib"] for line in solved], color=color, **style)
    cost.set(ylabel="CPU seconds, warm, one core", yscale="log")
    memory.set(ylabel="peak memory of the process, MiB", ylim=(0, None))
    for axes in (cost, memory):
        axes.set(xscale="log", xlabel="unknowns: entries of a map T(k) → T(k)")
        axes.grid(alpha=0.3)
    cost.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("SYMJAX_PEER_EMLP", sys.executable)
    parser.add_argument("--peer-python", default=default, help="interpreter that has emlp")
    parser.add_argument("--slow-peer", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--plot", metavar="FILE", help="draw cost and memory against size, and nothing else")
    options = parser.parse_args()
    if options.plot:
        plot(options.plot, options.peer_python)
        return
    for case in CASES:
        if options.only in case.name:
            show(versus(case, options.peer_python, options.slow_peer))
    if options.only in TABLE:
        show({"case": TABLE, "ours": once([sys.executable, "-m", "benchmarks.equivariant_basis", "table"])})
    if options.only in TRAINING:
        ours = [sys.executable, "-m", "benchmarks.equivariant_basis", "train"]
        peer = [options.peer_python, "-m", "benchmarks.peers.emlp_training"]
        compare(TRAINING, ours, peer, install=INSTALL, rounds=2, repeats=2)


if __name__ == "__main__":
    if sys.argv[1:2] == ["solve"]:
        serve_once(lambda: make_ours(sys.argv[2]), "symjax", "jax")
    elif sys.argv[1:2] == ["table"]:
        serve_once(make_table, "symjax", "jax")
    elif sys.argv[1:2] == ["train"]:
        report: dict = {}
        serve(lambda: make_training(report), "symjax", "jax", "flax", facts=report)
    else:
        main()
