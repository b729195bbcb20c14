"""The house rules that a machine can check: floors, cases, docstrings, light imports."""

import importlib
import inspect
import pathlib
import pkgutil
import subprocess
import sys

import flax.linen as nn
import pytest

import symjax
from tests.cases import CASES


def _public(package):
    return {name: getattr(package, name) for name in getattr(package, "__all__", ())}


@pytest.mark.parametrize("package", ["symjax.layers", "symjax.models"])
def test_every_public_module_has_a_case(package):
    tested = {type(make()[0]) for make in CASES.values()}
    public = {value for value in _public(importlib.import_module(package)).values() if inspect.isclass(value)}
    missing = {cls.__name__ for cls in public - tested if issubclass(cls, nn.Module)}
    assert not missing, "add a line to tests/cases.py"


def _definitions():
    for info in pkgutil.walk_packages(symjax.__path__, "symjax."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            defined_here = getattr(value, "__module__", None) == info.name
            if defined_here and not name.startswith("_") and (inspect.isclass(value) or inspect.isroutine(value)):
                yield f"{info.name}.{name}", value


def test_everything_public_has_a_docstring():
    undocumented = [name for name, value in _definitions() if not value.__doc__]
    assert not undocumented


def test_every_exported_name_exists():
    for info in pkgutil.walk_packages(symjax.__path__, "symjax."):
        _public(importlib.import_module(info.name))


def _imported_by(statement):
    """The names of the modules that a fresh interpreter has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_importing_symjax_is_light():
    assert not _imported_by("import symjax") & {"jax", "numpy", "flax", "e3nn_jax"}


def test_laws_need_neither_flax_nor_e3nn():
    loaded = _imported_by("import symjax; symjax.check; import symjax.math, symjax.groups, symjax.reps, symjax.laws")
    assert "jax" in loaded
    assert not loaded & {"flax", "e3nn_jax"}


def test_imports_go_down_the_floors():
    linter = "import importlinter.cli as cli; raise SystemExit(cli.lint_imports(no_cache=True))"
    root = pathlib.Path(__file__).parents[1]
    outcome = subprocess.run([sys.executable, "-c", linter], capture_output=True, text=True, cwd=root)
    assert outcome.returncode == 0, outcome.stdout
