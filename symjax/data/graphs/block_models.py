"""Stochastic block models of two communities with features, and the best that neighbours k hops away allow.

Nodes are v = +1 or -1; of the n (n - 1) / 2 pairs, m = n d / 2 are joined, each within a community with a probability
proportional to a = d + s sqrt(d), and between them to b = d - s sqrt(d), so that the mean degree is d = (a + b) / 2 and
the signal s = (a - b) / sqrt(2 (a + b)). Without features nothing finds the communities of large sparse graphs unless
s > 1 (Decelle et al. 2011, arXiv:1109.3041). Features are x = mu v e + z with a unit vector e and normal noise z; what
they say of v is known, so that a sum along the tree of neighbours is Bayes' rule: k rounds of belief propagation with
the true numbers are the optimum of k hops, but for loops, which large sparse graphs hardly have.
"""

import dataclasses

import jraph
import numpy as np
from jaxtyping import Float, Int

from symjax.data.graphs.graphs import make_graphs

THRESHOLD = 1.0  # signal above which communities are found without features


@dataclasses.dataclass(frozen=True)
class BlockModel:
    """Two communities.

    Attributes:
        nodes: how many.
        degree: mean number of neighbours d.
        signal: s, from 0 (no communities) to sqrt(d) (no edge between them).
        mu: distance of the means of features from zero, of unit noise.
        channels: of the features.
    """

    nodes: int = 2000
    degree: float = 5.0
    signal: float = 1.0
    mu: float = 0.5
    channels: int = 8

    def __post_init__(self):
        if not 0 <= self.signal <= self.degree**0.5:
            raise ValueError(f"expected a signal from 0 to sqrt(degree) = {self.degree**0.5:.3g}, got {self.signal}")

    @property
    def within(self) -> float:
        """The probability that an edge joins nodes of one community."""
        return (1 + self.signal / self.degree**0.5) / 2

    def sample(self, seed: int) -> tuple[jraph.GraphsTuple, Int[np.ndarray, " n"]]:
        """Return a graph and the communities, 0 or 1, of its nodes; all graphs of a model have as many edges.

        Edges are drawn one after the other; the few that would be there twice, or lead back to where they begin, are
        drawn anew.
        """
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(self.nodes) % 2)
        sides = [np.flatnonzero(labels == side) for side in (0, 1)]
        count, pairs = round(self.nodes * self.degree / 2), np.empty((0, 2), int)
        while len(pairs) < count:
            more = 2 * (count - len(pairs)) + 10
            first = rng.integers(2, size=more)
            second = np.where(rng.random(more) < self.within, first, 1 - first)
            ends = [np.where(side, *(rng.choice(sides[k], more) for k in (1, 0))) for side in (first, second)]
            new = np.sort(np.stack(ends, axis=1), axis=1)
            every = np.concatenate([pairs, new[new[:, 0] != new[:, 1]]])
            pairs = every[np.sort(np.unique(every, axis=0, return_index=True)[1])][:count]
        features = rng.standard_normal((self.nodes, self.channels))
        features[:, 0] += self.mu * (2 * labels - 1)
        senders, receivers = np.concatenate([pairs, pairs[:, ::-1]]).T
        return make_graphs(senders, receivers, features), labels

    def propagate(self, graph: jraph.GraphsTuple, rounds: int) -> Float[np.ndarray, " n"]:
        """Return the log-odds of v = +1 after k rounds of belief propagation with the true numbers.

            l_i = h_i + sum_{j to i} f(l_{j to i}),    l_{j to i} = h_j + sum_{k to j, k != i} f(l_{k to j}),

        with h = 2 mu x.e what features say, f(l) = 2 artanh((2 w - 1) tanh(l / 2)) what a neighbour of those odds does,
        and w the probability that neighbours are alike.

        Raises:
            ValueError: some edge has no counterpart, so that there are no neighbours to speak of.
        """
        s, r, n = graph.senders, graph.receivers, graph.nodes.shape[0]
        keys, reverse = s.astype(int) * n + r, r.astype(int) * n + s
        order = np.argsort(keys)
        back = order[np.searchsorted(keys, reverse, sorter=order) % len(keys)]
        if (keys[back] != reverse).any():
            raise ValueError("expected every edge both ways; use both_ways(graph)")
        own = 2 * self.mu * np.asarray(graph.nodes)[:, 0]
        odds, from_sender = own, own[s]
        for _ in range(rounds):
            heard = 2 * np.arctanh(np.clip((2 * self.within - 1) * np.tanh(from_sender / 2), -1 + 1e-15, 1 - 1e-15))
            odds = own + np.bincount(r, heard, minlength=n)
            from_sender = odds[s] - heard[back]
        return odds
