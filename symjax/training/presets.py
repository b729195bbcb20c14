"""The command line of an experiment: a preset, flags for its options and the recipe, a folder, and going on."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import tyro

from symjax.training.files import read_json
from symjax.training.recipe import Recipe


class Command(NamedTuple):
    """What an experiment's `main` takes.

    Attributes:
        options: a dataclass of the experiment's own.
        recipe: how it is learnt.
        out: the run directory, or the folder of several.
        resume: go on with what is there.
    """

    options: Any
    recipe: Recipe
    out: pathlib.Path
    resume: bool = False


def command_line(presets: Mapping[str, Command], description: str | None) -> Command:
    """Read the arguments of the process; what is not named is as in the preset, by default the first without "tiny".

    Flags have the names of the fields of options and recipe, without a prefix.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    usual = next(name for name in presets if name != "tiny")
    early.add_argument("--preset", choices=presets, default=usual)
    default = presets[early.parse_known_args()[0].preset]
    fields = [(name, type(value), dataclasses.field(default=value)) for name, value in default._asdict().items()]
    fields[2] = ("out", pathlib.Path, fields[2][2])
    kind = dataclasses.make_dataclass("Experiment", fields)
    asked = tyro.cli(kind, description=description, config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff))
    return Command(*(getattr(asked, name) for name in Command._fields))


def read_report(folder: pathlib.Path) -> dict[str, Any] | None:
    """Return the report of a finished run, and None where there is none yet."""
    return read_json(folder / "report.json") if (folder / "report.json").exists() else None
