"""Pictures of a basis: the matrices of its maps."""

import pathlib

import numpy as np

from symjax.reps import LinearRep, Sum
from symjax.solver.plan import Plan

MOST_PANELS = 16
MOST_DRAWN = 4_000_000  # entries of all panels


def plot_basis(plan: Plan, path: str | pathlib.Path) -> int:
    """Draw the first maps of a basis into a picture, each on the scale of its largest entry, and return how many.

    Raises:
        ValueError: If there is no map to draw.
    """
    from matplotlib.figure import Figure

    if not plan.dim:
        raise ValueError(f"there is no map to draw: {plan.advice}")
    count = min(plan.dim, MOST_PANELS, max(1, MOST_DRAWN // (plan.rep_in.size * plan.rep_out.size)))
    maps = plan.matrix(np.eye(count, plan.dim))
    parts = {"": maps} if np.isrealobj(maps) else {", real part": maps.real, ", imaginary part": maps.imag}
    panels = [(f"{i + 1}{name}", part[i], abs(maps[i]).max()) for i in range(count) for name, part in parts.items()]
    columns = min(len(panels), 4)
    figure = Figure((2.4 * columns, 2.6 * -(-len(panels) // columns)), layout="constrained")
    axes = figure.subplots(-(-len(panels) // columns), columns, squeeze=False).ravel()
    for axis, (title, values, largest) in zip(axes, panels, strict=False):
        axis.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
        axis.set_title(title, fontsize="small")
        axis.hlines(_borders(plan.rep_out), *axis.get_xlim(), color="grey", linewidth=0.5)
        axis.vlines(_borders(plan.rep_in), *axis.get_ylim(), color="grey", linewidth=0.5)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.set_visible(axis.has_data())
    figure.suptitle(f"{plan.rep_in.text} to {plan.rep_out.text}, {plan.group!r}")
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise OSError(error.errno, f"{path} could not be written: {error.strerror}") from error
    return count


def _borders(rep: LinearRep) -> list[float]:
    """Return where one term of a sum ends and the next begins."""
    terms = rep.terms if isinstance(rep, Sum) else ()
    ends = np.cumsum([term.size for term, copies in terms for _ in range(copies)])
    return [float(end) - 0.5 for end in ends[:-1]]
