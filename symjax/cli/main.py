"""`symjax VERB ...`: parse, import what the verb needs, and turn user errors into one sentence and exit code 2."""

import argparse
import importlib
import sys
from typing import Annotated

import tyro

from symjax.cli.config import PRESETS, Check, Doctor, Evaluate, Predict, Train

VERBS = {Train: "train", Evaluate: "evaluate", Predict: "predict", Check: "check", Doctor: "doctor"}


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exits with 0 when done and with 2 when the input is at fault."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command = _parse(arguments)
    verb = importlib.import_module(f"symjax.cli.{VERBS[type(command)]}")
    try:
        sys.exit(verb.run(command))
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        if "--traceback" in arguments:
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"symjax: {message}", file=sys.stderr)
        sys.exit(2)


def _parse(arguments: list[str]) -> Train | Evaluate | Predict | Check | Doctor:
    preset = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    preset.add_argument("--preset", choices=PRESETS, default="small")
    default = PRESETS[preset.parse_known_args(arguments)[0].preset]
    train = tyro.conf.subcommand("train", default=default)
    commands = (
        Annotated[Train, train]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Predict, tyro.conf.subcommand("predict")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Doctor, tyro.conf.subcommand("doctor")]
    )
    options = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagConversionOff)
    description = "Train, measure and check lawful layers. `symjax VERB --help` shows the options of a verb."
    return tyro.cli(commands, args=arguments, prog="symjax", description=description, config=options)
