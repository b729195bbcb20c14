"""The command of a group of rows: print them all, or be our side of one in a process of its own."""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.timing import Work, serve_once


def run(
    doc: str | None,
    peer: str,
    rows: Callable[..., Iterable[Mapping[str, Any]]],
    make: Callable[..., Work],
    *packages: str,
    **given: str,
) -> None:
    """Print `rows(peer_python, **given)` as lines of JSON; with `--serve WORDS` be the side that `make(*WORDS)` builds.

    Args:
        doc: Of the file.
        peer: What the environment of `--peer-python` holds.
        rows: Returns the rows.
        make: Returns the work of our side.
        packages: Distributions whose versions are reported.
        given: More options by name, with their help.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default="python", help=f"interpreter of an environment with {peer}")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    for name, told in given.items():
        parser.add_argument(f"--{name}", help=told)
    options = parser.parse_args()
    if options.serve:
        serve_once(lambda: make(*options.serve), *packages)
        return
    for row in rows(options.peer_python, **{name: getattr(options, name) for name in given}):
        print(json.dumps(row), flush=True)
