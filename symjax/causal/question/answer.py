"""The answer to a causal question: values, a page for people, and what a careful reader may conclude."""

import dataclasses
import textwrap
from typing import Any

import numpy as np
from jaxtyping import Float

from symjax.causal.identify import Bounds
from symjax.causal.question.columns import Study
from symjax.causal.question.estimates import NORMAL, Doses, Estimated
from symjax.causal.question.plan import Plan
from symjax.causal.refute import Overlap, Refutation, Sensitivity

SEVERAL = "Not made with several arms: keep the rows of two to see whether their estimate withstands."
SPARSE = 3  # of the points of a curve, those that the page shows
ROOMY = 0.05  # of the rows: as many without counterpart are said in the conclusion


@dataclasses.dataclass(frozen=True, eq=False)
class Units:
    """The effect on each unit, as far as modifiers tell it, with the ends of 95 % intervals of that prediction."""

    effect: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    coefficients: dict[str, tuple[float, float]]  # by modifier, with standard errors


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """Everything that is known of an effect.

    Attributes:
        plan: how it is identified.
        study: the columns, as numbers.
        estimates: by several methods.
        overlap: how comparable the arms are.
        refutations: what changed data gave.
        sensitivity: to hidden causes.
        hidden: what simulated ones leave of the estimate.
        units: effects by unit.
        doses: the curve of a dose.
        bounds: of an effect that is not identified.
        facts: further numbers, such as the F of a first stage.
    """

    plan: Plan
    study: Study
    estimates: tuple[Estimated, ...]
    overlap: Overlap | None = None
    refutations: tuple[Refutation, ...] = ()
    sensitivity: Sensitivity | None = None
    hidden: Refutation | None = None
    units: Units | None = None
    doses: Doses | None = None
    bounds: Bounds | None = None
    facts: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def is_identified(self) -> bool:
        """Whether the effect follows from the data and what is assumed."""
        return self.plan.way != "none"

    @property
    def main(self) -> Estimated:
        """The estimate that the report rests on; of several arms, of the first."""
        return next((row for row in self.estimates if row.main), self.estimates[0])

    @property
    def question(self) -> str:
        """The question in words."""
        t, y, study = self.plan.treatment, self.plan.outcome, self.study
        if study.kind == "dose":
            asked = f"how would {y} change, on average, if {t} were one unit more?"
        else:
            others = " or ".join(study.arms[1:])
            asked = f"how would {y} differ, on average, if {t} were {others} for everybody rather than {study.arms[0]}?"
        return f"{asked[0].upper()}{asked[1:]}"

    @property
    def conclusion(self) -> str:
        """What a careful reader may conclude, in a few sentences."""
        if not self.is_identified:
            limits = f" Without further assumptions it lies in {self.bounds}." if self.bounds else ""
            return f"The data cannot tell the effect of {self.plan.treatment} on {self.plan.outcome}.{limits}"
        return " ".join([*self._warning(), self._sized(), *self._provisos()])

    def _sized(self) -> str:
        row, t, y = self.main, self.plan.treatment, self.plan.outcome
        ends = f"95 % interval {row.low:.4g} to {row.high:.4g}"
        how = f" ({row.note})" if row.note else ""
        if row.low <= 0 <= row.high:
            return f"No effect of {t} on {y} can be told from none: {row.value:.4g}, {ends}{how}."
        return (
            f"{t} ({row.contrast}) {'raises' if row.value > 0 else 'lowers'} {y} by {abs(row.value):.4g}, {ends}{how}."
        )

    def _provisos(self) -> list[str]:
        provisos = []
        if self.plan.graph is not None:
            provisos.append("This holds if the graph is right.")
        elif self.plan.way == "adjustment" and self.study.names:
            provisos.append(f"This holds if nothing causes both beside {', '.join(self.study.names)}.")
        elif self.plan.way == "adjustment":
            provisos.append("This holds if nothing causes both, as in an experiment.")
        elif self.plan.way == "instrument":
            provisos.append(f"This holds if {self.plan.instrument} has no other way to {self.plan.outcome}.")
        if self.facts.get("first_stage_f", np.inf) < 10:
            provisos.append(
                f"The instrument is weak (F = {self.facts['first_stage_f']:.1f}): do not rely on the interval."
            )
        if self.sensitivity is not None and self.main.low * self.main.high > 0:
            share = self.sensitivity.robustness_limit
            provisos.append(
                f"A hidden cause that explains {share:.1%} of what is left of both {self.plan.treatment} and "
                f"{self.plan.outcome} would make it indistinguishable from none."
            )
        lost = 0 if self.overlap is None else max(self.overlap.clipped, self.overlap.outside)
        if lost > ROOMY * len(self.study):
            provisos.append(f"{lost} rows have no like in another arm: rather trust the overlap population.")
        return provisos

    def _warning(self) -> list[str]:
        failed = [found.name for found in self.refutations if found.passed is False]
        return [f"Do not rely on this estimate: it did not stand the {' and the '.join(failed)}."] if failed else []

    def page(self) -> str:
        """Return the report as text, a page."""
        parts = [("Question", [self.question, self._data()]), ("Identification", list(self.plan.sentences))]
        parts.append(("Estimates, with 95 % intervals of the average effect", self._table()))
        if self.doses is not None:
            parts.append((f"Doses, against {self.doses.reference:.4g}", _curve(self.plan.outcome, self.doses)))
        if self.overlap is not None:
            parts.append(("Overlap and balance", [self.overlap.verdict]))
        if self.refutations:
            parts.append(("Refuters", [_told(found) for found in self.refutations]))
        elif self.study.kind == "arms":
            parts.append(("Refuters", [SEVERAL]))
        if self.sensitivity is not None:
            simulated = [] if self.hidden is None else [self.hidden.verdict]
            parts.append(("Sensitivity to hidden causes", [self.sensitivity.verdict, *simulated]))
        if self.units is not None and self.units.coefficients:
            parts.append(("Units", [_varies(self.units)]))
        parts.append(("Conclusion", [self.conclusion]))
        return "\n\n".join("\n".join([title, *map(_wrapped, lines)]) for title, lines in parts)

    def _data(self) -> str:
        study = self.study
        counts = [f"{int((study.treatment == k).sum())} with {arm}" for k, arm in enumerate(study.arms)]
        told = f"{len(study)} rows{': ' if counts else ''}{', '.join(counts)}."
        return " ".join([told, *study.notes])

    def _table(self) -> list[str]:
        rows = [
            (row.method, row.contrast, f"{row.value:.4g}", f"[{row.low:.4g}, {row.high:.4g}]", row.note)
            for row in self.estimates
        ]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return [
            f"{m:<{widths[0]}}  {c:<{widths[1]}}  {v:>{widths[2]}}  {i:<{widths[3]}}  {note}".rstrip()
            for m, c, v, i, note in rows
        ]

    def report(self) -> dict[str, Any]:
        """Return what report.json holds."""
        return {
            "question": self.question,
            "identified": self.is_identified,
            "way": self.plan.way,
            "identification": list(self.plan.sentences),
            "adjusted_for": list(self.study.names),
            "rows": len(self.study),
            "notes": list(self.study.notes),
            "estimates": [row._asdict() for row in self.estimates],
            "bounds": None if self.bounds is None else list(self.bounds),
            "doses": [] if self.doses is None else _points(self.doses),
            "overlap": None if self.overlap is None else _overlap(self.overlap),
            "refutations": [
                {"name": r.name, "expected": r.expected, "came": r.came, "verdict": r.verdict, "passed": r.passed}
                for r in self.refutations
            ],
            "hidden_causes": None if self.hidden is None else self.hidden.verdict,
            "robustness_value": None if self.sensitivity is None else self.sensitivity.robustness,
            "modifiers": {} if self.units is None else self.units.coefficients,
            "conclusion": self.conclusion,
            **self.facts,
        }


