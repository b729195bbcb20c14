"""`symjax effect`: a table and a causal question to one page, and a folder of what stands behind it."""

import dataclasses
import pathlib
from typing import Annotated

from symjax.cli.options import OWN, parse_options, switched
from symjax.tasks import effect as task
from symjax.training import free_folder


@dataclasses.dataclass(frozen=True)
class Effect:
    """Answer how one column of a table changes another; without a table, whether job training raised earnings.

    The exit code is 1 where the effect is not identified: that is an answer.
    """

    options: Annotated[task.Options, OWN] = dataclasses.field(default_factory=task.Options)
    out: pathlib.Path | None = None  # the folder; None: runs/NAME-effect


def parse(arguments: list[str]) -> Effect:
    """Return the options."""
    return parse_options(Effect, "effect", switched(arguments, "--arms", "--drop-missing"))


def run(command: Effect) -> int:
    """Print the page and write the folder; the exit code is 1 where the effect is not identified."""
    name = "job-training" if command.options.table is None else command.options.table.stem
    folder = command.out or free_folder(f"{name}-effect")
    if (folder / "report.json").exists():
        raise ValueError(f"{folder} already holds a report; choose another --out, or move it away")
    table, answer = task.ask(command.options)
    print(answer.page())
    names = task.write_answer(folder, table, answer)
    print(f"\n{', '.join(names)} are in {folder}")
    return 0 if answer.is_identified else 1
