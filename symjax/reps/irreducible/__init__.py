"""Irreps of the groups whose irreps have names."""

import importlib
from typing import TYPE_CHECKING

from symjax.reps.irreducible.named import irreps as irreps
from symjax.reps.irreducible.planar import Angles as Angles

if TYPE_CHECKING:
    from symjax.reps.irreducible.orthogonal import Irreps as Irreps


def __getattr__(name: str):
    """Load `Irreps`, which needs e3nn, on first use."""
    if name == "Irreps":
        return importlib.import_module("symjax.reps.irreducible.orthogonal").Irreps
    raise AttributeError(f"module 'symjax.reps.irreducible' has no attribute {name!r}")
