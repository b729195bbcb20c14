"""Reference energies: the large part of an energy that only counts atoms, taken off and put back on the host.

Single precision cannot resolve meV in totals of -4000 eV, so a network learns what float64 leaves of them,
E - sum_i E0(element of i) - n shift, and its outputs are scaled by the root mean square of the forces.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from jaxtyping import Float

from symjax.data import Structures

TABLES = ("energies", "bonds")  # by chemical symbol where they are written


@dataclasses.dataclass(frozen=True)
class References:
    """What energies are freed from, and what is left is measured in.

    Attributes:
        energies: E0 in eV by atomic number.
        shift: in eV per atom.
        scale: of the outputs of the network, in eV.
        isolated: whether E0 are the energies of lone atoms, so that the network's own are taken off.
        bonds: in eV by atomic number, what an atom with neighbours has less, where E0 are those of lone atoms.
        repulsion: what is added to the network, so that it need not learn it.
    """

    energies: Mapping[int, float]
    shift: float = 0.0
    scale: float = 1.0
    isolated: bool = False
    bonds: Mapping[int, float] = dataclasses.field(default_factory=dict)
    repulsion: Literal["none", "zbl"] = "none"

    def of(self, numbers: Sequence[np.ndarray]) -> Float[np.ndarray, " g"]:
        """Return sum_i E0_i + n shift in eV for structures given by their atomic numbers.

        Raises:
            ValueError: an element has no reference energy.
        """
        if unknown := {int(z) for zs in numbers for z in zs} - self.energies.keys():
            raise ValueError(
                f"no reference energy for {_symbols(unknown)}, only for {_symbols(self.energies)}; "
                "give one for every element of the data"
            )
        return np.array([sum(self.energies[int(z)] for z in zs) + len(zs) * self.shift for zs in numbers], dtype=float)

    def remove(self, structures: Structures, *, bonded: bool = False) -> Structures:
        """Return the structures with energies relative to the references, and to the bonds of all atoms if asked."""
        if structures.energy is None:
            return structures
        energy = structures.energy - self.of(structures.numbers)
        if bonded:
            energy = energy - [sum(self.bonds.get(int(z), 0.0) for z in zs) for zs in structures.numbers]
        return dataclasses.replace(structures, labels={**structures.labels, "energy": energy})

    def restore(self, numbers: Sequence[np.ndarray], energy: Float[np.ndarray, " g"]) -> Float[np.ndarray, " g"]:
        """Return total energies from energies relative to the references, in float64."""
        return np.asarray(energy, dtype=np.float64) + self.of(numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON keeps exactly; elements by symbol."""
        tables = {name: getattr(self, name) for name in TABLES}
        by_symbol = {
            name: {chemical_symbols[z]: value for z, value in sorted(table.items())} for name, table in tables.items()
        }
        return dataclasses.asdict(self) | by_symbol

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "References":
        """Return what `to_dict` wrote."""
        tables = {name: parse_table(data[name]) for name in TABLES}
        return cls(**{**data, **tables})


def fit_references(structures: Structures, table: Mapping[int, float] | None = None) -> References:
    """Return the references of a training set.

    Args:
        structures: energies in eV and, for the scale, forces in eV/Å.
        table: energies in eV of lone atoms by atomic number, from `structures.isolated` or elsewhere; None fits
            references by least squares, of minimal norm where the compositions do not determine them.

    Returns:
        The references. Where they are fitted, the shift is the mean residual energy per atom. Where they are those of
        lone atoms, it is zero, and the bonds are that mean and what least squares add for each element. The scale is
        the root mean square of the force components, or 1 where forces are not known or all zero.

    Raises:
        ValueError: there are no energies, or an element of the data is not in the table.
    """
    if structures.energy is None:
        raise ValueError("reference energies need a data set with energies; name them with energy_key")
    of_known, isolated = structures[structures.known("energy")], table is not None
    energy = of_known.rows("energy")
    if not len(energy):
        raise ValueError(f"none of the energies of {len(structures)} training structures is known; add some that are")
    if table is None:
        table = _least_squares(structures.species, of_known.numbers, energy)
    known = References({z: table[z] for z in structures.species if z in table}, isolated=isolated)
    residual, sizes = energy - known.of(of_known.numbers), np.array([len(numbers) for numbers in of_known.numbers])
    shift, bonds = float(np.sum(residual) / np.sum(sizes)), {}
    if isolated:
        own = _least_squares(structures.species, of_known.numbers, residual - shift * sizes)
        shift, bonds = 0.0, {z: shift + value for z, value in own.items()}
    forces = structures.known_rows("forces")
    rms = float(np.sqrt(np.mean(forces**2))) if forces.size else 0.0
    return dataclasses.replace(known, shift=shift, bonds=bonds, scale=rms or 1.0)


def make_references(structures: Structures, choice: str) -> References:
    """Return the references that --references asks for: fit, or isolated, or a table H=-13.6,C=-1029.5 of the same.

    Raises:
        ValueError: the choice is none of these, or lacks an element.
    """
    if choice == "fit":
        return fit_references(structures)
    if choice == "isolated":
        if not structures.isolated:
            raise ValueError(
                "--references isolated needs isolated atoms in the data; there are none, so use fit or a table"
            )
        return fit_references(structures, structures.isolated)
    try:
        table = parse_table(
            {symbol: float(value) for symbol, value in (entry.split("=") for entry in choice.split(","))}
        )
    except ValueError as error:
        raise ValueError(
            f"--references is fit, isolated or a table such as H=-13.6,C=-1029.5, not {choice!r}: {error}"
        ) from None
    return fit_references(structures, table)


def property_references(structures: Structures, name: str) -> References:
    """Return the references of a label that is no energy: nothing is taken off, the scale is its root mean square."""
    rms = float(np.sqrt(np.mean(structures.known_rows(name) ** 2)))
    return References({}, scale=rms or 1.0)


def parse_table(table: Mapping[str, float]) -> dict[int, float]:
    """Return energies by atomic number from energies by chemical symbol, such as {"H": -13.6}.

    Raises:
        ValueError: a symbol is not an element's or an energy is not finite.
    """
    for symbol, value in table.items():
        if symbol not in atomic_numbers or not np.isfinite(value):
            raise ValueError(f"expected a finite energy in eV for a chemical element, got {symbol!r}: {value}")
    return {atomic_numbers[symbol]: float(value) for symbol, value in table.items()}


def _least_squares(species: Sequence[int], numbers: Sequence[np.ndarray], energy: np.ndarray) -> dict[int, float]:
    counts = np.array([[np.sum(zs == z) for z in species] for zs in numbers], dtype=float)
    return dict(zip(species, np.linalg.lstsq(counts, energy)[0].tolist(), strict=True))


def _symbols(numbers: Any) -> str:
    return ", ".join(chemical_symbols[z] for z in sorted(numbers)) or "no element"
