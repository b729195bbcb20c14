"""DoWhy's adjustment sets; the recipe for its environment is in `benchmarks.causal.identify`."""

import random
import signal
import sys
from typing import Any

from benchmarks.timing import Work, serve_once

LIMIT = 60  # wall seconds
EDGES = 2  # a node


def make_edges(nodes: int) -> list[tuple[str, str]]:
    """Return the edges of a random directed graph in the order of names, that from treatment to outcome among them."""
    rng, names = random.Random(0), [f"V{k}" for k in range(nodes)]
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    return sorted({*rng.sample(pairs, EDGES * nodes), ask(nodes)})


def ask(nodes: int) -> tuple[str, str]:
    """Return a treatment in the middle of the order, and the last node."""
    return f"V{nodes // 2}", f"V{nodes - 1}"


def make(nodes: int) -> Work:
    """Return the work: an efficient minimal adjustment set, or none within the limit."""
    import networkx as nx
    from dowhy.causal_identifier import BackdoorAdjustment, EstimandType, identify_effect_auto

    graph = nx.DiGraph(make_edges(nodes))
    treatment, outcome = ask(nodes)

    def solve() -> Any:
        signal.signal(signal.SIGALRM, _stop)
        signal.alarm(LIMIT)
        try:
            found = identify_effect_auto(
                graph,
                [treatment],
                [outcome],
                list(graph),
                EstimandType.NONPARAMETRIC_ATE,
                backdoor_adjustment=BackdoorAdjustment.BACKDOOR_MIN_EFFICIENT,
            )
            return sorted(found.get_backdoor_variables() or [])
        except TimeoutError:
            return None
        finally:
            signal.alarm(0)

    return Work(
        solve,
        lambda: None,
        lambda r: {"nodes": nodes, "set": r, "within_limit": r is not None},
    )


def _stop(*_: Any) -> None:
    raise TimeoutError


if __name__ == "__main__":
    serve_once(lambda: make(int(sys.argv[1])), "dowhy", "networkx")
