"""The JSON files of a run directory: written whole or not at all, read back as the types they were made from."""

import dataclasses
import json
import math
import pathlib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from symjax.training.files.disk import read_bytes, write_bytes

LARGEST, DEEPEST = 2**24, 50  # bytes and levels of a JSON file
WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    pathlib.Path: "a path",
    tuple: "a list",
}


def write_json(path: pathlib.Path, data: Mapping[str, Any]) -> None:
    """Write all of a file or nothing, to last; numbers that are not finite become null, for JSON has no word for them.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """
    text = json.dumps(finite(data), indent=2, default=str, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """Return the object of a file.

    Raises:
        ValueError: there is no such file, or it is no JSON object.
    """
    if not path.exists():
        raise ValueError(f"{path.parent} is not a run directory of symjax: there is no {path.name}")
    content = read_bytes(path, LARGEST)
    try:
        data = parse_json(content)
        if not isinstance(data, dict):
            raise ValueError(f"expected a JSON object, got {data!r:.40}")
        return data
    except ValueError as error:  # of JSON or of the encoding
        raise damaged(path, error) from None


def parse_json(content: bytes) -> Any:
    """Return the plain data of a text that anyone may have written.

    Raises:
        ValueError: it is no JSON, nested beyond reason, or holds letters of no text.
    """
    try:
        data = json.loads(content.decode())
    except (RecursionError, MemoryError):
        raise ValueError("it is nested beyond reason") from None
    depth, level = 0, [data]
    while level:
        depth, level = depth + 1, [child for item in level for child in _children(item)]
        if depth > DEEPEST:
            raise ValueError("it is nested beyond reason")
    json.dumps(data, ensure_ascii=False).encode()  # halves of letters are none
    if b"\\u0000" in content:
        raise ValueError("it holds a letter of no text, \\u0000")
    return data


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def damaged(path: pathlib.Path, error: Exception) -> ValueError:
    """Return the error that names the file, the damage and the way out."""
    return ValueError(f"{path} is damaged: {error}; restore the file, or train anew")


def decode(hint: Any, value: Any, where: str) -> Any:
    """Return plain data as the annotated type: lists become tuples, strings paths, objects dataclasses.

    Raises:
        ValueError: the data are of another type, and the sentence says where.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or type(value) is hint or (origin is typing.Literal and value in arguments):
        return value
    if origin in (types.UnionType, typing.Union):
        kind, _ = arguments  # the other one is None
        return None if value is None else decode(kind, value, where)
    if origin is tuple and arguments[0] is pathlib.Path and isinstance(value, str):  # of when there was but one
        return (pathlib.Path(value),)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(decode(arguments[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {name: decode(arguments[1], item, name) for name, item in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if hint is pathlib.Path and isinstance(value, str):
        return pathlib.Path(value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _decode_fields(hint, value, where)
    raise ValueError(f"{where} should be {_describe(hint)}, got {value!r:.40}")


def _decode_fields(kind: Any, value: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    needed = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is field.default_factory is dataclasses.MISSING and field.init
    }
    if absent := sorted(needed - value.keys()):
        raise ValueError(f"{where} has no {absent[0]!r}")
    if unknown := sorted(value.keys() - hints.keys()):
        raise ValueError(f"{where} has {unknown[0]!r}, which this version of symjax does not know")
    return kind(**{name: decode(hints[name], item, name) for name, item in value.items()})


def _describe(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(repr, typing.get_args(hint)))
    return WORDS.get(typing.get_origin(hint) or hint, "an object")


def finite(data: Any) -> Any:
    """Return plain data with null for numbers that are not finite, for which JSON has no word."""
    if isinstance(data, Mapping):
        return {name: finite(item) for name, item in data.items()}
    if isinstance(data, list | tuple):
        return [finite(item) for item in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
