"""`symjax convert`: a potential that others trained becomes a run directory."""

import dataclasses
import pathlib
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from symjax.cli.options import parse_options
from symjax.tasks import converted
from symjax.training import free_folder


@dataclasses.dataclass(frozen=True)
class Convert:
    """Make a run directory of a potential that others trained, for every verb that takes one."""

    kind: Annotated[Literal["sevennet"], Positional, arg(help="what it is; needs the extra of this name")]
    checkpoint: Annotated[
        pathlib.Path | None,
        Positional,
        arg(metavar="CHECKPOINT", help="a file, or the name of one that sevenn ships; by default SevenNet-0"),
    ] = None
    out: pathlib.Path | None = None  # the run directory; None: runs/KIND


def parse(arguments: list[str]) -> Convert:
    """Return the options."""
    return parse_options(Convert, "convert", arguments)


def run(command: Convert) -> int:
    """Convert, and say what there is now."""
    folder = command.out or free_folder(command.kind)
    made = converted.convert(converted.Options(command.kind, command.checkpoint), folder)
    print(f"{folder} holds a {made.name} of {len(made.species)} elements and cutoff {made.options['cutoff']} Å")
    return 0
