"""What is asked for to files: names, globs, slices, and the entries of a .toml, each with how it is read."""

import dataclasses
import glob
import os
import pathlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Never

from symjax.data.structures.labels import LABELS, LabelKeys
from symjax.data.structures.reading.frames import EVERY

PARTS = ("train", "valid", "test")
RULES = {field.name for field in dataclasses.fields(LabelKeys)} | {f"{name}_key" for name in LABELS}
RULES |= {"property_units"}
KNOWN = {"path": str, "part": str, "weight": float} | dict.fromkeys(RULES, str)
KNOWN |= {"stress_factor": float}
INDEXED = re.compile(r"(?P<name>.+)@(?P<index>.+\.(csv|txt))")


class Source(NamedTuple):
    """A file, or some frames of it, and what becomes of them.

    Attributes:
        path: the file.
        frames: which of its frames, a slice or their numbers in order.
        rules: how it is read, as `read_structures` takes it.
        weight: how much each of its structures counts in a loss, beside those of other sources.
        part: "train", "valid" or "test"; of the first, parts that no source is for are split off.
    """

    path: pathlib.Path
    frames: slice | tuple[int, ...] = EVERY
    rules: Mapping[str, Any] = {}
    weight: float = 1.0
    part: str = "train"


def find_sources(words: Sequence[str | pathlib.Path], *, part: str = "train", **rules: Any) -> list[Source]:
    """Return the sources that some words name, in their order.

    A word is a file, a pattern of files such as `run*/OUTCAR`, either with a slice of frames behind it such as
    `md.xyz@:100` or `md.xyz@::10`, or with a file of their numbers, named from the folder of the first, such as
    `rmd17_ethanol.npz@../splits/index_train_01.csv`, or a .toml file, which has an entry a source,

        [[source]]
        path = ["bulk/*/OUTCAR", "slab.xyz@:100"]  # beside the .toml
        stress_key = "stress"                      # or false: do without
        weight = 2.0
        part = "valid"

    and may name in each what the options of the command name for all: keys of labels, units, length, format.

    Args:
        words: one or more.
        part: of a split, where an entry names none.
        rules: how files are read, where an entry does not say.

    Raises:
        FileNotFoundError: there is no file of a name or pattern.
        ValueError: a name is a folder's, a file of numbers holds something else, or an entry is not as above.
    """
    found = []
    for word in map(str, words):
        if word.endswith(".toml") and os.path.isfile(word):
            found += _entries(pathlib.Path(word), Source(pathlib.Path(word), rules=rules, part=part))
        else:
            found += [Source(path, frames, rules, part=part) for path, frames in _files(word)]
    return found


def read_weights(text: str | None) -> dict[str, float]:
    """Return the weights of config_types that a text such as "liquid=0.1,surface=5" names.

    Raises:
        ValueError: it is none such, or a weight is not positive.
    """
    weights = {}
    for word in text.split(",") if text else ():
        kind, _, weight = word.rpartition("=")
        try:
            weights[kind.strip()] = float(weight)
        except ValueError:
            weights[kind.strip()] = 0.0
        if not kind.strip() or not 0 < weights[kind.strip()] < float("inf"):
            raise ValueError(
                f"--config-type-weights takes positive numbers such as liquid=0.1,surface=5, and cannot read {word!r}"
            )
    return weights


def _files(word: str) -> list[tuple[pathlib.Path, slice | tuple[int, ...]]]:
    """Return the files of a name or pattern; a name that is there is only a name, whatever its letters."""
    name, frames = (word, EVERY) if os.path.exists(word) else _sliced(word)
    matches = _matches(name)
    if not matches and (listed := INDEXED.fullmatch(word)):
        return [(path, _numbers(path.parent / listed["index"])) for path in _matches(listed["name"])] or _none(name)
    return [(path, frames) for path in matches] or _none(name)


def _none(name: str) -> Never:
    raise FileNotFoundError(f"there is no file {name}")


def _matches(name: str) -> list[pathlib.Path]:
    if os.path.isfile(name):
        return [pathlib.Path(name)]
    if os.path.isdir(name):
        raise ValueError(f"{name} is a folder; name the files in it, such as '{name}/*/OUTCAR'")
    return [pathlib.Path(path) for path in sorted(glob.glob(name, recursive=True)) if os.path.isfile(path)]


def _numbers(index: pathlib.Path) -> tuple[int, ...]:
    """Return the numbers of frames that a file lists, as the splits of revised MD17 do."""
    try:
        return tuple(map(int, index.read_text().replace(",", " ").split()))
    except FileNotFoundError:
        _none(str(index))
    except ValueError:
        raise ValueError(f"{index} should list the numbers of frames, whole and from 0, and nothing else") from None


def _sliced(word: str) -> tuple[str, slice]:
    """Return a name and the slice behind its last @, of which a single number is one frame."""
    name, _, behind = word.rpartition("@")
    if not name or not re.fullmatch(r"-?\d+|(-?\d*:){1,2}-?\d*", behind):
        return word, EVERY
    if ":" not in behind:
        return name, slice(int(behind), int(behind) + 1 or None)
    bounds = [int(bound) if bound else None for bound in behind.split(":")]
    if bounds[2:] == [0]:
        raise ValueError(f"{word} asks for every 0th frame; name a step that is not 0")
    return name, slice(*bounds)


def _entries(toml: pathlib.Path, default: Source) -> list[Source]:
    try:
        data = tomllib.loads(toml.read_text())
    except ValueError as error:  # of TOML or of the encoding
        raise ValueError(f"{toml} is no TOML: {error}") from None
    entries = data.get("source")
    if data.keys() != {"source"} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ValueError(f"{toml} should hold [[source]] tables and nothing else, got {', '.join(data) or 'nothing'}")
    found = []
    for i, entry in enumerate(entries):
        found += _entry(f"{toml}, source {i}", toml.parent, entry, default)
    return found


def _entry(where: str, folder: pathlib.Path, entry: Mapping[str, Any], default: Source) -> list[Source]:
    if unknown := sorted(entry.keys() - KNOWN):
        raise ValueError(f"{where} has {unknown[0]!r}; known are {', '.join(sorted(KNOWN))}")
    if "path" not in entry:
        raise ValueError(f"{where} has no path; name a file, a pattern or a list of them")
    paths = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
    given = {name: None if value is False else value for name, value in entry.items() if name != "path"}
    for name, value in [*(("path", path) for path in paths), *given.items()]:
        _require_kind(where, name, value)
    either = {"stress_key": None} if "virial_key" in given else {"virial_key": None} if "stress_key" in given else {}
    rules = {**default.rules, **either, **{name: value for name, value in given.items() if name in RULES}}
    weight, part = float(entry.get("weight", default.weight)), entry.get("part", default.part)
    if not 0 < weight < float("inf"):
        raise ValueError(f"{where}: weight is a positive number, not {weight}; leave the source out instead")
    if part not in PARTS:
        raise ValueError(f"{where}: part is {', '.join(PARTS)}, not {part!r}")
    files = [file for path in paths for file in _files(str(folder / path))]
    return [Source(path, frames, rules, weight, part) for path, frames in files]


def _require_kind(where: str, name: str, value: Any) -> None:
    kinds = (int, float) if KNOWN[name] is float else (str,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        if value is None and name.endswith("_key"):
            return
        raise ValueError(f"{where}: {name} should be {'a number' if float in kinds else 'a string'}, got {value!r}")
