"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line, `"name": lambda: (module, x)`. Inputs so degenerate that the output may ignore them
(a single atom, no edges) go into `DEGENERATE`: there laws hold and gradients are finite too, but may hold vacuously.
"""

from collections.abc import Callable
from typing import Any

Case = Callable[[], tuple[Any, Any]]

CASES: dict[str, Case] = {}

DEGENERATE: dict[str, Case] = {}
