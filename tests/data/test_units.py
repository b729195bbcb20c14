"""Named units against CODATA numbers written out here."""

import pytest

from symjax.data import unit_factors

HARTREE, BOHR = 27.211386, 0.5291772


@pytest.mark.parametrize(
    ("energy", "length", "expected"),
    [
        ("eV", "Å", (1, 1, 1, 1)),
        ("meV", "Å", (1e-3, 1, 1e-3, 1e-3)),
        ("kcal/mol", "angstrom", (0.0433641, 1, 0.0433641, 0.0433641)),
        ("kJ/mol", "nm", (0.0103643, 10, 0.00103643, 1.03643e-5)),
        ("Hartree", "bohr", (HARTREE, BOHR, HARTREE / BOHR, HARTREE / BOHR**3)),
        ("hartree/bohr", "Å", (HARTREE, 1, HARTREE / BOHR, HARTREE / BOHR**3)),
        ("kcal/mol/bohr", "Å", (0.0433641, 1, 0.0433641 / BOHR, 0.0433641 / BOHR**3)),
    ],
)
def test_factors(energy, length, expected):
    factors = unit_factors(energy, length)
    units = ("energy", "charge·length", "energy/length", "energy/length³")
    assert [factors.of(unit) for unit in units] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("energy", "length", "message"),
    [
        ("kcal", "Å", "unknown energy unit 'kcal'; known are ev, mev, kcal/mol"),
        ("eV/furlong", "Å", "unknown energy unit 'eV/furlong'.* per å, angstrom"),
        ("eV", "inch", "unknown length unit 'inch'; known are å, angstrom"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(energy, length, message):
    with pytest.raises(ValueError, match=message):
        unit_factors(energy, length)
