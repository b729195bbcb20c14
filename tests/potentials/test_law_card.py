"""The law card: who obeys is not accused, and each kind of broken calculator is found out, by the right law."""

import ase
import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.neighborlist import neighbor_list

from symjax.potentials import law_card
from symjax.potentials.card.trials import derivative

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 8.5}
CRYSTAL = bulk("Ar", a=5.3) * (2, 1, 1)
CLUSTER = ase.Atoms("Ar5", [(0, 0, 0), (3.8, 0, 0), (0, 3.8, 0), (0, 0, 3.8), (3.8, 3.9, 4.1)])


class Morse(Calculator):
    """A smooth pair potential on the structure's own neighbours; what breaks it overrides a method."""

    implemented_properties = ("energy", "forces", "stress")
    cutoff = 6.0

    def pairs(self):
        if self.atoms.pbc.any():
            return neighbor_list("iD", self.atoms, self.cutoff)
        vectors = self.atoms.positions - self.atoms.positions[:, None]
        distance = np.linalg.norm(vectors, axis=2)
        i, j = np.nonzero((distance > 0) & (distance < self.cutoff))
        return i, vectors[i, j]

    def weights(self):
        return np.ones(len(self.atoms))

    def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
        super().calculate(atoms, properties, system_changes)
        i, vectors = self.pairs()
        distance = np.linalg.norm(vectors, axis=1)
        decay, inside = np.exp(3.5 - distance), 1 - (distance / self.cutoff) ** 2
        well, slope = decay**2 - 2 * decay, -2 * decay**2 + 2 * decay
        energies = 0.1 * self.weights()[i] * well * inside**3
        slopes = 0.1 * (slope * inside**3 - 6 * well * inside**2 * distance / self.cutoff**2)
        pull = (slopes / distance)[:, None] * vectors
        forces = np.zeros((len(self.atoms), 3))
        np.add.at(forces, i, pull)
        virial = (pull.T @ vectors) / 2
        volume = self.atoms.get_volume() if self.atoms.pbc.all() else 1.0
        stress = (virial / volume).flat[[0, 4, 8, 5, 2, 1]]
        self.results = {"energy": energies.sum() / 2, "forces": forces, "stress": stress}
        self.spoil()

    def spoil(self):
        pass


class Weak(Morse):
    def spoil(self):
        self.results["forces"] *= 1.01


class Disordered(Morse):
    def spoil(self):
        self.results["stress"] = self.results["stress"][[0, 1, 2, 5, 4, 3]]


class Pressure(Morse):
    def spoil(self):
        self.results["stress"] *= -1


class Anchored(Morse):
    """Feels where the atoms are."""

    def spoil(self):
        self.results["energy"] += 1e-3 * np.sin(self.atoms.positions[:, 0]).sum()
        self.results["forces"][:, 0] -= 1e-3 * np.cos(self.atoms.positions[:, 0])


class Oriented(Morse):
    """Feels where x points."""

    def spoil(self):
        self.results["energy"] += 1e-3 * (np.ptp(self.atoms.positions[:, 0]))


class Handed(Morse):
    """Tells left from right by a triple product of pairs."""

    def spoil(self):
        a, b, c = np.diff(self.atoms.positions[:4], axis=0)
        self.results["energy"] += 1e-4 * np.dot(a, np.cross(b, c))


class NearestOnly(Morse):
    """Sees one image of each atom, in cells that are smaller than twice the cutoff."""

    def pairs(self):
        vectors = self.atoms.get_all_distances(mic=True, vector=True)
        i, j = np.nonzero(np.linalg.norm(vectors, axis=2))
        near = np.linalg.norm(vectors[i, j], axis=1) < self.cutoff
        return i[near], vectors[i, j][near]


class Ordered(Morse):
    def weights(self):
        return 1 + 0.01 * np.arange(len(self.atoms))


class Averaged(Morse):
    """An energy an atom, of all."""

    def spoil(self):
        self.results["energy"] /= len(self.atoms)
        self.results["forces"] /= len(self.atoms)


class Swirling(Morse):
    """Forces that are no gradient, as networks without an energy have them."""

    def spoil(self):
        self.results["forces"] += 0.02 * np.roll(self.results["forces"], 1, axis=0) ** 2


class Noisy(Morse):
    rng = np.random.default_rng(0)

    def spoil(self):
        self.results["energy"] += 1e-5 * self.rng.normal()


class Abrupt(Morse):
    cutoff = 7.0

    def pairs(self):
        i, vectors = super().pairs()
        near = np.linalg.norm(vectors, axis=1) < 5.0
        return i[near], vectors[near]


class Soft(Morse):
    """Atoms fall into one another."""

    def spoil(self):
        nearest = np.linalg.norm(super().pairs()[1], axis=1).min(initial=9.0)
        self.results["energy"] -= 1e3 / nearest


class Single(Morse):
    """What runs in float32."""

    def pairs(self):
        i, vectors = super().pairs()
        return i, vectors.astype(np.float32)

    def spoil(self):
        self.results = {name: np.asarray(value, np.float32) for name, value in self.results.items()}


