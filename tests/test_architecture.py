"""The house rules that a machine can check: floors, cases, docstrings, light imports."""

import ast
import importlib
import inspect
import pathlib
import pkgutil
import subprocess
import sys

import flax.linen as nn
import pytest

import symjax.layers
from tests.cases import CASES

ROOT = pathlib.Path(__file__).parents[1]


ROOMS = [room.name for room in pkgutil.iter_modules(symjax.layers.__path__, "symjax.layers.")]


@pytest.mark.parametrize("package", [*ROOMS, "symjax.models", "symjax.models.atoms"])
def test_every_public_module_has_a_case(package):
    tested = {type(make()[0]) for make in CASES.values()}
    public = {cls for cls in vars(importlib.import_module(package)).values() if inspect.isclass(cls)}
    missing = {cls.__name__ for cls in public - tested if issubclass(cls, nn.Module)}
    assert public
    assert not missing, "add a line to tests/cases"


def _undocumented(path):
    """The public functions, classes and methods of a file that have no docstring."""
    scopes = [ast.parse(path.read_text())]
    for node in scopes:
        for child in node.body:
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                if not ast.get_docstring(child):
                    yield f"{path.name}:{child.lineno} {child.name}"
                if isinstance(child, ast.ClassDef):
                    scopes.append(child)


def test_everything_public_has_a_docstring():
    missing = [name for path in ROOT.glob("symjax/**/*.py") for name in _undocumented(path)]
    assert not missing


def test_every_exported_name_exists():
    for info in pkgutil.iter_modules(symjax.__path__, "symjax."):
        package = importlib.import_module(info.name)
        assert all(hasattr(package, name) for name in getattr(package, "__all__", ()))


def test_no_folder_has_more_than_fifteen_files():
    folders = [folder for folder in ROOT.glob("symjax/**/") if folder.name != "__pycache__"]
    crowded = {str(folder): len(files) for folder in folders if len(files := [*folder.glob("[!_]*.py")]) > 15}
    assert not crowded, "cut it by idea into rooms"


def _past_the_front_door(path):
    """Imports of names from a file of another folder of the package, which only its `__init__` may name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symjax."):
            target = ROOT / node.module.replace(".", "/")
            if not target.is_dir() and target.parent not in path.parents:
                yield f"{path.relative_to(ROOT)}: {node.module}"


def test_nobody_imports_what_a_folder_does_not_name():
    files = [path for path in ROOT.glob("symjax/**/*.py") if path.name != "__main__.py"]
    assert not [name for path in files for name in _past_the_front_door(path)]


def _imported_by(statement):
    """The names of the modules that a fresh interpreter has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_importing_symjax_is_light():
    assert not _imported_by("import symjax") & {"jax", "numpy", "flax", "e3nn_jax"}


def test_libraries_of_tables_are_imported_by_the_functions_that_read_them():
    for path in ROOT.glob("symjax/**/*.py"):
        imports = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in imports}
        assert not {name.split(".")[0] for name in names} & {"pandas", "narwhals", "pyarrow"}, path


def test_laws_and_solver_need_neither_flax_nor_e3nn():
    loaded = _imported_by("import symjax.math, symjax.groups, symjax.reps, symjax.laws, symjax.solver; symjax.check")
    assert "jax" in loaded
    assert not loaded & {"flax", "e3nn_jax"}


def test_models_of_matrix_groups_sets_and_series_need_no_e3nn():
    assert not _imported_by("import symjax.models") & {"e3nn_jax", "sympy"}


def test_imports_go_down_the_floors():
    linter = "import importlinter.cli as cli; raise SystemExit(cli.lint_imports(no_cache=True))"
    outcome = subprocess.run([sys.executable, "-c", linter], capture_output=True, text=True, cwd=ROOT)
    assert outcome.returncode == 0, outcome.stdout
