"""The README and the pages of docs/ are true: links lead somewhere, commands parse, code prints what it says."""

import ast
import importlib
import os
import pathlib
import re
import shlex
import subprocess
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = ROOT / "README.md"
EXAMPLES = [ROOT / "docs" / name for name in ("choosing.md", "conventions.md", "extending.md")]


def _blocks(language, page=README):
    blocks = re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)
    return [textwrap.dedent(block) for block in blocks]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    dead = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert not dead


def test_every_page_can_be_reached_from_the_readme():
    linked = {(ROOT / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)\)", README.read_text())}
    assert set(PAGES) - linked == {README}


def _commands():
    """The lines of the README that start with `symjax`, without their comments."""
    lines = [line for block in _blocks("bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("symjax ")]


@pytest.mark.parametrize("arguments", [a for a in _commands() if "--resume" not in a], ids=" ".join)
def test_commands_parse(arguments):
    verb, *rest = arguments
    assert importlib.import_module(f"symjax.cli.verbs.{verb}").parse(rest)


@pytest.mark.parametrize("code", _blocks("python"), ids=("laws", "maps", "potential", "calculator", "forces"))
def test_imports_exist(code):
    imports = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "README.md", "exec"), {})


@pytest.mark.parametrize(
    ("code", "text"), list(zip(_blocks("python"), _blocks("text"), strict=False)), ids=("laws", "maps")
)
def test_code_prints_what_the_readme_says(code, text, strict_python):
    outcome = subprocess.run(
        [*strict_python, "-c", code],
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert _without_residuals(outcome.stdout) == _without_residuals(text)


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_examples_hold(page):
    blocks = _blocks("python", page)
    assert blocks
    for code in blocks:
        exec(compile(code, page.name, "exec"), {})


def _without_residuals(report):
    """The lines of a report without the digits that depend on the machine."""
    return re.sub(r"residual \S+", "", report).splitlines()
