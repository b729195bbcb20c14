"""A trained potential as a calculator of ASE: one list of neighbours and one program for many steps."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ase
import jax
import numpy as np
from ase.calculators import calculator as calculators
from ase.stress import full_3x3_to_voigt_6_stress
from jaxtyping import Float

from symjax.data import LABELS, has_stress
from symjax.graphs import Budget, charge_and_spin
from symjax.potentials.motion.listing import Listed, list_neighbours, require_skin
from symjax.potentials.potential import Potential


class Calculator(calculators.Calculator):
    """A potential as a calculator of ASE: `atoms.calc = Calculator(symjax.load(RUN))`.

    Energies give energy, free_energy (the same), energies (of the atoms, with their references), forces and, where a
    periodic cell has a volume, stress, dE/d(strain) / V in Voigt order xx, yy, zz, yz, xz, xy; dipoles give dipole. All
    are in eV, Å and e. A committee gives means over its members, with energy_deviation, forces_deviation [n],
    stress_deviation and dipole_deviation beside them. Numbers have the precision of the parameters. The charge and the
    spin multiplicity of a structure are those of `atoms.info`; a potential that does not read them warns of others than
    0 and 1.

    Neighbours are listed up to the cutoff and a skin, and listed anew as soon as an atom has moved half the skin or the
    cell has changed; pairs beyond the cutoff add exactly nothing. Graphs are padded to shapes of a geometric series, so
    that a list which grows rarely meets a new one, and no neighbour is ever dropped. Calculators of one potential share
    its compiled programs.

    Args:
        potential: what a run has learnt.
        skin: in Å; zero lists the neighbours at every step.

    Attributes:
        listings: how many times the neighbours have been listed.

    Raises:
        ValueError: the skin is negative or not finite; later, a structure holds an element that the potential does not
            know, or a position that is not finite.
        PropertyNotImplementedError: later, stress is asked for without a periodic cell, or a dipole with one.
    """

    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}

    def __init__(self, potential: Potential, *, skin: float = 0.5):
        require_skin(skin)
        super().__init__()
        self.potential, self.skin, self.listings = potential, skin, 0
        energetic = ["energy", "free_energy", "energies", "forces", "stress"]
        self.implemented_properties = energetic if potential.label == "energy" else [potential.label]
        if potential.members is not None:
            labels = [name for name in self.implemented_properties if name in LABELS]
            self.implemented_properties += [f"{name}_deviation" for name in labels]
        self._params = jax.device_put(potential.params)
        self._listed: Listed | None = None
        self._met: set[tuple[str, Budget]] = set()

    @property
    def compilations(self) -> int:
        """How many programs were needed so far: one a shape, and one more where energies of atoms were asked for."""
        return len(self._met)

    def check_state(self, atoms: ase.Atoms, tol: float = 1e-15) -> list[str]:
        """Return what has changed since the last call; of `atoms.info` charge and spin count."""
        changes = super().check_state(atoms, tol=tol)
        if self.atoms is not None and charge_and_spin(self.atoms) != charge_and_spin(atoms):
            changes.append("info")
        return changes

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(calculators.all_changes),
    ) -> None:
        """Put what is asked for, and what comes with it, into `results`."""
        super().calculate(atoms, properties, system_changes)
        if self.atoms is None:
            raise ValueError("expected a structure, and none was given yet; set atoms.calc and ask the atoms")
        if system_changes:
            self.results = {}
        _require_meaning(self.atoms, properties)
        if "energies" in properties:
            self.results["energies"] = self._atom_energies(self.atoms)
        if set(properties) - {"energies"}:
            self.results |= self._labels(self.atoms)

    def _labels(self, atoms: ase.Atoms) -> dict[str, Any]:
        """Return all properties but the energies of the atoms."""
        found = self._run("stress", atoms)
        if self.potential.label != "energy":
            return {name: value[0] for name, value in found.items()}
        energy = float(self.potential.references.restore([atoms.numbers], found["energy"][:1])[0])
        results = {"energy": energy, "free_energy": energy, "forces": found["forces"][: len(atoms)]}
        if has_stress(atoms):
            results["stress"] = full_3x3_to_voigt_6_stress(found["stress"][0])
        return results | _deviations(found, results)

    def _atom_energies(self, atoms: ase.Atoms) -> Float[np.ndarray, " n"]:
        own = self.potential.references.of(list(atoms.numbers[:, None]))
        return own + self._run("atoms", atoms)["energies"][: len(atoms)]

    def _run(self, program: str, atoms: ase.Atoms) -> dict[str, Float[np.ndarray, "..."]]:
        """Run a program of the potential on a structure, and bring what it gives to the host in float64."""
        if self._listed is None or not self._listed.serves(atoms):
            self._listed = list_neighbours(self.potential, atoms, skin=self.skin)
            self.listings += 1
        self._met.add((program, self._listed.budget))
        found = jax.device_get(self.potential.programs[program](self._params, self._listed.at(atoms)))
        return {name: np.asarray(value, float) for name, value in found.items()}


def _deviations(found: Mapping[str, np.ndarray], results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the deviations of those results that have one."""
    names = [f"{name}_deviation" for name in results if f"{name}_deviation" in found]
    atoms = len(results["forces"])
    return {name: found[name][:atoms] if LABELS[name].of == "atom" else float(found[name][0]) for name in names}


def _require_meaning(atoms: ase.Atoms, properties: Sequence[str]) -> None:
    if {"stress", "stress_deviation"} & {*properties} and not has_stress(atoms):
        raise calculators.PropertyNotImplementedError(
            f"stress needs a periodic cell with a volume, got the cell {atoms.cell.array.tolist()} with pbc "
            f"{atoms.pbc.tolist()}; give the structure one"
        )
    if "dipole" in properties and atoms.pbc.any():
        raise calculators.PropertyNotImplementedError(
            f"a dipole has no meaning where structures repeat, got pbc {atoms.pbc.tolist()}; set atoms.pbc to False "
            "for a molecule in a box"
        )
