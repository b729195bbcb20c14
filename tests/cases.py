"""One case for each public layer and model: a module and an input in float64, on which tests/test_laws.py runs.

A new layer or model gets one line, `"name": lambda: (module, x)`; a second input with symmetric structure gets another.
"""

from collections.abc import Callable
from typing import Any

CASES: dict[str, Callable[[], tuple[Any, Any]]] = {}
