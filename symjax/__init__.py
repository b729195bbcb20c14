"""A layer is an arrow between two representations: a pure function with a declared law."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symjax.laws import Causality, Equivariance, Report, check, prove
    from symjax.tasks import load

__all__ = ["Causality", "Equivariance", "Report", "check", "load", "prove"]


def __getattr__(name: str):
    """Load laws and trained models on first use, so that `import symjax` stays instant."""
    if name in __all__:
        return getattr(importlib.import_module("symjax.tasks" if name == "load" else "symjax.laws"), name)
    raise AttributeError(f"module 'symjax' has no attribute {name!r}")
