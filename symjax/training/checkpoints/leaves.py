"""The leaves of a tree on the host: what they are, whether they are others, and whether they are finite."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from symjax.training.files import OtherModelError


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)


def to_host(tree: PyTree) -> PyTree:
    """Copy to NumPy arrays that no donated buffer can overwrite; random keys become their data."""
    return jax.tree.map(lambda x: np.array(jax.random.key_data(x) if _is_key(x) else x), tree)


def like(target: PyTree | None, host: PyTree) -> PyTree:
    """Give random keys back their type, as in the target."""
    if target is None:
        return host
    wrap = lambda t, x: jax.random.wrap_key_data(x, impl=jax.random.key_impl(t)) if _is_key(t) else x  # noqa: E731
    return jax.tree.map(wrap, target, host)


def _leaves(tree: PyTree) -> list[tuple[str, np.ndarray]]:
    """Return sorted (path, array) pairs; the path is the same for a NamedTuple and a dictionary with its names."""
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    return sorted((jax.tree_util.keystr(path, simple=True, separator="/"), np.asarray(leaf)) for path, leaf in flat)


def first_infinite(tree: PyTree) -> str | None:
    """Return the path of a leaf that holds a number that is not finite, and None where all are."""
    floats = ((path, leaf) for path, leaf in _leaves(tree) if jax.numpy.issubdtype(leaf.dtype, np.inexact))
    return next((path for path, leaf in floats if not np.isfinite(leaf).all()), None)


def describe(tree: PyTree) -> dict[str, str]:
    """Return the type and shape of each leaf, by its path."""
    return {path: f"{leaf.dtype}{list(leaf.shape)}" for path, leaf in _leaves(tree)}


def digest(tree: PyTree) -> str:
    """Return the SHA-256 of all leaves with their paths, types and shapes."""
    content = hashlib.sha256()
    for path, leaf in _leaves(tree):
        content.update(f"{path}|{leaf.dtype}|{leaf.shape}|".encode())
        content.update(np.ascontiguousarray(leaf).tobytes())
    return content.hexdigest()


def require_same_leaves(what: str, name: str, host: PyTree | None, written: Mapping[str, dict]) -> None:
    """Refuse an item of other leaves than expected; without expectations all are right.

    Raises:
        OtherModelError: the first leaf that differs, and whether it does so by its precision alone.
    """
    if name not in written:
        raise OtherModelError(f"{what} holds {sorted(written)} and no {name!r}")
    expected = written[name] if host is None else describe(host)
    for path in sorted(expected.keys() | written[name].keys()):
        here, there = expected.get(path, "absent"), written[name].get(path, "absent")
        if here != there and _narrow(here) == _narrow(there):
            advice = f"{'unset' if _narrow(there) == there else 'set'} JAX_ENABLE_X64, as the run had it"
            raise OtherModelError(
                f"{what} is of another precision: {name}/{path} is {there} there and {here} here; {advice}"
            )
        if here != there:
            raise OtherModelError(
                f"{what} is of another model or optimiser: {name}/{path} is {there} there and {here} here; "
                "use the settings it was made with"
            )


def _narrow(leaf: str) -> str:
    """Return the description of a leaf in single precision."""
    return re.sub(r"^(int|uint|float)64", r"\g<1>32", leaf).replace("complex128", "complex64")
