"""Adjustment sets of random graphs, two edges a node, beside DoWhy's; implied independencies and formulas alone.

    python -m venv ~/peers/causal && ~/peers/causal/bin/pip install dowhy==0.14
    python -m benchmarks.causal.identify --peer-python ~/peers/causal/bin/python

Each side is a fresh process on one core, one after the other; the graphs are those of both. Ours finds one minimal set
and the asymptotically best one; DoWhy its efficient minimal one, stopped after 60 seconds of wall time. "implied": all
independencies of the graph, one a pair. "cases": verdicts and formulas of a file of cases, `--cases FILE`.

CPU seconds on a guest with two cores of an AMD EPYC at a load of 10, 2026-11-29: of 10 nodes DoWhy .18, ours .002; of
20 and 30 DoWhy found none in 60 s of wall time (10 and 14 of CPU), ours .002 and .003; of 200 ours .011. All implied
independencies of 200 nodes .18, 27 cases .012.
"""

import json
import os
import pathlib
import sys
from typing import Any

from benchmarks.causal.script import run
from benchmarks.peers.dowhy_identify import ask, make_edges
from benchmarks.timing import Work, once

PEER_SIZES, SIZES = (10, 20, 30), (10, 20, 30, 200)


def make_ours(work: str, given: str) -> Work:
    """Return the work of our side: of a size, or of a file."""
    from symjax.causal.graphs import ADMG, implied_independencies
    from symjax.causal.identify import identify, minimal_adjustment, optimal_adjustment

    if work == "cases":
        cases = json.loads(pathlib.Path(given).read_text())["cases"]

        def solve() -> Any:
            graphs = [ADMG.of(case["directed"], case["bidirected"], case["nodes"]) for case in cases]
            return [
                identify(graph, case["treatment"], case["outcome"], case["given"]).estimand is not None
                for graph, case in zip(graphs, cases, strict=True)
            ]

        right = [case["identifiable"] for case in cases]
        return Work(solve, lambda: None, lambda r: {"cases": len(r), "verdicts_right": r == right})
    nodes = int(given)
    edges, (treatment, outcome) = make_edges(nodes), ask(nodes)
    if work == "implied":
        return Work(
            lambda: implied_independencies(ADMG.of(edges)), lambda: None, lambda r: {"nodes": nodes, "found": len(r)}
        )

    def sets() -> Any:
        graph = ADMG.of(edges)
        return minimal_adjustment(graph, [treatment], [outcome]), optimal_adjustment(graph, treatment, outcome)

    return Work(sets, lambda: None, lambda r: {"nodes": nodes, "minimal": sorted(r[0]), "optimal": sorted(r[1])})


def rows(peer_python: str, cases: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each size, ours alone where the peer has no chance, and the two works without a peer."""
    found, own = [], [sys.executable, "-m", "benchmarks.causal.identify", "--serve"]
    for nodes in SIZES:
        row: dict[str, Any] = {"case": f"adjustment set, {nodes} nodes", "ours": once([*own, "adjust", str(nodes)])}
        if nodes in PEER_SIZES:
            row["peer"] = once([peer_python, "-m", "benchmarks.peers.dowhy_identify", str(nodes)])
        found.append(row | {"load": os.getloadavg()[0]})
    found.append({"case": "implied independencies, 200 nodes", "ours": once([*own, "implied", "200"])})
    if cases is not None:
        found.append({"case": "identification cases", "ours": once([*own, "cases", cases])})
    return found


if __name__ == "__main__":
    run(__doc__, "DoWhy", rows, make_ours, "networkx", cases="a file of identification cases")
