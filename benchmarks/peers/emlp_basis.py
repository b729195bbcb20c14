"""The basis of `emlp` (Finzi, Welling and Wilson 2021, arXiv:2104.09459) for one case, cold and warm.

The recipe for its environment is in `benchmarks.equivariant_basis`. emlp 1.0.3 does not start on today's packages; what
it takes is below, and nothing else of it is changed.
"""

import functools
import json
import math
import sys
import types
from collections.abc import Callable
from typing import Any

from benchmarks.timing import Work, serve_once


class _Absent(types.ModuleType):
    """A module in which every name is an empty class."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def revive() -> None:
    """Make `emlp` importable and its iterative solver usable on current packages.

    Its `nn` imports objax, which no longer runs and which neither the solver nor the flax networks need: empty modules
    stand in for it. Its progress bar fails on NumPy's scalars: it is disabled.
    """
    for name in ("objax.functional", "objax.nn.init", "objax.nn", "objax.variable", "objax.module", "objax"):
        module = sys.modules[name] = _Absent(name)
        for child in ("nn", "functional"):
            if f"{name}.{child}" in sys.modules:
                setattr(module, child, sys.modules[f"{name}.{child}"])
    from emlp.reps import representation

    representation.tqdm = functools.partial(representation.tqdm, disable=True)


def tensors(sum_of: list[tuple[int, int, int]], group: Any) -> Any:
    """Return the sum of (multiplicity, p, q) as a representation of a group."""
    from emlp.reps import T

    return sum(multiplicity * T(p, q)(group) for multiplicity, p, q in sum_of)


def make(case: dict[str, Any]) -> Work:
    """Return the solution of {"group": [name, arguments...], "in": sum, "out": sum}."""
    revive()
    import emlp.groups
    import jax
    import numpy as np
    from emlp.reps import Rep

    name, *arguments = case["group"]
    group = getattr(emlp.groups, name)(*arguments)
    maps = tensors(case["in"], group) >> tensors(case["out"], group)
    solve: Callable = maps.equivariant_basis

    def describe(basis: Any) -> dict[str, Any]:
        if not isinstance(basis, jax.Array):  # an operator that is never multiplied out
            return {"dim": basis.shape[-1]}
        errors = np.asarray(maps.constraint_matrix() @ basis)
        residual = float(np.max(np.abs(errors), initial=0))
        return {"dim": basis.shape[-1], "residual": residual if math.isfinite(residual) else None}

    return Work(lambda: jax.block_until_ready(solve()), Rep.solcache.clear, describe)


if __name__ == "__main__":
    serve_once(lambda: make(json.loads(sys.argv[1])), "emlp", "jax")
