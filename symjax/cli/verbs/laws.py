"""`symjax laws`: the law card of a calculator, or of a trained model."""

import dataclasses
import importlib
import os
import pathlib
import sys
from typing import Annotated

import ase
from ase.calculators.calculator import Calculator
from tyro.conf import Positional, arg

import symjax.potentials
from symjax.cli.asked import energies_in
from symjax.cli.options import parse_options
from symjax.data import read_structures
from symjax.potentials import law_card, read_example
from symjax.training import require_new


@dataclasses.dataclass(frozen=True)
class Laws:
    """Measure which laws of a potential energy a calculator of ASE or a trained model obeys, by calling it."""

    run: Annotated[pathlib.Path | None, Positional, arg(metavar="RUN", help="a run directory of `symjax train`")] = None
    calculator: str | None = None  # instead of a run, MODULE:FACTORY: called without arguments, looked for here too
    structure: pathlib.Path | None = None  # of which the first is used; None: an example that the run keeps
    picture: pathlib.Path = pathlib.Path("law_card.png")
    seed: int = 0


def parse(arguments: list[str]) -> Laws:
    """Return the options."""
    return parse_options(Laws, "laws", arguments)


def run(command: Laws) -> int:
    """Print one line a law, and draw the lines that were scanned; the exit code is 1 where a law is broken."""
    require_new(command.picture)
    calculator, atoms = _asked(command)
    card = law_card(calculator, atoms, seed=command.seed)
    print(card)
    card.draw(command.picture)
    print(f"the lines that were scanned are drawn in {command.picture}")
    return 0 if card else 1


def _asked(command: Laws) -> tuple[Calculator, ase.Atoms]:
    """Return a calculator and a structure.

    Raises:
        ValueError: There is neither a run nor a calculator, or both; or a calculator without a structure.
    """
    if (command.run is None) == (command.calculator is None):
        raise ValueError("expected a RUN or --calculator MODULE:FACTORY, and not both")
    given = command.structure and read_structures(command.structure, energy_key=None, forces_key=None).atoms[0]
    if command.run is not None:
        model = symjax.potentials.Calculator(energies_in(command.run))
        return model, given or read_example(command.run).atoms[0]
    if given is None:
        raise ValueError("expected --structure FILE beside --calculator, got none; any file that ASE reads will do")
    return _made(str(command.calculator)), given


def _made(name: str) -> Calculator:
    """Return what a factory makes.

    Raises:
        ValueError: There is none of that name.
    """
    module, _, factory = name.partition(":")
    if not (module and factory):
        raise ValueError(f"expected --calculator MODULE:FACTORY, such as ase.calculators.emt:EMT, got {name!r}")
    sys.path.insert(0, os.getcwd())  # where the user's own calculators are
    try:
        make = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"cannot take {factory} from {module}: {error}; expected MODULE:FACTORY") from error
    finally:
        sys.path.remove(os.getcwd())
    return make()
