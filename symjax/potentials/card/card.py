"""The law card of a calculator: which laws of a potential energy it obeys, measured by calling it."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import ase
import numpy as np
from ase.calculators.calculator import Calculator

from symjax.potentials.card.scans import Line, cutoff_lines, dimer_lines, repulsion, smoothness
from symjax.potentials.card.subject import Measured, NotAskedError, Subject
from symjax.potentials.card.trials import TRIALS
from symjax.training import write_picture


class Row(NamedTuple):
    """One law: its residual, what was allowed, in which unit, the verdict, and a reason or a remark."""

    law: str
    residual: float
    allowed: float
    unit: str
    verdict: Literal["obeyed", "BROKEN", "not asked"]
    reason: str = ""

    def __str__(self) -> str:
        numbers = f"{self.residual:.1e}, at most {self.allowed:.1e} {self.unit}"
        said = "" if self.verdict == "not asked" else numbers
        return f"{self.verdict:<10} {self.law:<22} {said:<33} {self.reason}".rstrip()


@dataclasses.dataclass(frozen=True)
class LawCard:
    """The measured laws of a calculator: true where none is broken, and printed as one line a law.

    Attributes:
        rows: one a law.
        lines: the energies along the lines that were scanned, dimers last.
    """

    rows: tuple[Row, ...]
    lines: tuple[Line, ...]

    def __bool__(self) -> bool:
        return all(row.verdict != "BROKEN" for row in self.rows)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.rows))

    def draw(self, path: pathlib.Path) -> None:
        """Draw the lines that were scanned into a picture: energies above, the largest force below.

        Raises:
            OSError: The file cannot be written.
        """
        from matplotlib.figure import Figure  # half a second that most commands can do without

        columns = max(1, len(self.lines))
        figure = Figure((3.6 * columns, 5.4), layout="constrained")
        axes: Any = figure.subplots(2, columns, squeeze=False, sharex="col")
        for (above, below), line in zip(axes.T, self.lines, strict=False):
            above.plot(line.x, line.energy, ".-", markersize=2, linewidth=0.8)
            below.plot(line.x, line.force, ".-", markersize=2, linewidth=0.8)
            above.set(title=line.name, ylabel="energy, eV", ylim=_view(line.energy))
            below.set(xlabel=line.axis, ylabel="largest force, eV/Å", ylim=_view(line.force))
        write_picture(path, figure)


def law_card(calculator: Calculator, atoms: ase.Atoms, *, seed: int = 0) -> LawCard:
    """Measure the laws of a potential energy for any calculator of ASE, by calling it.

    What is called: the structure with each atom moved by some 0.05 Å, shifted, turned, mirrored, in another order, in
    other cells, strained, twice as large, and along lines where neighbours enter and leave; and the dimers of its
    elements. The first question is how noisy calls are: noise is what second differences of energy and forces over
    moves of 3e-7 Å are, where those of a smooth function vanish, or what equal calls differ by.

    - Calls that ought to agree may differ by 100 times the noise, and 1e-8 of the largest force (for energies over 1 Å)
      but at least 1e-9 eV/Å.
    - Differences of the energy may be off from forces and stress by four times what two steps differ by besides.
    - No jump along a line may be larger than 1e-3 of what changes along it; the residual is the largest jump that there
      can be, for a scan sees no smaller ones.

    A law that means nothing for the structure, or that the calculator fails at, is not asked, with the reason.

    Args:
        calculator: Anything with `get_property`, `implemented_properties` and energies in eV, lengths in Å.
        atoms: A structure that it knows; without constraints, and left as it is.
        seed: Decides the trials.

    Raises:
        ValueError: If the structure is empty, or the calculator has no finite energy and forces for it.
    """
    spoken = set(calculator.implemented_properties)
    if "forces" not in spoken or not spoken & {"energy", "free_energy"}:
        raise ValueError(
            f"expected a calculator of energy and forces, got one of {', '.join(sorted(spoken)) or 'nothing'}"
        )
    if not len(atoms):
        raise ValueError("expected a structure with at least one atom, got an empty one")
    subject = Subject(calculator, atoms, seed)
    if not (np.isfinite(subject.here.energy) and np.isfinite(subject.here.forces).all()):
        raise ValueError(f"expected finite energy and forces for {atoms.symbols}, got energy {subject.here.energy}")
    rows = [_row(law, lambda trial=trial: trial(subject)) for law, trial in TRIALS.items()]
    along, more = _scanned("smooth at the cutoff", cutoff_lines, subject)
    dimers, of_dimers = _scanned("smooth dimers", dimer_lines, subject)
    rows += [more, of_dimers]
    if dimers:
        rows.append(_row("repulsive dimers", lambda: repulsion(dimers, subject)))
    return LawCard(tuple(rows), (*along, *dimers))


def _scanned(law: str, scan: Callable[[Subject], list[Line]], subject: Subject) -> tuple[list[Line], Row]:
    """Return the lines of a scan, none where the calculator fails, and the row of their smoothness."""
    lines: list[Line] = []

    def trial() -> Measured:
        lines.extend(scan(subject))
        return smoothness(lines)

    return lines, _row(law, trial)


def _row(law: str, trial: Callable[[], Measured]) -> Row:
    """Try a law; whatever a calculator raises is the reason why a law could not be asked."""
    try:
        measured = trial()
    except NotAskedError as reason:
        return Row(law, 0.0, 0.0, "", "not asked", str(reason))
    except Exception as error:
        return Row(law, 0.0, 0.0, "", "not asked", f"the calculator fails: {str(error) or type(error).__name__}")
    verdict = "BROKEN" if measured.excess > 1 else "obeyed"
    return Row(law, measured.residual, measured.allowed, measured.unit, verdict, measured.note)


def _view(values: np.ndarray) -> tuple[float, float]:
    """Return the limits of an axis, which walls of dimers may leave."""
    low, high = np.percentile(values, (0, 80))
    return low - 0.1 * (high - low) - 1e-9, high + 0.2 * (high - low) + 1e-9
