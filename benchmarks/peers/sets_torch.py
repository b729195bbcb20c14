"""A perceptron averaged over all permutations of a set, in torch: one permutation at a time, or by an index table."""

import itertools
import math
import sys
from collections.abc import Callable

from benchmarks.timing import serve

TABLE = 240  # permutations at a time


def make(members: int, work: str, how: str) -> Callable[[], object]:
    """Return a training step (binary cross entropy and Adam) or a forward pass of a batch of 32 sets of 5 channels."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, labels = torch.randn(32, members, 5), (torch.rand(32, 1) > 0.5).float()
    layers = torch.nn.Linear(5 * members, 50), torch.nn.Linear(50, 50), torch.nn.Linear(50, 1)
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    table = torch.tensor(list(itertools.permutations(range(members))))

    def logits():
        if how == "table":
            total = sum(model(x[:, rows].flatten(2)).sum(1) for rows in table.split(TABLE))
        else:
            total = sum(model(x[:, row].flatten(1)) for row in table)
        return total / math.factorial(members)

    def forward():
        with torch.no_grad():
            return logits()

    def train():
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(logits(), labels).backward()
        optimizer.step()

    return train if work == "training" else forward


if __name__ == "__main__":
    serve(lambda: make(int(sys.argv[1]), *sys.argv[2:]), "torch")