def verdicts(card):
    return {row.law for row in card.rows if row.verdict == "BROKEN"}


def row_of(card, law):
    return next(row for row in card.rows if row.law == law)


@pytest.mark.parametrize(
    ("calculator", "atoms"), [(EMT(), bulk("Cu")), (Morse(), CRYSTAL), (Morse(), CLUSTER), (Single(), CLUSTER)]
)
def test_who_obeys_is_not_accused(calculator, atoms):
    before = atoms.copy()
    card = law_card(calculator, atoms)
    assert card, card
    assert atoms == before


def test_a_cutoff_that_is_not_smoothed_is_found_where_it_is():
    card = law_card(LennardJones(**ARGON), CLUSTER)
    assert verdicts(card) == {"smooth at the cutoff", "smooth dimers"}
    assert row_of(card, "smooth dimers").reason == "Ar-Ar: a jump at 8.5 (distance, Å)"
    at_8_5 = 24 * 0.0104 / 3.4 * (2 * 2.5**-13 - 2.5**-7)
    assert row_of(card, "smooth dimers").residual == pytest.approx(-at_8_5, rel=1e-3)
    assert law_card(LennardJones(**ARGON, ro=6.0, smooth=True), CLUSTER)


TURNED = {"rotation", "reflection"}
FORCES, STRESS = "forces = -dE/dx", "stress = dE/dstrain/V"


@pytest.mark.parametrize(
    ("calculator", "atoms", "broken", "reason"),
    [
        (Weak, CLUSTER, {FORCES}, ""),
        (Disordered, CRYSTAL, {STRESS, *TURNED}, "given in the order xx yy zz xy xz yz"),
        (Pressure, CRYSTAL, {STRESS}, "given with the sign of a pressure"),
        (Anchored, CLUSTER, {"translation", "size extensivity", "sum of forces", "sum of torques", *TURNED}, ""),
        (Oriented, CLUSTER, {"size extensivity", FORCES, *TURNED}, ""),
        (Handed, CLUSTER, {"permutation", "reflection", "size extensivity", FORCES}, ""),
        (NearestOnly, CRYSTAL, {"size extensivity", "forces have no curl"}, ""),
        (Ordered, CLUSTER, {"permutation", "size extensivity", FORCES}, ""),
        (Averaged, CLUSTER, {"size extensivity"}, ""),
        (
            Swirling,
            CLUSTER,
            {"forces have no curl", "sum of forces", "sum of torques", "permutation", FORCES, *TURNED},
            "",
        ),
        (Noisy, CLUSTER, {"equal calls agree"}, ""),
        (Abrupt, CLUSTER, {"smooth at the cutoff", "smooth dimers"}, "at 5 (distance, Å)"),
        (
            Soft,
            CLUSTER,
            {"repulsive dimers", "smooth dimers", "size extensivity", FORCES},
            "Ar-Ar attract each other at short distance",
        ),
    ],
)
def test_each_kind_of_breach_is_found(calculator, atoms, broken, reason):
    card = law_card(calculator(), atoms)
    assert verdicts(card) == broken, card
    assert reason in repr(card)


def test_halves_of_a_step_that_agree_by_chance_are_not_believed():
    """The second derivative jumps at 0.004, and a cubic term hides it from the longest step."""
    value, error = derivative(lambda t: t - 25 * t**3 + 2.332 * max(t - 0.004, 0) ** 2, noise=1e-6)
    assert abs(value - 1) < 4 * error < 0.01


def test_precision_is_told():
    assert row_of(law_card(Morse(), CLUSTER), "precision").reason == "float64"
    assert row_of(law_card(Single(), CLUSTER), "precision").reason == "float32"


def test_what_means_nothing_is_not_asked(tmp_path):
    card = law_card(EMT(), molecule("H2O"))
    asked = {row.law for row in card.rows if row.verdict != "not asked"}
    unasked = {"reflection", "stress = dE/dstrain/V", "choice of the cell", "wrapping"}
    assert asked.isdisjoint(unasked)
    assert "fewer than four atoms" in row_of(card, "reflection").reason
    assert "not asked  wrapping" in repr(card)
    card.draw(tmp_path / "card.png")
    assert (tmp_path / "card.png").stat().st_size > 10_000
    alone = law_card(EMT(), ase.Atoms("Cu"))
    assert alone, alone
    with pytest.raises(ValueError, match="at least one atom"):
        law_card(EMT(), ase.Atoms())


def test_a_calculator_that_fails_at_a_law_says_why():
    class Square(Morse):
        def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
            if len(atoms) > len(CLUSTER):
                raise RuntimeError("too many atoms")
            super().calculate(atoms, properties, system_changes)

    assert row_of(law_card(Square(), CLUSTER), "size extensivity").reason == "the calculator fails: too many atoms"


def test_a_calculator_without_forces_is_refused():
    class Dipoles(Calculator):
        implemented_properties = ("dipole",)

    with pytest.raises(ValueError, match="expected a calculator of energy and forces, got one of dipole"):
        law_card(Dipoles(), CLUSTER)