def _wrapped(line: str) -> str:
    """Return a line of a table as it is, and a sentence in lines of 100 characters."""
    if "  " in line:
        return f"  {line}"
    return textwrap.fill(line, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _told(found: Refutation) -> str:
    mark = {True: "passed", False: "FAILED", None: "cannot tell"}[found.passed]
    return f"{found.name}: {mark}. {found.verdict}"


def _varies(units: Units) -> str:
    told = ", ".join(f"{name} {b:+.3g} ± {NORMAL * error:.2g}" for name, (b, error) in units.coefficients.items())
    return f"By how much one unit of a modifier changes the effect, with 95 % intervals: {told}."


def _curve(outcome: str, doses: Doses) -> list[str]:
    points = _points(doses)
    told = [(f"{p['dose']:.4g}", f"{p['value']:.4g}", f"[{p['low']:.4g}, {p['high']:.4g}]") for p in points[::SPARSE]]
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    lines = [f"{t:>{widths[0]}}  {v:>{widths[1]}}  {i}" for t, v, i in told]
    p = f"p = {doses.straight:.2g}" if doses.straight >= 0.001 else "p < 0.001"
    if doses.straight < 0.05:
        return [*lines, f"The curve bends ({p} of a straight one): one slope does not tell the effect on {outcome}."]
    return [*lines, f"Nothing tells the curve from a straight line ({p})."]


def _points(doses: Doses) -> list[dict[str, float]]:
    columns = zip(*(part.tolist() for part in (doses.doses, doses.value, doses.low, doses.high)), strict=True)
    return [dict(zip(("dose", "value", "low", "high"), row, strict=True)) for row in columns]


def _overlap(overlap: Overlap) -> dict[str, Any]:
    return {
        "outside": overlap.outside,
        "clipped": overlap.clipped,
        "largest_difference_before": float(np.abs(overlap.before).max(initial=0)),
        "largest_difference_after": float(np.abs(overlap.after).max(initial=0)),
        "verdict": overlap.verdict,
    }
