"""Make the ethanol data set that ships with symjax: GFN2-xTB dynamics at 500 K, PBE/def2-SVP energies and forces.

    pip install '.[labels]'
    python -m experiments.ethanol_labels --out symjax/data/ethanol.npz

The level of theory is that of revised MD17 (Christensen & von Lilienfeld 2020, arXiv:2007.09593), with density fitting.
600 frames take about 85 CPU-minutes on one core; finished labels are kept beside the output and not computed again.
"""

import dataclasses
import pathlib

import ase.data
import numpy as np
import tyro
from ase import units
from ase.build import molecule
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta
from pyscf import dft, gto
from tblite.ase import TBLite

GROUND_STATE_SPIN = {1: 1, 6: 2, 8: 2}  # unpaired electrons of the isolated atom


@dataclasses.dataclass(frozen=True)
class Config:
    """Sampling and output of the label run."""

    out: pathlib.Path = pathlib.Path("symjax/data/ethanol.npz")
    frames: int = 600
    temperature: float = 500.0  # K
    spacing: int = 100  # steps of 0.5 fs between two kept frames
    equilibration: int = 4000  # steps of 0.5 fs
    seed: int = 0


def sample_geometries(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Return atomic numbers [n] and positions [frames, n, 3] in Å of a GFN2-xTB Langevin trajectory."""
    rng = np.random.default_rng(config.seed)
    atoms = molecule("CH3CH2OH")
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    thermalize_momenta(atoms, temperature_K=config.temperature, rng=rng)
    bath = {"temperature_K": config.temperature, "friction": 0.02 / units.fs}
    dynamics = Langevin(atoms, 0.5 * units.fs, fixcm=False, rng=rng, **bath)
    dynamics.run(config.equilibration)
    frames = []
    for _ in range(config.frames):
        dynamics.run(config.spacing)
        frames.append(atoms.positions - atoms.get_center_of_mass())
    return atoms.numbers, np.asarray(frames, np.float32)


def pbe(numbers: np.ndarray, positions: np.ndarray, spin: int = 0) -> dft.rks.RKS:
    """Return a converged PBE/def2-SVP calculation with density fitting, or raise."""
    geometry = [(ase.data.chemical_symbols[z], x) for z, x in zip(numbers, positions.astype(float), strict=True)]
    mol = gto.M(atom=geometry, basis="def2-svp", spin=spin, verbose=0)
    mean_field = (dft.UKS if spin else dft.RKS)(mol, xc="pbe").density_fit()
    mean_field.conv_tol = 1e-9
    mean_field.kernel()
    if not mean_field.converged:
        raise RuntimeError(f"the energy of {mol.elements} did not converge; change the geometry or the seed")
    return mean_field


def label(numbers: np.ndarray, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the energy in eV and the forces [n, 3] in eV/Å."""
    mean_field = pbe(numbers, positions)
    gradient = mean_field.nuc_grad_method()
    gradient.grid_response = True
    return mean_field.e_tot * units.Hartree, -gradient.kernel() * units.Hartree / units.Bohr


def main(config: Config) -> None:
    """Sample, label frame by frame, and write the file."""
    partial = config.out.with_suffix(".partial.npz")
    if partial.exists():
        done = dict(np.load(partial, allow_pickle=False))
        numbers, positions = done["z"], done["R"]
        energies, forces = list(done["E"]), list(done["F"])
    else:
        numbers, positions = sample_geometries(config)
        energies, forces = [], []
    for i in range(len(energies), len(positions)):
        energy, force = label(numbers, positions[i])
        energies.append(energy)
        forces.append(force.astype(np.float32))
        np.savez(partial, z=numbers, R=positions, E=np.asarray(energies), F=np.asarray(forces))
        print(f"{i + 1}/{len(positions)}  {energy:.6f} eV  largest force {np.abs(force).max():.2f} eV/Å", flush=True)
    isolated = np.unique(numbers)
    e0 = [pbe(np.array([z]), np.zeros((1, 3)), GROUND_STATE_SPIN[z]).e_tot * units.Hartree for z in isolated]
    np.savez_compressed(
        config.out,
        z=numbers.astype(np.uint8),
        R=positions,
        E=np.asarray(energies),
        F=np.asarray(forces),
        isolated_z=isolated.astype(np.uint8),
        isolated_E=np.asarray(e0),
        units=np.array("eV, eV/Å; PBE/def2-SVP density fitting; GFN2-xTB Langevin dynamics at 500 K"),
    )
    partial.unlink()


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
