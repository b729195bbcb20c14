"""The other side of `benchmarks.sevennet`: SevenNet-0 in its authors' code, on a graph made before."""

import sys
from collections.abc import Callable

from benchmarks.timing import serve


def make_step(path: str, facts: dict) -> Callable[[], object]:
    """Return the step: the model as its calculator calls it, without making the graph."""
    import ase.io
    import torch
    from sevenn.atom_graph_data import AtomGraphData
    from sevenn.calculator import SevenNetCalculator
    from sevenn.train.dataload import unlabeled_atoms_to_graph

    torch.set_num_threads(1)
    calculator = SevenNetCalculator("7net-0", device="cpu")
    atoms = ase.io.read(path)
    graph = unlabeled_atoms_to_graph(atoms, calculator.cutoff, with_shift=False)
    data = AtomGraphData.from_numpy_dict(graph)

    def step() -> object:
        return calculator.model(data.clone())["inferred_force"].detach()

    energy = float(calculator.model(data.clone())["inferred_total_energy"].detach())
    facts |= {"atoms": len(atoms), "edges": int(data.edge_index.shape[1]), "energy": energy}
    return step


if __name__ == "__main__":
    report: dict = {}
    serve(lambda: make_step(sys.argv[1], report), "sevenn", "torch", "e3nn", facts=report)
