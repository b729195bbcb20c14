"""Bases on disk: a compressed .npz for each pair of representations, named by what the group does there; no pickles."""

import dataclasses
import hashlib
import json
import pathlib
import tempfile
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np

from symjax.reps import LinearRep, moved
from symjax.solver.bases.basis import Basis, DenseBasis, FoldedBasis, OrbitBasis
from symjax.solver.bases.irreps_basis import IsotypicBasis, Split

FORMAT = 2
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
KINDS = {kind.__name__: kind for kind in (DenseBasis, FoldedBasis, IsotypicBasis, OrbitBasis, Split)}


def stored_path(folder: pathlib.Path, source: LinearRep, target: LinearRep, method: str) -> pathlib.Path:
    """Return the file for the maps between two representations.

    The name is a digest of what every generator does to random vectors in both, so representations that only look alike
    never share a file.
    """
    digest = hashlib.sha256(f"{FORMAT} {method} {source.size} {target.size}".encode())
    for rep in (source, target):
        x = np.random.default_rng(0).standard_normal((2, rep.size))
        for y in moved(rep, x):
            digest.update(f"{y.dtype} {y.shape}".encode() + (y + 0.0).tobytes())
    return folder / f"{digest.hexdigest()[:32]}.npz"


def save_basis(path: pathlib.Path, basis: Basis) -> None:
    """Write a basis, whole or not at all, or warn; a kind that is as fast to make, like diagrams, is not written."""
    if type(basis).__name__ not in KINDS:
        return
    try:
        _write(path, basis)
    except OSError as error:
        warnings.warn(f"{path} could not be written ({error}); its basis will be solved anew", stacklevel=2)


def _write(path: pathlib.Path, basis: Basis) -> None:
    arrays: list[np.ndarray] = []
    layout = json.dumps(_encode(basis, arrays))
    named: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays)}
    named |= {"layout": np.array(layout), "digest": np.array(_digest(layout, arrays))}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez_compressed(file, **named)
    pathlib.Path(file.name).replace(path)


def load_basis(path: pathlib.Path) -> Basis | None:
    """Return the basis of a file; None if there is none, and with a warning if it is damaged."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            layout = str(file["layout"])
            arrays = [file[f"a{i}"] for i in range(len(file.files) - 2)]
            if _digest(layout, arrays) != str(file["digest"]):
                raise ValueError("what it holds is not what was written")
            return _decode(json.loads(layout), arrays)
    except DAMAGE as error:
        warnings.warn(f"{path} is damaged ({error}); its basis is solved anew", stacklevel=2)
        return None


def _digest(layout: str, arrays: list[np.ndarray]) -> str:
    """Return what shows that nothing was changed or left out: residuals would not miss a map."""
    digest = hashlib.sha256(layout.encode())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _encode(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, arrays) for item in value]}
    if not dataclasses.is_dataclass(value):
        return value
    fields = {field.name: _encode(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    return {"kind": type(value).__name__, "fields": fields}


def _decode(value: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_decode(item, arrays) for item in value["tuple"])
    return KINDS[value["kind"]](**{name: _decode(item, arrays) for name, item in value["fields"].items()})
