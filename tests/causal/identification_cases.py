"""Cases of identification, as files hold them: a graph, a question, the verdict, sets, and a model with its effect."""

from typing import Any

import numpy as np

from symjax.causal.graphs import ADMG
from symjax.causal.identify import (
    Identification,
    Joint,
    identify,
    instruments,
    minimal_adjustments,
    minimal_frontdoors,
    why_no_adjustment,
)


def check_case(case: dict[str, Any]) -> tuple[bool, float, str]:
    """Return whether everything that a case says holds, the error of the effect, and what does not hold."""
    graph = ADMG.of(case["directed"], case["bidirected"], case["nodes"])
    x, y, given = case["treatment"], case["outcome"], case.get("given", [])
    found = identify(graph, x, y, given)
    wrong = [] if (found.estimand is not None) == case["identifiable"] else ["verdict"]
    if found.hedge is not None and not is_hedge(graph, frozenset(x), frozenset([*y, *given]), found):
        wrong.append("hedge")
    error = effect_error(found, case["example"]) if found.estimand is not None and case.get("example") else 0.0
    wrong += [f"error {error:.1e}"] if error > 1e-10 else []
    wrong += [name for name, told, expected in _sets(case, graph, x, y) if told != expected]
    invalid = [z for z in case.get("backdoor_invalid", []) if z not in case.get("adjustment_valid_not_backdoor", [])]
    wrong += [f"{z} taken for valid" for z in invalid if why_no_adjustment(graph, x, y, z) is None]
    valid = [*case.get("backdoor_valid_nonminimal", []), *case.get("adjustment_valid_not_backdoor", [])]
    wrong += [f"{z} refused" for z in valid if why_no_adjustment(graph, x, y, z)]
    return not wrong, error, ", ".join(wrong) or str(found.estimand or found.hedge)


def effect_error(found: Identification, example: dict[str, Any]) -> float:
    """Return the largest error of a formula on a joint table whose effect is known."""
    assert found.estimand is not None
    value = found.estimand.evaluate(Joint(tuple(example["axes"]), np.array(example["joint"])))
    effect = Joint(tuple(example["effect_axes"]), np.array(example["effect"]))
    axes = tuple(dict.fromkeys([*effect.axes, *value.axes]))
    return float(np.abs(value.along(axes) - effect.along(axes)).max())


def is_hedge(graph: ADMG, x: frozenset[str], y: frozenset[str], found: Identification) -> bool:
    """Return whether two sets are what the definition asks for (Shpitser and Pearl 2006, definition 6)."""
    assert found.hedge is not None
    forest, inner = (graph.subgraph(part) for part in found.hedge)
    roots = {v for v in inner.nodes if not inner.children(v)}
    return (
        len(forest.districts()) == len(inner.districts()) == 1
        and set(inner.nodes) < set(forest.nodes)
        and forest.ancestors(*roots) == set(forest.nodes)
        and inner.ancestors(*roots) == set(inner.nodes)
        and bool(x & set(forest.nodes))
        and not x & set(inner.nodes)
        and roots <= graph.cut(into=x).ancestors(*y)
    )


def _sets(case: dict[str, Any], graph: ADMG, x: list[str], y: list[str]):
    def as_sets(name: str) -> set[frozenset[str]]:
        return {frozenset(members) for members in case[name]}

    if "adjustment_minimal" in case:
        yield "adjustment sets", set(minimal_adjustments(graph, x, y)), as_sets("adjustment_minimal")
    if len(x) != 1 or len(y) != 1:
        return
    if "backdoor_minimal" in case:
        told = set(minimal_adjustments(graph, x, y, criterion="backdoor"))
        yield "back-door sets", told, as_sets("backdoor_minimal")
    if "frontdoor_minimal" in case:
        yield "front-door sets", set(minimal_frontdoors(graph, x[0], y[0])), as_sets("frontdoor_minimal")
    if "instruments" in case:
        pairs = {(name, frozenset(given)) for name, given in case.get("conditional_instruments_minimal", [])}
        pairs |= {(name, frozenset()) for name in case["instruments"]}
        yield "instruments", {tuple(found) for found in instruments(graph, x[0], y[0])}, pairs
