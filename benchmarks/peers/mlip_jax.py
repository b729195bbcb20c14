"""NequIP, MACE and eSEN of `mlip` (JAX): a training or inference step on the structures of a file."""

import json
import sys
from collections.abc import Callable

from benchmarks.timing import serve


def make(path: str, work: str, name: str, size: dict, facts: dict) -> Callable[[], object]:
    """Return the step, made as the package's own training loop and inference make it."""
    import ase.io
    import jax
    from mlip.data import DatasetInfo
    from mlip.data.chemical_system import ChemicalSystem
    from mlip.graph import Graph
    from mlip.graph.batching_helpers import batch_graphs, pad_with_graphs
    from mlip.models import Esen, ForceField, Mace, Nequip
    from mlip.models.loss import MSELoss
    from mlip.training.ema import exponentially_moving_average
    from mlip.training.optimizer import get_default_mlip_optimizer
    from mlip.training.training_state import init_training_state
    from mlip.training.training_step import make_train_step

    frames = list(ase.io.iread(path))
    graphs = [
        Graph.from_chemical_system(
            ChemicalSystem(
                atomic_numbers=atoms.numbers,
                positions=atoms.positions,
                energy=atoms.get_potential_energy(),
                forces=atoms.get_forces(),
            ),
            5.0,
        )
        for atoms in frames
    ]
    nodes, edges = (sum(int(getattr(graph, name).sum()) for graph in graphs) for name in ("n_node", "n_edge"))
    batch = jax.device_put(pad_with_graphs(batch_graphs(graphs), nodes + 1, edges + 1, len(graphs) + 1))

    species = {int(number): 0.0 for atoms in frames for number in atoms.numbers}
    info = DatasetInfo(atomic_energies_map=species, graph_cutoff_angstrom=5.0, avg_num_neighbors=edges / nodes)
    irreps = " + ".join(f"{size['channels']}x{degree}{'eo'[degree % 2]}" for degree in range(size["lmax"] + 1))
    common = {"num_layers": size["layers"], "l_max": size["lmax"], "num_rbf": 8}
    if name == "mace":
        network = Mace(Mace.Config(num_channels=size["channels"], node_symmetry=1, correlation=3, **common), info)
    elif name == "esen":
        widths = dict.fromkeys(("sphere_channels", "hidden_channels", "edge_channels"), size["channels"])
        network = Esen(Esen.Config(**common | {"m_max": 2, "num_rbf": 64} | widths), info)
    else:
        network = Nequip(Nequip.Config(target_irreps=irreps, radial_mlp_hidden=[64, 64], **common), info)
    model = ForceField.from_mlip_network(network, seed=0)
    count = sum(leaf.size for leaf in jax.tree.leaves(model.params))
    facts |= {"parameters": count, "atoms": nodes, "edges": edges}

    if work == "inference":
        predict = jax.jit(model.predictor.apply)

        def infer():
            prediction = predict(model.params, batch).to_prediction()
            return jax.block_until_ready((prediction.energy, prediction.forces))

        return infer

    optimizer, average = get_default_mlip_optimizer(), exponentially_moving_average()
    state = init_training_state(model.params, optimizer, average)
    train = make_train_step(model.predictor, MSELoss(), optimizer, average, len(graphs))
    train = train.lower(state, batch, 0).compile()
    facts["temporary_mib"] = round(train.memory_analysis().temp_size_in_bytes / 2**20, 1)

    def step():
        nonlocal state
        state, _ = jax.block_until_ready(train(state, batch, 0))

    return step


if __name__ == "__main__":
    report: dict = {"optimizer": "AMSGrad, clipping, EMA"}
    path, work, name, size = sys.argv[1:]
    serve(lambda: make(path, work, name, json.loads(size), report), "mlip", "jax", facts=report)
