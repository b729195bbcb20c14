"""Strict JAX for every test: float64, four virtual devices, no silent promotion, quick compilation and its cache."""

import ctypes
import importlib.metadata
import os
import pathlib
import sys

FLAGS = ["--xla_force_host_platform_device_count=4", "--xla_cpu_parallel_codegen_split_count=1"]
if importlib.metadata.version("jaxlib").startswith("0.10."):
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")  # half the time of compilation; later ones know no other way
os.environ["XLA_FLAGS"] = " ".join([*FLAGS, os.environ.get("XLA_FLAGS", "")])
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")  # a test compiles for longer than it computes
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.pop("SYMJAX_BASES", None)

CACHE = pathlib.Path(
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(pathlib.Path(__file__).parent / ".jax_cache"))
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

LIBC = ctypes.CDLL(None)
SLOW = ("test_laws.py", "notebooks", "experiments", "cli", "potentials/test_properties.py")


def pytest_collection_modifyitems(items):
    """The slow files first: a file goes to one worker, and none should end alone with one."""
    items.sort(key=lambda item: not str(item.path.relative_to(pathlib.Path(__file__).parent)).startswith(SLOW))


def forget():
    """Drop all compiled programs, and give their memory back to the system where malloc would keep it."""
    jax.clear_caches()
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)


@pytest.fixture(scope="session")
def strict_python(pytestconfig) -> list[str]:
    """The words that start a fresh interpreter which takes the warnings as pytest does."""
    return [sys.executable, *(f"-W{rule}" for rule in pytestconfig.getini("filterwarnings"))]


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Drop what a file compiled, so that workers stay small; the cache on disk gives it back to the next that asks."""
    yield
    forget()


@pytest.fixture
def shared() -> pathlib.Path:
    """The folder of reference data that may lie beside the checkout; skips where it is absent."""
    folder = pathlib.Path(__file__).parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs the reference data folder 'shared' beside the checkout")
    return folder
