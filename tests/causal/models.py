"""Random graphs and random discrete models on them, whose effects are computed by setting things by hand."""

import itertools

import numpy as np

from symjax.causal.graphs import ADMG
from symjax.causal.identify import Joint


def random_admg(rng: np.random.Generator, size: int, arrows: float = 0.5, doubles: float = 0.25) -> ADMG:
    """Draw a graph in a random order."""
    names = [f"V{k}" for k in rng.permutation(size)]
    pairs = list(itertools.combinations(names, 2))
    directed = [pair for pair in pairs if rng.random() < arrows]
    return ADMG.of(directed, [pair for pair in pairs if rng.random() < doubles], names)


class Model:
    """Two values a node, two a hidden cause, and random probabilities of each node given its causes."""

    def __init__(self, graph: ADMG, rng: np.random.Generator):
        self.nodes, self.hidden = graph.nodes, [f"{a}<->{b}" for a, b in sorted(graph.bidirected)]
        self.chances = {name: rng.dirichlet([2.0, 2.0]) for name in self.hidden}
        self.causes = {
            v: (
                *sorted(graph.parents(v)),
                *(u for u, e in zip(self.hidden, sorted(graph.bidirected), strict=True) if v in e),
            )
            for v in graph.nodes
        }
        self.tables = {v: rng.dirichlet([1.0, 1.0], size=[2] * len(self.causes[v])) for v in graph.nodes}

    def joint(self, done: frozenset[str] = frozenset()) -> Joint:
        """Return P(v | do(x)) over all nodes, the axes of x being the values that are set."""
        axes = (*self.nodes, *self.hidden)
        value = np.ones([2] * len(axes))
        for u in self.hidden:
            value = value * Joint((u,), self.chances[u]).along(axes)
        for v in self.nodes:
            if v not in done:
                value = value * Joint((*self.causes[v], v), self.tables[v]).along(axes)
        return Joint(axes, value).marginal(self.nodes)

    def effect(self, x: frozenset[str], y: frozenset[str], given: frozenset[str] = frozenset()) -> Joint:
        """Return P(y | do(x), given)."""
        both = self.joint(x).marginal(x | y | given)
        below = both.marginal(x | given)
        return Joint(both.axes, both.values / below.along(both.axes))
