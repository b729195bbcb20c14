"""What causes what, what can be known of it from a table, and what stays true when the causes of the data change.

Rooms: `graphs` and `identify` (what a drawing implies and which effects it identifies, without jax), `estimate`,
`refute`, `scm`, `discover`. The names of this folder are loaded on first use, so that the first two need no jax.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symjax.causal.environments import (
        Environments,
        feature_moments,
        gradient_moments,
        head_gradients,
        kernel_embedding,
        logit_slopes,
        output_slopes,
    )
    from symjax.causal.invariance import coral, erm, fishr, group_dro, irm, mmd, vrex

__all__ = [
    "Environments",
    "coral",
    "erm",
    "feature_moments",
    "fishr",
    "gradient_moments",
    "group_dro",
    "head_gradients",
    "irm",
    "kernel_embedding",
    "logit_slopes",
    "mmd",
    "output_slopes",
    "vrex",
]

RULES = {"coral", "erm", "fishr", "group_dro", "irm", "mmd", "vrex"}


def __getattr__(name: str):
    """Load a name of this folder on first use."""
    if name in __all__:
        home = "symjax.causal.invariance" if name in RULES else "symjax.causal.environments"
        return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'symjax.causal' has no attribute {name!r}")
