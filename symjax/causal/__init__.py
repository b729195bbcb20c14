"""What causes what, and what stays true when the causes of the data change."""

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
