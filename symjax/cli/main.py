"""`symjax VERB ...`: parse, import what the verb needs, and turn user errors into one sentence and exit code 2."""

import contextlib
import dis
import errno
import importlib
import io
import os
import pathlib
import signal
import sys
import warnings
from typing import TextIO

from symjax.cli.cache import keep_compiled
from symjax.cli.interrupt import interruptible
from symjax.cli.memory import keep_memory

VERBS = {
    "train": "train a model of atoms, on your data or on the ethanol that ships",
    "forecast": "forecast the series of a table, beside the simple methods that often do better",
    "effect": "answer whether a column of a table causes another, and how far the answer can be trusted",
    "evaluate": "measure the errors of a trained model on labelled structures or another table",
    "predict": "write what a trained model says of structures, or of what comes after a table",
    "relax": "move structures downhill, and find their frequencies or phonons",
    "check": "measure the laws of a trained model",
    "convert": "make a run of a potential that others trained, such as SevenNet-0",
    "md": "move the atoms of a structure as a trained model says",
    "laws": "measure which laws of a potential energy a calculator of ASE obeys",
    "basis": "solve for all equivariant linear maps between two representations",
    "doctor": "show versions and devices, and look for known faults of the installation",
}


@interruptible()
def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exits with 0 when done, with 2 when the input or the machine is at fault and with 130 on ctrl-C."""
    closed = _reopen_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal knows Å
    try:
        if closed:
            raise OSError(errno.EBADF, "standard output is closed; give it a file, such as /dev/null")
        if not __debug__:
            raise ValueError("python -O drops assertions that other libraries work by; leave it out")
        try:
            sys.exit(_run(_own_process() if arguments is None else arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read the output has seen enough: end as the signal would
        _silence(sys.stdout)
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        if (sentence := _of_output(error) or _sentence(error) or _of_platform()) is None:
            raise
        _tell(f"symjax: {sentence}")
        sys.exit(2)


def _reopen_streams() -> bool:
    """Give closed streams to nobody, for the next file to be opened would get their number; was it the output?"""
    closed = sys.stdout is None
    for number in range(3):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    return closed


def _tell(sentence: str) -> None:
    """Print to stderr, if anything can be."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Send what is left of an output nowhere, so that the end of the process does not fail of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _of_output(error: Exception) -> str | None:
    """Return what to tell where a failure without a name is that of the output, which then fails again."""
    if not isinstance(error, OSError) or error.filename is not None or error.strerror != os.strerror(error.errno or 0):
        return None
    try:
        print(flush=True)
    except OSError:
        _silence(sys.stdout)
        return f"the output could not be written: {error.strerror}"
    return None


def _of_platform() -> str | None:
    """Return what to tell where the environment names devices that are not there: jax fails of it in many ways."""
    asked = os.environ.get("JAX_PLATFORMS")
    if not asked or "jax" not in sys.modules:
        return None
    try:
        sys.modules["jax"].devices()
    except Exception:
        return f"JAX_PLATFORMS={asked} names no devices that jax finds here; unset it, or set it to cpu"
    return None


def _own_process() -> list[str]:
    """Return the arguments, after setting up what only a process of its own may: memory and programs are kept."""
    keep_memory()
    warnings.formatwarning = lambda message, *_: f"symjax: {message}\n"
    arguments = [word for word in sys.argv[1:] if word != "--no-cache"]
    if len(arguments) == len(sys.argv[1:]):
        keep_compiled()
    else:
        os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    return arguments


def _run(arguments: list[str]) -> int:
    """Choose the verb, import it, and hand it the rest."""
    verb, rest = arguments[:1], arguments[1:]
    if "" in arguments:
        before = " ".join(arguments[: arguments.index("")])
        raise ValueError(
            f"nothing stands after `symjax {before}`, where a word is expected; is a shell variable empty?"
        )
    if verb and verb[0] in VERBS:
        module = importlib.import_module(f"symjax.cli.verbs.{verb[0]}")
        return module.run(module.parse(rest))
    if verb and verb[0] in ("-h", "--help"):
        print(_help())
        return 0
    asked = f"there is no verb {verb[0]!r}" if verb else "expected a verb"
    print(f"symjax: {asked}; choose one of {', '.join(VERBS)}", file=sys.stderr)
    return 2


def _help() -> str:
    lines = [f"  {verb:10}{sentence}" for verb, sentence in VERBS.items()]
    more = [
        "`symjax VERB --help` shows the options of a verb.",
        "Compiled programs are kept between runs, where `symjax doctor` says; --no-cache does without.",
    ]
    return "\n".join(["usage: symjax VERB ...", "", *lines, "", *more])


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
