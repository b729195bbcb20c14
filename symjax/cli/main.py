"""`symjax VERB ...`: parse, import what the verb needs, and turn user errors into one sentence and exit code 2."""

import argparse
import dis
import importlib
import io
import os
import pathlib
import signal
import sys
from typing import Annotated

import tyro

from symjax.cli.config import PRESETS, Basis, Check, Doctor, Evaluate, Predict, Train
from symjax.cli.interrupt import interruptible

Command = Train | Evaluate | Predict | Check | Basis | Doctor
VERBS = {
    Train: "train",
    Evaluate: "evaluate",
    Predict: "predict",
    Check: "check",
    Basis: "basis",
    Doctor: "doctor",
}


@interruptible()
def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exits with 0 when done, with 2 when the input is at fault and with 130 on ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal knows Å
    try:
        try:
            command = _parse(sys.argv[1:] if arguments is None else arguments)
            verb = importlib.import_module(f"symjax.cli.{VERBS[type(command)]}")
            sys.exit(verb.run(command))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read the output has seen enough: end as the signal would
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        if (sentence := _sentence(error)) is None:
            raise
        print(f"symjax: {sentence}", file=sys.stderr)
        sys.exit(2)


def _sentence(error: Exception) -> str | None:
    """Return what to tell of an error that the user can mend, and None for a bug, which keeps its traceback."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError) or text.startswith("RESOURCE_EXHAUSTED"):  # as devices put it
        return f"out of memory: {text}; take smaller structures, a smaller cutoff or smaller batches"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    meant = isinstance(error, ValueError | FloatingPointError) and _raised_on_purpose(error)
    return text if meant or isinstance(error, OSError) else None


def _raised_on_purpose(error: Exception) -> bool:
    """Return whether a `raise` in symjax made the error, and no function that it called."""
    origin = error.__traceback__
    while origin is not None and origin.tb_next is not None:
        origin = origin.tb_next
    if origin is None:
        return False
    code = origin.tb_frame.f_code
    ours = pathlib.Path(code.co_filename).is_relative_to(pathlib.Path(__file__).parents[1])
    return ours and code.co_code[origin.tb_lasti] == dis.opmap["RAISE_VARARGS"]


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
