"""How every verb reads its options: flags from the fields of a dataclass, none with a prefix."""

import pathlib
from typing import Annotated, Any

import tyro
from tyro.conf import Positional, arg

RunDirectory = Annotated[pathlib.Path, Positional, arg(metavar="RUN", help="a run directory of symjax")]
CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff)
OWN, NETWORK, TRAINING = arg(name=""), arg(name="network"), arg(name="training")
"""The titles under which `--help` shows the options of a task, its network and its training; its own stand first."""


def switched(arguments: list[str], *names: str) -> list[str]:
    """Return the words with True after each of the named flags that stands alone."""
    words: list[str] = []
    for word, after in zip(arguments, [*arguments[1:], ""], strict=False):
        words += [word, "True"] if word in names and after not in ("True", "False") else [word]
    return words


def parse_options(kind: Any, verb: str, arguments: list[str], **more: Any) -> Any:
    """Return the options of a verb; exits with a usage message and 2 where the arguments make none."""
    return tyro.cli(kind, args=arguments, prog=f"symjax {verb}", config=CONFIG, **more)
