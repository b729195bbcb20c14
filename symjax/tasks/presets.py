"""How much and how long the presets of models of atoms train; their networks are in the table of potentials."""

from typing import Any, NamedTuple


class Preset(NamedTuple):
    """What differs from the defaults."""

    options: dict[str, Any]
    recipe: dict[str, Any]


PRESETS = {
    "tiny": Preset({"valid": 4.0, "test": 8.0, "batch_size": 8}, {"epochs": 2, "evaluate_every": 1, "warmup": 2}),
    "small": Preset({}, {}),
    "base": Preset({}, {"epochs": 1000, "learning_rate": 5e-3, "ema": 0.999, "warmup": 1000}),
}
