"""DOT and DAGitty: one small parser, two writers.

Both are `word { statements }` with nodes, chains of edges, attributes in brackets and groups in braces. DOT says
`dir=both` where DAGitty says `<->`; DAGitty marks nodes `[latent]`, `[exposure]`, `[outcome]`, `[adjusted]`.
"""

import itertools
import re
from collections.abc import Iterator

from symjax.causal.graphs.sketch import Sketch

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/|\#[^\n]*)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<edge><->|->|<-@?|--@?|@->|@--?@?)
      | (?P<html><(?:[^<>]|<[^<>]*>)*>)
      | (?P<sign>[{}\[\];,=:+])
      | (?P<word>-?[.\d]+(?![\w.])|[\w.]+)
    """,
    re.VERBOSE | re.DOTALL,
)
SIGNS = {"forward": "->", "back": "<-", "both": "<->", "none": "--"}
HEADS = {"strict", "graph", "digraph", "dag", "pdag", "mag", "pag"}


def parse_dot(text: str) -> Sketch:
    """Return what a text in DOT or DAGitty's language draws.

    Raises:
        ValueError: where the text does not follow the grammar, with the line.
    """
    parser = _Parser(text)
    parser.graph()
    return Sketch(parser.nodes, parser.edges)


def write_dot(drawn: Sketch) -> str:
    """Return DOT: two-headed arrows are dashed with `dir=both`, hidden nodes have `observed="no"`."""
    lines = [_quote(v) + _bracket(f'{n}="{x}"' for n, x in marks.items()) for v, marks in drawn.nodes.items()]
    tails = {"->": "", "<->": " [dir=both, style=dashed]"}
    lines += [f"{_quote(a)} -> {_quote(b)}{tails[sign]}" for a, sign, b in drawn.edges]
    return "digraph {\n" + "".join(f"  {line};\n" for line in lines) + "}\n"


def write_dagitty(drawn: Sketch) -> str:
    """Return a model for dagitty.net: hidden nodes are `latent`."""
    words = {"observed": "latent"}
    lines = [_quote(v) + _bracket(words.get(n, n) for n in marks) for v, marks in drawn.nodes.items()]
    lines += [f"{_quote(a)} {sign} {_quote(b)}" for a, sign, b in drawn.edges]
    return "dag {\n" + "".join(f"{line}\n" for line in lines) + "}\n"


def quote(name: str) -> str:
    """Return a name in double quotes, with those it has itself, and backslashes, escaped."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote(text: str) -> str:
    """Return what stands in double quotes; a backslash joins two lines."""
    return re.sub(r'\\(\n|"|\\)', lambda found: found[1].strip("\n"), text[1:-1])


def _quote(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_]\w*", name) and name.lower() not in HEADS | {"node", "edge", "subgraph"}
    return name if plain else quote(name)


def _bracket(words: Iterator[str]) -> str:
    listed = ", ".join(words)
    return f" [{listed}]" if listed else ""


class _Parser:
    """Reads tokens one by one; nodes and edges gather in `nodes` and `edges`."""

    def __init__(self, text: str):
        self.tokens = list(_tokens(text))
        self.at = 0
        self.nodes: dict[str, dict[str, str]] = {}
        self.edges: list[tuple[str, str, str]] = []

    def peek(self) -> tuple[str, str]:
        """Return the kind and the text of the next token."""
        return self.tokens[self.at][:2]

    def take(self, *expected: str) -> str:
        """Return the next token and step on; it is to be an expected sign, or a name where none is expected."""
        kind, value, line = self.tokens[self.at]
        named = kind in ("word", "quoted", "html")
        if named == bool(expected) or (expected and value not in expected):
            wanted = " or ".join(repr(sign) for sign in expected) or "a name"
            raise ValueError(f"expected {wanted} in line {line}, got {value!r}: check the brackets before it")
        self.at += 1
        return value

    def skip(self, sign: str) -> bool:
        """Step over a sign if it comes next."""
        found = self.peek() in (("sign", sign), ("edge", sign))
        self.at += found
        return found

    def name(self) -> str:
        """Return a name; DOT joins quoted parts by a plus."""
        kind, _ = self.peek()
        value = self.take()
        while kind == "quoted" and self.skip("+"):
            value += self.take()
        return value

    def graph(self) -> None:
        """Read `word name { statements }`."""
        while self.peek()[0] != "sign":
            self.take()
        self.take("{")
        self.group({"node": {}, "edge": {}})
        if self.peek()[0] != "end":
            self.take("the end")

    def group(self, outer: dict[str, dict[str, str]]) -> list[str]:
        """Read statements to the closing brace and return the nodes they name."""
        defaults = {kind: dict(values) for kind, values in outer.items()}
        named: list[str] = []
        while not self.skip("}"):
            if not (self.skip(";") or self.skip(",")):
                named += self.statement(defaults)
        return named

    def statement(self, defaults: dict[str, dict[str, str]]) -> list[str]:
        """Read an assignment, defaults, or a chain of ends with its attributes; return the nodes."""
        kind, word = self.peek()
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)][:2]
        if following == ("sign", "="):
            self.at += 2
            self.name()
            return []
        if kind == "word" and word.lower() in ("graph", "node", "edge") and following == ("sign", "["):
            self.take()
            defaults.setdefault(word.lower(), {}).update(self.attributes())
            return []
        ends, signs = [self.end(defaults)], []
        while self.peek()[0] == "edge":
            signs.append(self.take(self.peek()[1]))
            ends.append(self.end(defaults))
        attributes = self.attributes()
        if signs:
            direction = (defaults["edge"] | attributes).get("dir", "")
            forced = SIGNS.get(direction.lower())
            for (some, others), sign in zip(itertools.pairwise(ends), signs, strict=True):
                self.edges += [(a, forced or sign, b) for a in some for b in others]
        else:
            for name in ends[0]:
                self.nodes[name].update(attributes)
        return list(itertools.chain(*ends))

    def end(self, defaults: dict[str, dict[str, str]]) -> list[str]:
        """Read a node (with its port) or a group in braces, and return the names."""
        if self.peek() == ("word", "subgraph"):
            self.take()
            if self.peek()[0] != "sign":
                self.name()
            self.take("{")
            return self.group(defaults)
        if self.skip("{"):
            return self.group(defaults)
        name = self.name()
        while self.skip(":"):
            self.name()
        self.nodes.setdefault(name, dict(defaults["node"]))
        return [name]

    def attributes(self) -> dict[str, str]:
        """Read what stands in brackets, if anything does."""
        found: dict[str, str] = {}
        while self.skip("["):
            while not self.skip("]"):
                if not (self.skip(",") or self.skip(";")):
                    key = self.name()
                    found[key.lower()] = self.name() if self.skip("=") else ""
        return found


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at, line = 0, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise ValueError(
                f"expected names and arrows in line {line}, got {text[at : at + 20]!r}: write names in quotes"
            )
        kind, value = str(found.lastgroup), found[0]
        if kind != "space":
            yield kind, unquote(value) if kind == "quoted" else value, line
        line += value.count("\n")
        at = found.end()
    yield "end", "the end", line
