"""What causes what, what can be known of it from a table, and what stays true when the causes of the data change.

Rooms: `graphs` and `identify` (what a drawing implies and which effects it identifies, without jax), `estimate`,
`refute`, `scm`, `discover`, and `question`, which puts a question to a table by all of them. The names of this folder
are loaded on first use, so that the first two need no jax.
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
    from symjax.causal.question import Answer, effect

__all__ = [
    "Answer",
    "Environments",
    "coral",
    "effect",
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

RULES = ("coral", "erm", "fishr", "group_dro", "irm", "mmd", "vrex")
HOMES: dict[str, str] = {**dict.fromkeys(RULES, "invariance"), "Answer": "question", "effect": "question"}


def __getattr__(name: str):
    """Load a name of this folder on first use."""
    if name in __all__:
        home = importlib.import_module(f"symjax.causal.{HOMES.get(name, 'environments')}")
        return getattr(home, name)
    raise AttributeError(f"module 'symjax.causal' has no attribute {name!r}")
