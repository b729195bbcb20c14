"""`symjax basis`: all equivariant linear maps between two representations, described and drawn."""

import dataclasses
import math
import pathlib
import time
from collections.abc import Sequence
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from symjax.cli.expression import read_group, read_rep
from symjax.cli.options import parse_options
from symjax.solver import Irrep, Plan, SharedIrrep, equivariant_maps, irreps_of, plot_basis, shared_irreps

PICTURES = (".png", ".pdf", ".svg")
LARGEST_MAP = 20_000_000  # entries
LARGEST_SPLIT = 512  # coordinates of a representation whose irreps are shown


@dataclasses.dataclass(frozen=True)
class Basis:
    """Solve for all equivariant linear maps between two representations, describe them and draw them."""

    group: Annotated[str, Positional, arg(metavar="GROUP", help='such as "SO(3)", "S(5)", "SO(3) * S(5)"')]
    rep_in: Annotated[str, Positional, arg(metavar="IN", help='such as "T(2)", "V + 3*Scalar", "V(SO(3)) * V(S(5))"')]
    rep_out: Annotated[str, Positional, arg(metavar="OUT", help="in the same language; G is the group")]
    method: Literal["auto", "orbits", "isotypic", "weights", "diagrams", "dense"] = "auto"
    out: pathlib.Path = pathlib.Path("basis.png")  # the picture


def parse(arguments: list[str]) -> Basis:
    """Return the options."""
    return parse_options(Basis, "basis", arguments)


def run(command: Basis) -> int:
    """Print and draw the basis; a space without maps is an answer too."""
    if command.out.suffix.lower() not in PICTURES or not command.out.parent.is_dir():
        raise ValueError(f"expected --out to be a {'|'.join(PICTURES)} file in a folder that exists, got {command.out}")
    group = read_group(command.group)
    reps = [read_rep(text, group) for text in (command.rep_in, command.rep_out)]
    entries = math.prod(rep.size for rep in reps)
    if entries > LARGEST_MAP:
        raise ValueError(f"a map has {entries} entries, and {LARGEST_MAP} is the most here; take smaller tensors")
    began = time.perf_counter()
    try:
        plan = equivariant_maps(*reps, method=command.method)
    except MemoryError as error:
        raise ValueError(f"{reps[0]} and {reps[1]} do not fit in memory; take smaller tensors or powers") from error
    seconds = time.perf_counter() - began
    describe(plan, seconds)
    if plan.dim:
        drawn = plot_basis(plan, command.out)
        print(f"picture    {command.out}, {drawn} of {plan.dim} maps")
    return 0


def describe(plan: Plan, seconds: float) -> None:
    """Print sizes, dimension, method, residual and irreps, or why there is no map."""
    group = plan.group
    lines = {
        "group": f"{group!r}, {_many(group.lie_algebra, 'tangent')}, {_many(group.generators, 'generator')}",
        "input": f"{plan.rep_in.text}, of size {plan.rep_in.size}",
        "output": f"{plan.rep_out.text}, of size {plan.rep_out.size}",
        "maps": f"dimension {plan.dim} of {plan.rep_in.size * plan.rep_out.size}",
    }
    if plan.dim:
        lines |= {"method": plan.method, "residual": f"{plan.residual:.1e}"}
    lines |= irreps(plan) | {"time": f"{seconds:.2f} s"}
    for name, text in lines.items():
        print(f"{name:11}{text}")
    if not plan.dim:
        print(f"zero is the only equivariant map: {plan.advice}")


def irreps(plan: Plan) -> dict[str, str]:
    """Return the irreps that both sides share, or the irreps of each side where no map joins them."""
    if max(plan.rep_in.size, plan.rep_out.size) > LARGEST_SPLIT or not (plan.dim == 0 or "isotypic" in plan.method):
        return {}
    try:
        if plan.dim:
            return {"irreps": "; ".join(map(_shared, shared_irreps(plan.rep_in, plan.rep_out)))}
        sides = {"irreps in": plan.rep_in, "irreps out": plan.rep_out}
        return {name: "; ".join(map(_single, irreps_of(rep))) for name, rep in sides.items()}
    except ValueError:
        return {}


def _many(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _shared(irrep: SharedIrrep) -> str:
    return f"{irrep.dimension}-dimensional, {irrep.copies_in} in, {irrep.copies_out} out"


def _single(irrep: Irrep) -> str:
    return f"{irrep.dimension}-dimensional, multiplicity {irrep.multiplicity}"
