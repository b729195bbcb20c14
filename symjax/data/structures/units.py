"""Factors from named units to eV and Å; the numbers are CODATA's, as ASE keeps them."""

import math
from typing import NamedTuple

from ase import units

ENERGIES = {
    "ev": units.eV,
    "mev": units.eV / 1000,
    "kcal/mol": units.kcal / units.mol,
    "kj/mol": units.kJ / units.mol,
    "hartree": units.Hartree,
    "rydberg": units.Rydberg,
}
LENGTHS = {"å": units.Angstrom, "angstrom": units.Angstrom, "ang": units.Angstrom, "bohr": units.Bohr, "nm": units.nm}

PROPERTIES = {
    "charge·length": {"e·å": 1.0, "debye": units.Debye, "e·bohr": units.Bohr},
    "length²": {f"{name}²": size**2 for name, size in LENGTHS.items()},
    "length³": {f"{name}³": size**3 for name, size in LENGTHS.items()},
}


class Factors(NamedTuple):
    """What to multiply numbers of a file by to get eV and Å; `distance` is that of the unit that forces are per."""

    energy: float
    length: float
    distance: float

    def of(self, unit: str) -> float:
        """Return the factor of a label's unit, such as "energy/length³"."""
        powers = {"energy": self.energy, "length": self.distance, "length³": self.distance**3, "": 1.0}
        above, _, below = unit.partition("/")
        over = powers | {"length": self.length, "charge": 1.0}
        over |= {"length²": self.length**2, "length³": self.length**3}
        return math.prod(over[power] for power in above.split("·")) / powers[below]


def unit_factors(energy: str = "eV", length: str = "Å") -> Factors:
    """Return the factors for an energy unit such as "kcal/mol" and a unit of positions such as "Å" or "bohr".

    Forces are per unit of position, unless the energy unit names another: "hartree/bohr" means energies in hartree and
    forces in hartree per bohr, wherever the positions are given.

    Raises:
        ValueError: a name is unknown.
    """
    name, per = energy.strip().lower(), length.strip().lower()
    if per not in LENGTHS:
        raise ValueError(f"unknown length unit {length!r}; known are {', '.join(LENGTHS)}")
    position = LENGTHS[per]
    if name not in ENERGIES:
        name, _, per = name.rpartition("/")
    if name not in ENERGIES or per not in LENGTHS:
        raise ValueError(
            f"unknown energy unit {energy!r}; known are {', '.join(ENERGIES)}, alone or per {', '.join(LENGTHS)}"
        )
    return Factors(ENERGIES[name], position, LENGTHS[per])


def property_factor(name: str, of: str) -> float:
    """Return the factor to e·Å, Å² or Å³ of a unit such as "debye", "bohr^2" or "bohr³", for a label's unit.

    Raises:
        ValueError: the name is not that of such a unit.
    """
    known = PROPERTIES.get(of, {})
    plain = name.strip().lower().replace("^2", "²").replace("^3", "³").replace("*", "·")
    if plain not in known:
        raise ValueError(f"unknown unit {name!r} of what is {of}; known are {', '.join(known) or 'none'}")
    return known[plain]
