"""Graph networks of PyTorch Geometric, training step (eager, one thread)."""

import sys
from collections.abc import Callable
from typing import Any

from benchmarks import graphs
from benchmarks.timing import serve


def make(layer: str, data: str) -> Callable[[], object]:
    """Return a training step with Adam."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, loss = molecules(layer) if data == "molecules" else citations(layer)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def citations(layer: str) -> tuple[Any, Callable[[], Any]]:
    """Return two layers with the dropout of their paper; features are dense, as Geometric's data sets have them."""
    import torch
    from torch import nn
    from torch_geometric.nn import GATConv, GCNConv

    arrays = graphs.citations()
    edges, labels = torch.tensor(arrays["edges"]), torch.tensor(arrays["labels"][: graphs.LABELLED])
    x = torch.zeros(graphs.NODES, graphs.FEATURES)
    x[tuple(torch.tensor(arrays["places"]).T)] = 1
    if layer == "gat":
        rate, act = 0.6, nn.functional.elu
        layers = (
            GATConv(graphs.FEATURES, 8, heads=8, dropout=0.6),
            GATConv(64, graphs.CLASSES, heads=1, concat=False, dropout=0.6),
        )
    else:
        rate, act, layers = 0.5, nn.functional.relu, (GCNConv(graphs.FEATURES, 16), GCNConv(16, graphs.CLASSES))
    model = nn.ModuleList(layers)

    def loss() -> Any:
        h = act(layers[0](nn.functional.dropout(x, rate), edges))
        h = layers[1](nn.functional.dropout(h, rate), edges)
        return nn.functional.cross_entropy(h[: graphs.LABELLED], labels)

    return model, loss


def molecules(layer: str) -> tuple[Any, Callable[[], Any]]:
    """Return three layers and a linear map of the sum over each molecule."""
    import torch
    from torch import nn
    from torch_geometric.nn import GINConv, NNConv, SAGEConv, global_add_pool

    arrays = graphs.molecules()
    edges, x, bonds, targets = (torch.tensor(arrays[name]) for name in ("edges", "features", "bonds", "targets"))
    owner = torch.arange(graphs.MOLECULES).repeat_interleave(graphs.ATOMS)

    def conv(inputs: int, width: int) -> Any:
        if layer == "gin":
            return GINConv(nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width)))
        if layer == "sage":
            return SAGEConv(inputs, width)
        net = nn.Sequential(nn.Linear(graphs.BOND_FEATURES, 32), nn.ReLU(), nn.Linear(32, inputs * width))
        return NNConv(inputs, width, net, aggr="add")

    width = 16 if layer == "mpnn" else 64
    layers = [conv(graphs.ELEMENTS, width), conv(width, width), conv(width, width)]
    model = nn.ModuleList([*layers, nn.Linear(width, 1)])

    def loss() -> Any:
        h = x
        for each in layers:
            h = torch.relu(each(h, edges, bonds) if layer == "mpnn" else each(h, edges))
        return nn.functional.mse_loss(model[-1](global_add_pool(h, owner)), targets)

    return model, loss


if __name__ == "__main__":
    serve(lambda: make(*sys.argv[1:]), "torch", "torch-geometric")
