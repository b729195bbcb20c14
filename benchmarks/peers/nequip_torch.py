"""NequIP of `nequip` (torch, eager): a training or inference step on the structures of a file."""

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.timing import serve


def make(
    path: str, work: str, size: dict, facts: dict, make_model: Callable[..., Any] | None = None
) -> Callable[[], object]:
    """Return the step: energies and forces, for training also the gradient of their mean squared errors and Adam.

    The model is a NequIP unless another one is made of a size and of what all models of `nequip` take.
    """
    import ase.io
    import torch
    from nequip.data import AtomicDataDict, compute_neighborlist_, from_ase
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper
    from nequip.utils.global_state import set_global_state

    set_global_state()
    torch.set_num_threads(1)
    frames = list(ase.io.iread(path))
    symbols = sorted({symbol for atoms in frames for symbol in atoms.symbols})
    mapper = ChemicalSpeciesToAtomTypeMapper(symbols)
    structures = [mapper(compute_neighborlist_(from_ase(atoms), 5.0)) for atoms in frames]
    batch = AtomicDataDict.batched_from_list(structures)
    nodes, edges = len(batch[AtomicDataDict.POSITIONS_KEY]), batch[AtomicDataDict.EDGE_INDEX_KEY].shape[1]
    energies, forces = batch.pop("total_energy"), batch.pop("forces")

    common = {"seed": 0, "model_dtype": "float32", "r_max": 5.0, "type_names": symbols}
    model = (make_model or make_nequip)(size, **common, avg_num_neighbors=edges / nodes)
    count = sum(parameter.numel() for parameter in model.parameters())
    facts |= {"parameters": count, "atoms": nodes, "edges": edges}
    if work == "inference":
        model.eval()
        return lambda: model(dict(batch))["forces"].detach()

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def step():
        optimizer.zero_grad()
        predicted = model(dict(batch))
        errors = predicted["total_energy"] - energies, predicted["forces"] - forces
        (errors[0].square().mean() + errors[1].square().mean()).backward()
        optimizer.step()

    return step


def make_nequip(size: dict, **common: Any) -> Any:
    """Return the model of a size."""
    from nequip.model import NequIPGNNModel

    return NequIPGNNModel(
        **common,
        num_layers=size["layers"],
        l_max=size["lmax"],
        parity=False,
        num_features=size["channels"],
        num_bessels=8,
        radial_mlp_depth=2,
        radial_mlp_width=64,
    )


if __name__ == "__main__":
    report: dict = {"optimizer": "Adam"}
    serve(
        lambda: make(sys.argv[1], sys.argv[2], json.loads(sys.argv[4]), report), "nequip", "torch", "e3nn", facts=report
    )
