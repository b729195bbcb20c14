"""Graphs as people type them: "Z -> X -> Y; X <-> Y"."""

import itertools
import re

from symjax.causal.graphs.dot import quote, unquote
from symjax.causal.graphs.sketch import Sketch

QUOTED = r'"(?:[^"\\]|\\.)*"'
ENDS = re.compile(rf"({QUOTED})|#[^\n]*|[;,\n]", re.DOTALL)
SIGN = re.compile(
    rf"({QUOTED})|(?:\s[@o]-(?:>|-|[@o]\s)|<-[@o]\s|\s*(?:<-+>|-+>|<-+|--+|(?<=\s)-(?=\s)|[→←↔]))\s*", re.DOTALL
)
SAME = {"→": "->", "←": "<-", "↔": "<->"}
PLAIN = re.compile(r"\w[\w.]*(?: \w[\w.]*)*")


def parse_arrows(text: str) -> Sketch:
    """Return what statements, separated by semicolons, commas or line breaks, draw; # begins a remark.

    Raises:
        ValueError: where a name is missing beside an arrow.
    """
    nodes: dict[str, dict[str, str]] = {}
    edges: list[tuple[str, str, str]] = []
    for statement in _split(ENDS, text)[::2]:
        if not statement.strip():
            continue
        parts = _split(SIGN, statement)
        names = [_name(part, statement) for part in parts[::2]]
        nodes.update({name: {} for name in names if name not in nodes})
        signs = [_sign(part.strip()) for part in parts[1::2]]
        edges += [(a, sign, b) for (a, b), sign in zip(itertools.pairwise(names), signs, strict=True)]
    return Sketch(nodes, edges)


def write_arrows(drawn: Sketch) -> str:
    """Return one line: the arrows, and before them the nodes where the arrows alone would not give their order."""
    seen = dict.fromkeys(itertools.chain(*((a, b) for a, _, b in drawn.edges)))
    alone = [] if list(seen) == list(drawn.nodes) else [_plain(name) for name in drawn.nodes]
    return "; ".join(alone + [f"{_plain(a)} {sign} {_plain(b)}" for a, sign, b in drawn.edges])


def _split(pattern: re.Pattern, text: str) -> list[str]:
    """Return the pieces between matches and the matches, by turns; what is quoted is no match."""
    pieces, begin = [], 0
    for found in pattern.finditer(text):
        if not found[1]:
            pieces += [text[begin : found.start()], found[0]]
            begin = found.end()
    return [*pieces, text[begin:]]


def _sign(written: str) -> str:
    short = SAME.get(written, re.sub("-+", "-", written))
    return "--" if short == "-" else short


def _name(part: str, statement: str) -> str:
    name = part.strip()
    if not name:
        raise ValueError(f"expected a name on both sides of an arrow, got {statement.strip()!r}: write 'X -> Y'")
    return unquote(name) if re.fullmatch(QUOTED, name, re.DOTALL) else name


def _plain(name: str) -> str:
    return name if PLAIN.fullmatch(name) else quote(name)
