"""The table of labels: what may be known of a structure or of each of its atoms."""

import dataclasses
from typing import Literal, NamedTuple

import ase

from symjax.reps import Matrices, Rep, Trivial, Vectors


class Label(NamedTuple):
    """A quantity that data name and models learn.

    Attributes:
        of: what has it, each graph or each atom.
        shape: of one value.
        unit: as powers of energy, length and charge, such as "energy/length³".
        rep: how a value turns when the structure moves.
        extensive: whether it grows with the number of atoms, so that errors are weighed per atom.
        dense: whether it is per volume, so that errors are weighed times the volume per atom.
    """

    of: Literal["graph", "atom"]
    shape: tuple[int, ...]
    unit: str
    rep: Rep
    extensive: bool = False
    dense: bool = False

    @property
    def shown(self) -> tuple[float, str]:
        """The factor and the name of the unit of errors: thousandths of eV, eV/Å, eV/Å³, e·Å; Å² and Å³ as they are."""
        names = {"energy": "eV", "length": "Å", "charge": "e"}
        text = self.unit
        for power, name in names.items():
            text = text.replace(power, name)
        return (1.0, text) if self.unit.startswith("length") else (1000.0, f"m{text}")


LABELS = {
    "energy": Label("graph", (), "energy", Trivial(), extensive=True),
    "forces": Label("atom", (3,), "energy/length", Vectors()),
    "stress": Label("graph", (3, 3), "energy/length³", Matrices(), dense=True),
    "dipole": Label("graph", (3,), "charge·length", Vectors()),
    "dipole_magnitude": Label("graph", (), "charge·length", Trivial()),
    "polarisability": Label("graph", (), "length³", Trivial()),  # a third of the trace of the tensor
    "polarisability_tensor": Label("graph", (3, 3), "length³", Matrices()),
    "extent": Label("graph", (), "length²", Trivial()),  # <r²> of the electrons
}
# the standard deviation of a label, over all its components: what a committee or a variance gives beside it
LABELS |= {f"{name}_deviation": Label(label.of, (), label.unit, Trivial()) for name, label in LABELS.items()}


def has_stress(atoms: ase.Atoms) -> bool:
    """Return whether a stress means something: the structure repeats, and its cell has a volume."""
    return bool(atoms.pbc.any() and atoms.cell.rank == 3)


@dataclasses.dataclass(frozen=True)
class LabelKeys:
    """How labels are called in a file, and in which units."""

    energy_key: str = "energy"
    forces_key: str | None = "forces"  # None: do without forces
    stress_key: str | None = None  # with a name: stresses too
    virial_key: str | None = None  # stresses as minus a virial over the volume, as GAP and many extended xyz have it
    stress_factor: float = 1.0  # of both, beside the units: 0.00624151 from GPa, -0.000624151 from the kbar of VASP
    mask_key: str | None = None  # atoms whose forces count; None: force_mask, forces_mask; 1-NAME: those that do not
    units: str = "eV"  # of energies: eV, meV, kcal/mol, kJ/mol, Hartree, ...
    length: str = "Å"  # of positions: Å, bohr, nm
    format: str | None = None  # of files, by ASE's name, where theirs does not tell it: aims-output, vasp-out, ...
