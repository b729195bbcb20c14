"""Molecular dynamics of `mlip` (JAX): steps of its engine on JAX-MD with its NequIP."""

import sys
from collections.abc import Callable
from typing import Any

from benchmarks.timing import serve


def make(path: str, steps: int, facts: dict) -> Callable[[], object]:
    """Return a block of steps, made as the package's own documentation makes it."""
    import ase.io
    import jax
    import numpy as np
    from mlip.data import DatasetInfo
    from mlip.models import ForceField, Nequip
    from mlip.simulation.enums import MDIntegrator
    from mlip.simulation.jax_md import JaxMDSimulationEngine

    atoms: Any = ase.io.read(path)
    info = DatasetInfo(
        atomic_energies_map={int(number): 0.0 for number in set(atoms.numbers)},
        graph_cutoff_angstrom=5.0,
        avg_num_neighbors=30.0,
    )
    config = Nequip.Config(
        num_layers=2, target_irreps="32x0e + 32x1o + 32x2e", l_max=2, num_rbf=8, radial_mlp_hidden=[64, 64]
    )
    model = ForceField.from_mlip_network(Nequip(config, info), seed=0)
    periodic = {"box": np.diag(atoms.cell.array).tolist()} if atoms.pbc.all() else {}
    engine = JaxMDSimulationEngine(
        atoms,
        model,
        JaxMDSimulationEngine.Config(
            num_steps=steps,
            num_episodes=1,
            snapshot_interval=steps,
            timestep_fs=0.5,
            md_integrator=next(kind for kind in MDIntegrator if "nve" in kind.value),
            temperature_kelvin=300.0,
            **periodic,
        ),
    )
    facts |= {"atoms": len(atoms), "parameters": sum(leaf.size for leaf in jax.tree.leaves(model.params))}

    def block() -> None:
        engine.run()
        jax.block_until_ready(engine._internal_state)

    return block


if __name__ == "__main__":
    report: dict = {}
    path, steps = sys.argv[1:]
    serve(lambda: make(path, int(steps), report), "mlip", "jax", facts=report)
