"""`symjax VERB ...`: parse, import what the verb needs, and turn user errors into one sentence and exit code 2."""

import argparse
import importlib
import pathlib
import sys
import traceback
from typing import Annotated

import tyro

from symjax.cli.config import PRESETS, Basis, Check, Doctor, Evaluate, Predict, Train

Command = Train | Evaluate | Predict | Check | Basis | Doctor
VERBS = {
    Train: "train",
    Evaluate: "evaluate",
    Predict: "predict",
    Check: "check",
    Basis: "basis",
    Doctor: "doctor",
}


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exits with 0 when done and with 2 when the input is at fault."""
    try:
        command = _parse(sys.argv[1:] if arguments is None else arguments)
        verb = importlib.import_module(f"symjax.cli.{VERBS[type(command)]}")
        sys.exit(verb.run(command))
    except (ValueError, FloatingPointError, OSError) as error:
        if not isinstance(error, OSError) and not _raised_on_purpose(error):
            raise
        print(f"symjax: {_sentence(error)}", file=sys.stderr)
        sys.exit(2)


def _raised_on_purpose(error: Exception) -> bool:
    """Return whether a `raise` in symjax made the error; one that comes from below is a bug and keeps its traceback."""
    origin = traceback.extract_tb(error.__traceback__)[-1]
    ours = pathlib.Path(origin.filename).is_relative_to(pathlib.Path(__file__).parents[1])
    return ours and (origin.line or "").startswith("raise ")


def _sentence(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return " ".join(text.split()) or type(error).__name__


def _parse(arguments: list[str]) -> Command:
    train = tyro.conf.subcommand("train", default=_defaults(arguments))
    commands = (
        Annotated[Train, train]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Predict, tyro.conf.subcommand("predict")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Basis, tyro.conf.subcommand("basis")]
        | Annotated[Doctor, tyro.conf.subcommand("doctor")]
    )
    options = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagConversionOff)
    description = "Train, measure and check lawful layers. `symjax VERB --help` shows the options of a verb."
    return tyro.cli(commands, args=arguments, prog="symjax", description=description, config=options)


def _defaults(arguments: list[str]) -> Train:
    """Return what the options of `train` are without being named: those of the run to resume, else of the preset."""
    early = argparse.ArgumentParser(prog="symjax", add_help=False, allow_abbrev=False)
    early.add_argument("--preset", choices=PRESETS, default="small")
    early.add_argument("--resume", type=pathlib.Path)
    known = early.parse_known_args(arguments)[0]
    if known.resume is None:
        return PRESETS[known.preset]
    from symjax.cli.run import read_config

    return read_config(known.resume)
