"""The effect of one column of a table on another, with its assumptions, its error and its limits."""

import csv
import dataclasses
import pathlib
from importlib import resources
from typing import Annotated

from tyro.conf import Positional, arg

from symjax.causal.question import Answer, draw_answer, effect
from symjax.data import Table, read_table
from symjax.training import write_json

SHIPPED = {  # the job-training experiment of LaLonde (1986) as Dehejia and Wahba (1999) select it
    "treatment": "treat",
    "outcome": "re78",
    "graph": "treat -> re78; "
    + "; ".join(f"{name} -> re78" for name in ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")),
}
NOTHING = ("none",)


@dataclasses.dataclass(frozen=True)
class Options:
    """The table, the question, and what is assumed."""

    table: Annotated[Positional[pathlib.Path | None], arg(metavar="TABLE")] = None  # csv or parquet; None: job training
    treatment: str | None = None  # the column that is set; None: as the graph marks it
    outcome: str | None = None  # the column that is asked for
    graph: str | None = None  # a file of arrows, DOT, GML or DAGitty, or the text itself: "Z -> T; Z -> Y; T -> Y"
    hidden: tuple[str, ...] = ()  # nodes of the graph that are no columns
    adjust: tuple[str, ...] = ()  # instead of a graph: columns that make units comparable; none: an experiment
    instrument: str | None = None  # a column that moves the treatment, and the outcome by nothing else
    modifiers: tuple[str, ...] = ()  # columns by which the effect may differ
    cluster: str | None = None  # the column of groups whose units are not independent
    control: str | None = None  # the value of the treatment that others are compared with; None: the least
    arms: bool = False  # the numbers of the treatment are arms, not a dose
    drop_missing: bool = False  # leave out rows with missing values
    draws: int = 100  # simulations of each refuter
    seed: int = 0


def ask(options: Options) -> tuple[Table, Answer]:
    """Return the table and the answer.

    Raises:
        ValueError: the question cannot be answered from the table; the sentence says why.
    """
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Options)}
    table = given.pop("table")
    if table is None:
        with resources.as_file(resources.files("symjax.data").joinpath("lalonde.csv")) as path:
            read = dataclasses.replace(read_table(path), name="the job-training experiment")
        given |= {name: value for name, value in SHIPPED.items() if given[name] is None}
    else:
        read = read_table(table)
    named = _names(options.adjust, read)
    given["adjust"] = () if named == NOTHING else named or None
    for name in ("hidden", "modifiers"):
        given[name] = _names(given[name], read)
    return read, effect(read, **given)


def _names(words: tuple[str, ...], table: Table) -> tuple[str, ...]:
    """Return names, of which a word may hold several between commas unless it is a column itself."""
    return tuple(part for word in words for part in ([word] if word in table.columns else word.split(",")) if part)


def write_answer(folder: pathlib.Path, table: Table, answer: Answer) -> list[str]:
    """Write report.json, the pictures, and effects.csv, a line for each unit; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", answer.report())
    (folder / "page.txt").write_text(answer.page() + "\n", encoding="utf-8")
    names = ["page.txt", "report.json", *draw_answer(folder, answer)]
    if answer.units is not None:
        first = 0 if table.first is None else table.first
        with (folder / "effects.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["row" if table.first is None else "line", "effect", "low", "high"])
            units = answer.units
            for row, *numbers in zip(answer.study.rows, units.effect, units.low, units.high, strict=True):
                writer.writerow([first + int(row), *(f"{number:.6g}" for number in numbers)])
        names.append("effects.csv")
    return names
