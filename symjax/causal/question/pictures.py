"""The pictures of an answer: estimates, overlap and balance, sensitivity, the graph."""

import pathlib

import numpy as np

from symjax.causal.graphs import draw_graph
from symjax.causal.question.answer import Answer
from symjax.causal.refute import adjusted

BLUE, GREY, ORANGE = "#1f77b4", "#888888", "#d95f02"
MOST_LABELS = 4  # of the strongest covariates


def draw_answer(folder: pathlib.Path, answer: Answer) -> list[str]:
    """Draw all pictures that the answer has, and return their names."""
    names = ["estimates.png"]
    _draw_estimates(folder / "estimates.png", answer)
    if answer.plan.graph is not None:
        plan = answer.plan
        draw_graph(
            folder / "graph.png",
            answer.plan.graph,
            hidden=plan.hidden,
            adjustment=plan.covariates,
            treatment=[plan.treatment],
            outcome=[plan.outcome],
        )
        names.append("graph.png")
    if answer.doses is not None:
        _draw_doses(folder / "doses.png", answer)
        names.append("doses.png")
    if answer.overlap is not None:
        _draw_overlap(folder / "overlap.png", answer)
        names.append("overlap.png")
    if answer.sensitivity is not None:
        _draw_sensitivity(folder / "sensitivity.png", answer)
        names.append("sensitivity.png")
    return names


def _draw_estimates(path: pathlib.Path, answer: Answer) -> None:
    from matplotlib.figure import Figure

    rows = answer.estimates[::-1]
    figure = Figure((7, 0.9 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        colour = BLUE if row.main else GREY
        axes.plot([row.low, row.high], [place, place], color=colour, lw=2.5 if row.main else 1.5)
        axes.plot(row.value, place, "o", color=colour, ms=7 if row.main else 5)
    several = len({row.contrast for row in rows}) > 1
    labels = [f"{row.method}, {row.contrast}" if several else row.method for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_xlabel(f"effect on {answer.plan.outcome}, with 95 % intervals")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _draw_doses(path: pathlib.Path, answer: Answer) -> None:
    from matplotlib.figure import Figure

    found = answer.doses
    assert found is not None
    figure = Figure((5.4, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(found.doses, found.low, found.high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(found.doses, found.value, color=BLUE, lw=2)
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xlabel(f"{answer.plan.treatment}, 5 % to 95 % of the doses seen")
    axes.set_ylabel(f"effect on {answer.plan.outcome}\nagainst {found.reference:.4g}, with 95 % intervals")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _draw_overlap(path: pathlib.Path, answer: Answer) -> None:
    from matplotlib.figure import Figure

    overlap, study = answer.overlap, answer.study
    assert overlap is not None
    figure = Figure((9, max(3.2, 0.8 + 0.28 * len(study.names))), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = np.arange(len(study.names))
    for values, marker, label in ((overlap.before, "o", "as they are"), (overlap.after, "s", "weighted")):
        largest = np.abs(values).max(axis=0)
        left.plot(largest, places, marker, color=GREY if label == "as they are" else BLUE, label=label)
    left.axvline(0.1, color="black", lw=0.8, ls=":")
    left.set_yticks(places, study.names)
    left.invert_yaxis()
    left.set_xlabel("largest standardised difference of means")
    left.legend(frameon=False)
    for k, (arm, colour) in enumerate(zip(overlap.arms, (GREY, BLUE, ORANGE, "#1b9e77"), strict=False)):
        own, others = np.array(arm.propensities), np.array(arm.others)
        for place, quantiles, style in ((k - 0.12, own, "-"), (k + 0.12, others, ":")):
            right.plot(quantiles[[0, 4]], [place] * 2, style, color=colour, lw=1.2)
            right.plot(quantiles[[1, 3]], [place] * 2, color=colour, lw=5, alpha=1 if style == "-" else 0.45)
    right.set_yticks(range(len(overlap.arms)), [f"P({arm})" for arm in study.arms[: len(overlap.arms)]])
    right.set_ylim(len(overlap.arms) - 0.5, -0.5)
    right.set_xlim(0, 1)
    right.set_xlabel("propensity, range and middle half:\nsolid in the arm, dotted in others")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _draw_sensitivity(path: pathlib.Path, answer: Answer) -> None:
    from matplotlib.figure import Figure

    found = answer.sensitivity
    assert found is not None
    marks = [(b.treatment, b.outcome, b.name) for b in found.benchmarks]
    reach = min(0.95, max(0.1, 1.3 * found.robustness, *(1.2 * max(a, b) for a, b, _ in marks)) if marks else 0.4)
    grid = np.linspace(0, reach, 80)
    left, _ = adjusted(found.estimate, found.error, found.freedom, grid[None], grid[:, None])
    figure = Figure((5.4, 4.6), layout="constrained")
    axes = figure.subplots()
    lines = axes.contour(grid, grid, left, levels=8, colors=GREY, linewidths=0.9)
    axes.clabel(lines, fontsize=8)
    axes.contour(grid, grid, left, levels=[0.0], colors=ORANGE, linewidths=2)
    labelled = sorted(marks, key=lambda mark: mark[0] * mark[1])[-MOST_LABELS:]
    for a, b, name in marks:
        axes.plot(a, b, "o", color=BLUE, ms=4)
        if (a, b, name) not in labelled:
            continue
        axes.annotate(name, (a, b), xytext=(4, 3), textcoords="offset points", fontsize=8)
    axes.set_xlabel(f"share of {answer.plan.treatment} that a hidden cause explains")
    axes.set_ylabel(f"share of {answer.plan.outcome} that it explains")
    axes.set_title("What would be left of the estimate; orange: nothing", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
