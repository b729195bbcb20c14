"""Phonons of a crystal: exact force constants, bands, densities of states and heat by phonopy."""

import csv
import pathlib
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import ase
import numpy as np
from jaxtyping import Float

from symjax.potentials.motion.dispersion import dispersion_hessian
from symjax.potentials.motion.hessian import hessian_of
from symjax.potentials.potential import Potential
from symjax.training import write_picture

TEMPERATURES = np.arange(0.0, 1001.0, 50.0)  # K
HEADER = ("temperature_K", "free_energy_kJ_per_mol", "entropy_J_per_mol_K", "heat_capacity_J_per_mol_K")


class Phonons(NamedTuple):
    """The phonons of a primitive cell; frequencies in THz, negative where they are imaginary.

    Attributes:
        distances: along the path through the Brillouin zone, in 1/Å.
        bands: frequencies along the path.
        marks: distances and names of its special points.
        density: frequencies and the density of states there, in 1/THz and primitive cell.
        heat: rows of temperature in K, free energy in kJ/mol, entropy and heat capacity in J/mol/K, of mol cells.
        gamma: the frequencies at Gamma.
        lowest: the smallest frequency on the mesh and the path.
    """

    distances: Float[np.ndarray, " q"]
    bands: Float[np.ndarray, "q b"]
    marks: tuple[tuple[float, str], ...]
    density: tuple[Float[np.ndarray, " w"], Float[np.ndarray, " w"]]
    heat: Float[np.ndarray, "t 4"]
    gamma: Float[np.ndarray, " b"]
    lowest: float

    def draw(self, path: pathlib.Path) -> None:
        """Draw bands, and the density of states beside them.

        Raises:
            OSError: the file cannot be written.
        """
        from matplotlib.figure import Figure  # half a second that most commands can do without

        figure = Figure((8, 4), layout="constrained")
        axes: Any = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        axes[0].plot(self.distances, self.bands, color="tab:blue", linewidth=1)
        axes[0].set_xticks([place for place, _ in self.marks], [name for _, name in self.marks])
        axes[0].set(xlim=(0, self.distances[-1]), ylabel="frequency, THz (below zero: imaginary)")
        for place, _ in self.marks:
            axes[0].axvline(place, color="grey", linewidth=0.5)
        axes[0].axhline(0, color="grey", linewidth=0.5)
        axes[1].plot(self.density[1], self.density[0], color="tab:blue", linewidth=1)
        axes[1].set(xlabel="states per THz", xlim=(0, None))
        write_picture(path, figure)

    def write_heat(self, path: pathlib.Path) -> None:
        """Write thermal properties as csv.

        Raises:
            OSError: the file cannot be written.
        """
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADER, *self.heat.tolist()])


def phonons(
    potential: Potential, atoms: ase.Atoms, *, supercell: Sequence[int] = (2, 2, 2), functional: str | None = None
) -> Phonons:
    """Return the phonons of a crystal at rest from the exact force constants of a supercell.

    Only the rows of the Hessian that belong to a primitive cell are computed; no atom is displaced.

    Args:
        potential: of energies.
        atoms: the unit cell, periodic in some direction.
        supercell: how many unit cells along each lattice vector. Waves that fit into it are exact.
        functional: adds its D3 dispersion.

    Raises:
        ValueError: phonopy is not installed, the structure does not repeat, or as `hessian_of`.
    """
    crystal = _crystal(atoms, supercell)
    large = ase.Atoms(
        crystal.supercell.symbols,
        scaled_positions=crystal.supercell.scaled_positions,
        cell=crystal.supercell.cell,
        pbc=atoms.pbc,
    )
    rows = np.asarray(crystal.primitive.p2s_map)
    constants = hessian_of(potential, large, rows)
    if functional is not None:
        constants = constants + dispersion_hessian(functional, large)[rows]
    crystal.force_constants = np.ascontiguousarray(constants.transpose(0, 2, 1, 3))
    return _measured(crystal, atoms.pbc)


def require_phonons(atoms: ase.Atoms, supercell: Sequence[int]) -> None:
    """Refuse what has no phonons, before anything is computed for them.

    Raises:
        ValueError: phonopy is not installed, the structure does not repeat, or its supercell has no meaning.
    """
    _crystal(atoms, supercell)


def _crystal(atoms: ase.Atoms, supercell: Sequence[int]) -> Any:
    """Return the unit cell as phonopy has it."""
    try:
        from phonopy import Phonopy
        from phonopy.structure.atoms import PhonopyAtoms
    except ImportError:
        raise ValueError("phonons need the package phonopy; pip install 'symjax[phonons]'") from None
    if not atoms.pbc.any() or atoms.cell.rank < 3:
        raise ValueError(
            f"{atoms.symbols} with pbc {atoms.pbc.tolist()} repeats nowhere and has no phonons; ask for --frequencies"
        )
    if min(supercell) < 1 or any(n > 1 for n in np.asarray(supercell)[~atoms.pbc]):
        raise ValueError(
            f"expected a --supercell of three positive numbers, 1 where nothing repeats (pbc {atoms.pbc.tolist()}), "
            f"got {' '.join(map(str, supercell))}"
        )
    unit = PhonopyAtoms(
        symbols=list(atoms.symbols),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(),
        masses=atoms.get_masses(),
    )
    with warnings.catch_warnings(action="ignore"):  # of version 3, whose default was another cell
        return Phonopy(unit, supercell_matrix=np.diag(supercell), primitive_matrix="auto")


def _measured(crystal: Any, pbc: np.ndarray) -> Phonons:
    """Ask phonopy for bands along the path of ASE, a density of states, and heat."""
    path = ase.Atoms(cell=crystal.primitive.cell).cell.bandpath(npoints=200, pbc=pbc.tolist())
    distances, places, names = path.get_linear_kpoint_axis()
    bands = crystal.run_qpoints(path.kpts).frequencies
    gamma = crystal.run_qpoints([[0, 0, 0]]).frequencies[0]
    mesh, density = crystal.run_mesh(100.0), crystal.run_total_dos()
    heat = crystal.run_thermal_properties(temperatures=TEMPERATURES, exclude_gamma_acoustic=True)
    columns = heat.temperatures, heat.free_energy, heat.entropy, heat.heat_capacity
    return Phonons(
        distances=distances,
        bands=np.array(bands),
        marks=_marks(places.tolist(), names),
        density=(np.array(density.frequency_points), np.array(density.dos)),
        heat=np.stack([np.asarray(column, float) for column in columns], axis=1),
        gamma=np.array(gamma),
        lowest=float(min(np.min(bands), np.min(mesh.frequencies))),
    )


def _marks(places: Sequence[float], names: Sequence[str]) -> tuple[tuple[float, str], ...]:
    """Return special points by place; where the path jumps, one place has two names."""
    found: dict[float, list[str]] = {}
    for place, name in zip(places, names, strict=True):
        found.setdefault(place, []).append("Γ" if name == "G" else name)
    return tuple((place, "|".join(several)) for place, several in found.items())
