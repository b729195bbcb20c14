"""Charges and spins that a model reads, or else must not be asked about."""

import warnings
from collections.abc import Sequence
from typing import Any

import ase

from symjax.graphs import ChargeAndSpin, charge_and_spin


def reads_charges(model: Any) -> bool:
    """Return whether a model of atoms reads the charge and the spin of a structure."""
    return getattr(model, "charges", False)


def require_same_charges(structures: Sequence[ase.Atoms]) -> None:
    """Refuse training data of several charges or spins, for a model that does not read them.

    Raises:
        ValueError: two structures differ.
    """
    states = [charge_and_spin(atoms) for atoms in structures]
    if other := next((i for i, state in enumerate(states) if state != states[0]), None):
        raise ValueError(
            f"structure 0 ({structures[0].symbols}) has {_spoken(states[0])}, and structure {other} "
            f"({structures[other].symbols}) {_spoken(states[other])}, which a model takes for the same unless it "
            "reads them; add --charges True, or keep one kind only"
        )


def warn_of_charges(model: Any, structures: Sequence[ase.Atoms]) -> None:
    """Warn where a model does not read the charge or spin that a structure is given."""
    if reads_charges(model):
        return
    charged = [i for i, atoms in enumerate(structures) if charge_and_spin(atoms) != ChargeAndSpin()]
    if charged:
        first = structures[charged[0]]
        warnings.warn(
            f"the model does not read charges and spins, so that {len(charged)} of {len(structures)} structures (first "
            f"{charged[0]}, {first.symbols}, with {_spoken(charge_and_spin(first))}) are taken for what it was trained "
            "on; train with --charges True to tell them apart",
            stacklevel=3,
        )


def _spoken(state: ChargeAndSpin) -> str:
    return f"charge {state.charge:g} and spin multiplicity {state.spin:g}"
