"""SchNet and DimeNet++ of `torch-geometric`, and PaiNN's equations in plain torch, eager, on the structures of a file.

Lists of neighbours and of triplets are made before and given to the layers, which else ask `torch-cluster` and
`torch-sparse` for them at each step.
"""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.timing import serve

CUTOFF = 5.0


def make(path: str, work: str, name: str, size: dict, facts: dict) -> Callable[[], object]:
    """Return the step: energies and forces, for training also the gradient of their mean squared errors and Adam."""
    import ase.io
    import ase.neighborlist
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    frames = list(ase.io.iread(path))
    sizes = [len(atoms) for atoms in frames]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    found = [ase.neighborlist.neighbor_list("ij", atoms, CUTOFF) for atoms in frames]
    ends = [torch.tensor(pair) + start for pair, start in zip(map(list, found), starts, strict=True)]
    receivers, senders = torch.cat(ends, dim=1)
    z = torch.cat([torch.tensor(atoms.numbers) for atoms in frames])
    owner = torch.repeat_interleave(torch.arange(len(frames)), torch.tensor(sizes))
    positions = torch.cat([torch.tensor(atoms.positions, dtype=torch.float32) for atoms in frames])
    energies = torch.tensor([atoms.get_potential_energy() for atoms in frames], dtype=torch.float32)
    forces = torch.cat([torch.tensor(atoms.get_forces(), dtype=torch.float32) for atoms in frames])
    model, energy = MODELS[name](size, senders, receivers)
    facts |= {"parameters": sum(p.numel() for p in model.parameters()), "atoms": len(z), "edges": len(senders)}

    def predict(differentiable: bool) -> tuple[Any, Any]:
        x = positions.clone().requires_grad_()
        total = energy(z, x, owner)
        return total, -torch.autograd.grad(total.sum(), x, create_graph=differentiable)[0]

    if work == "inference":
        return lambda: predict(differentiable=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        total, slopes = predict(differentiable=True)
        ((total - energies).square().mean() + (slopes - forces).square().mean()).backward()
        optimizer.step()

    return step


def schnet(size: dict, senders: Any, receivers: Any) -> tuple[Any, Callable]:
    """Return the model and its energies; distances are those of the given edges."""
    import torch
    from torch_geometric.nn.models import SchNet

    def distances(x: Any, owner: Any) -> tuple[Any, Any]:
        return torch.stack([senders, receivers]), (x[senders] - x[receivers]).norm(dim=-1)

    model = SchNet(
        size["channels"],
        size["filters"],
        size["layers"],
        size["radial_basis"],
        CUTOFF,
        interaction_graph=distances,
    )
    return model, lambda z, x, owner: model(z, x, owner)[:, 0]


def dimenet(size: dict, senders: Any, receivers: Any) -> tuple[Any, Callable]:
    """Return the model and its energies, layer by layer as its own `forward`, with all k -> j -> i but k = i."""
    import torch
    from torch_geometric.nn.models import DimeNetPlusPlus
    from torch_geometric.utils import scatter

    model = DimeNetPlusPlus(
        hidden_channels=size["channels"],
        out_channels=1,
        num_blocks=size["layers"],
        int_emb_size=size["triplet_channels"],
        basis_emb_size=size["basis_channels"],
        out_emb_channels=size["output_channels"],
        num_spherical=size["spherical_basis"],
        num_radial=size["radial_basis"],
        cutoff=CUTOFF,
        num_before_skip=size["before"],
        num_after_skip=size["after"],
        num_output_layers=size["output_layers"],
        output_initializer="glorot_orthogonal",
    )
    meet = (receivers[:, None] == senders[None]) & (senders[:, None] != receivers[None])
    first, second = meet.nonzero(as_tuple=True)  # edges k -> j and j -> i

    def energy(z: Any, x: Any, owner: Any) -> Any:
        vectors = x[receivers] - x[senders]
        lengths = vectors.square().sum(dim=-1).sqrt()
        came, goes = vectors[first], vectors[second]
        angles = torch.atan2(torch.cross(goes, came, dim=1).norm(dim=-1), (goes * came).sum(dim=-1))
        radial, spherical = model.rbf(lengths), model.sbf(lengths, angles, first)
        messages = model.emb(z, radial, receivers, senders)
        total = model.output_blocks[0](messages, radial, receivers, num_nodes=len(z))
        for interact, read in zip(model.interaction_blocks, model.output_blocks[1:], strict=True):
            messages = interact(messages, radial, spherical, first, second)
            total = total + read(messages, radial, receivers, num_nodes=len(z))
        return scatter(total, owner, dim=0, reduce="sum")[:, 0]

    return model, energy


def painn(size: dict, senders: Any, receivers: Any) -> tuple[Any, Callable]:
    """Return Schütt et al. 2021, eqs. 7 to 10, with the sizes of its own code, and its energies."""
    import torch
    from torch import nn

    width, count, layers = size["channels"], size["radial_basis"], size["layers"]

    def perceptron(inputs: int, outputs: int) -> Any:
        return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, outputs))

    blocks = [
        nn.ModuleDict(
            {
                "send": perceptron(width, 3 * width),
                "weigh": nn.Linear(count, 3 * width),
                "mix": nn.Linear(width, 2 * width, bias=False),
                "gate": perceptron(2 * width, 3 * width),
            }
        )
        for _ in range(layers)
    ]
    readout = nn.Sequential(nn.Linear(width, width // 2), nn.SiLU(), nn.Linear(width // 2, 1))
    model: Any = nn.ModuleDict({"embed": nn.Embedding(100, width), "blocks": nn.ModuleList(blocks), "readout": readout})
    waves = torch.arange(1, count + 1) * math.pi / CUTOFF

    def energy(z: Any, x: Any, owner: Any) -> Any:
        vectors = x[senders] - x[receivers]
        lengths = vectors.norm(dim=-1, keepdim=True)
        directions = (vectors / lengths)[:, :, None]
        radial, envelope = (waves * lengths).sin() / lengths, ((lengths * math.pi / CUTOFF).cos() + 1) / 2
        s, v = model["embed"](z), x.new_zeros(len(z), 3, width)
        for block in model["blocks"]:
            a, b, c = (block["send"](s)[senders] * block["weigh"](radial) * envelope).chunk(3, dim=-1)
            moved = v[senders] * b[:, None] + directions * c[:, None]
            s, v = s.index_add(0, receivers, a), v.index_add(0, receivers, moved)
            u, w = block["mix"](v).chunk(2, dim=-1)
            p, q, r = block["gate"](torch.cat([s, (w.square().sum(dim=1) + 1e-8).sqrt()], dim=-1)).chunk(3, dim=-1)
            s, v = s + q + r * (u * w).sum(dim=1), v + p[:, None] * u
        return x.new_zeros(int(owner[-1]) + 1).index_add(0, owner, model["readout"](s)[:, 0])

    return model, energy


MODELS = {"dimenet++": dimenet, "painn": painn, "schnet": schnet}

if __name__ == "__main__":
    path, work, name, size = sys.argv[1:]
    packages = ("torch",) if name == "painn" else ("torch", "torch-geometric")
    report: dict = {"optimizer": "Adam"}
    serve(lambda: make(path, work, name, json.loads(size), report), *packages, facts=report)
