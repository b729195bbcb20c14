"""A run directory: what a training was asked for, what it measured, and where it goes on.

run.json            the run's random name, the task's name, its options and the recipe
checkpoints/        steps, each with its digest
metrics.jsonl       one record an epoch
report.json, *.png  errors, seconds, compilations; the learning curve

A task may add files of its own, as potentials do with model.json.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax

from symjax.training.files import damaged, decode, name_of, read_json, seal, write_bytes, write_json, written_alone
from symjax.training.loop import FitResult
from symjax.training.metrics import origin
from symjax.training.parallel import initialise_distributed
from symjax.training.recipe import Recipe, require_sound
from symjax.training.run import spoken

MOVABLE = ("data", "valid_data", "test_data")  # options that say where data are; what they are, model.json knows
BEFORE_TASKS = {"out", "resume"}  # which run.json also held when all options of the one task were at one level


@dataclasses.dataclass(frozen=True)
class Run:
    """What run.json says: a task by its name, its options as plain data, and the recipe.

    The identity is the run's random name with a digest of all that, so that neither what belongs to another run nor
    what was made with other options is taken for its own; runs from before there were names have none.
    """

    task: str
    options: dict[str, Any]
    recipe: Recipe
    identity: str = ""


@contextlib.contextmanager
def enter_run(folder: pathlib.Path, task: str, options: Any, recipe: Recipe, *, resumed: bool) -> Iterator[str]:
    """Begin a run in a folder or go on with it, as its only writer, with the other processes where it is one of a pod.

    Yields:
        The identity of the run, the same in every process: of a new one before there is a file to read it from.

    Raises:
        ValueError: the folder is not free, or holds another run than the one to resume, or is being written; the recipe
            cannot be; or there are no other processes.
    """
    require = (lambda: require_same(folder, task, options, recipe)) if resumed else (lambda: require_free(folder))
    require()
    require_sound(recipe)
    if recipe.distributed and not jax.distributed.is_initialized():
        try:
            initialise_distributed()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"--distributed found no other processes to join: {error}") from error
    with written_alone(folder) as name:
        require()  # again, for what may have been written meanwhile
        yield read_run(folder).identity if resumed else _identity(_content(task, options, recipe) | {"identity": name})


def write_run(folder: pathlib.Path, task: str, options: Any, recipe: Recipe, identity: str) -> None:
    """Write run.json, on process 0.

    Args:
        folder: made if absent.
        task: the name of the task.
        options: its options, a dataclass.
        recipe: how it is learnt.
        identity: as `enter_run` yields it.
    """
    if jax.process_index() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "run.json", {"identity": name_of(identity)} | _content(task, options, recipe))


def read_run(folder: pathlib.Path) -> Run:
    """Return what a run was started with.

    Raises:
        ValueError: the folder holds no run, or run.json is damaged.
    """
    path = folder / "run.json"
    data = read_json(path)
    try:
        data = data if "task" in data else _of_one_level(data)
        return dataclasses.replace(decode(Run, data, "it"), identity=_identity(data))
    except ValueError as error:
        raise damaged(path, error) from None


def absolute_data(options: Any) -> Any:
    """Return the options of a task, a dataclass, with the paths of data as they are from anywhere."""
    named = {name: value for name in MOVABLE if (value := getattr(options, name, None)) is not None}
    return dataclasses.replace(options, **{name: _absolute(value) for name, value in named.items()})


def _absolute(paths: pathlib.Path | tuple[pathlib.Path, ...]) -> pathlib.Path | tuple[pathlib.Path, ...]:
    return paths.absolute() if isinstance(paths, pathlib.Path) else tuple(path.absolute() for path in paths)


def read_options(folder: pathlib.Path, kind: Any, options: Mapping[str, Any]) -> Any:
    """Return the options of a run as the dataclass they were made from.

    Raises:
        ValueError: they are of other names or types.
    """
    try:
        return decode(kind, dict(options), "options")
    except ValueError as error:
        raise damaged(folder / "run.json", error) from None


def _content(task: str, options: Any, recipe: Recipe) -> dict[str, Any]:
    return {"task": task, "options": plain(options), "recipe": plain(recipe)}


def _identity(data: dict[str, Any]) -> str:
    options = {name: value for name, value in data["options"].items() if name not in MOVABLE}
    return seal(data.get("identity", ""), data | {"options": options})


def _of_one_level(data: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(Recipe)}
    recipe = {name: value for name, value in data.items() if name in names}
    options = {name: value for name, value in data.items() if name not in names | BEFORE_TASKS}
    return {"task": "potential", "options": options, "recipe": recipe}


def require_free(folder: pathlib.Path) -> None:
    """Refuse a folder that holds a run, or what is left of one.

    Raises:
        ValueError: it does.
    """
    if (folder / "run.json").exists():
        raise ValueError(f"{folder} already holds a run; continue it with --resume {folder}, or choose another --out")
    if any((folder / "checkpoints").glob("[0-9]*")):
        raise ValueError(
            f"{folder} holds checkpoints but no run.json, so that they cannot be continued; choose another --out, or "
            f"move {folder / 'checkpoints'} away"
        )


def require_same(folder: pathlib.Path, task: str, options: Any, recipe: Recipe) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        ValueError: the task, an option or the recipe differs; the sentence names the first that does.
    """
    had = read_run(folder)
    known = plain(read_options(folder, type(options), had.options)) if had.task == task else had.options
    before = {"task": had.task, **_flat(known), **plain(had.recipe)}
    asked = {"task": task, **_flat(plain(options)), **plain(recipe)}
    for name in sorted(asked.keys() | before.keys()):
        if asked.get(name) != before.get(name):
            raise ValueError(
                f"{folder} was started with {name} = {before.get(name)}, not {asked.get(name)}; leave the option out, "
                "or start a new run"
            )


def require_same_data(folder: pathlib.Path, had: Mapping[str, Any], has: Mapping[str, Any]) -> None:
    """Compare what a run was started with, the data and the devices that decide its batches, with what it goes on with.

    Args:
        folder: the run directory.
        had: the number of "devices" and whatever is known of the data, as JSON keeps it, to the last bit.
        has: the same today.

    Raises:
        ValueError: they differ.
    """
    if had.get("devices") != has["devices"]:
        raise ValueError(
            f"{folder} was started on {had.get('devices')} devices, not {has['devices']}, which change the batches; "
            "resume on as many, or start anew"
        )
    if had != has:
        raise ValueError(f"the data are not those that {folder} was started with; restore them, or start anew")


def free_folder(name: str) -> pathlib.Path:
    """Return runs/NAME, or the first of runs/NAME-2, ... that does not exist."""
    names = [name, *(f"{name}-{i}" for i in range(2, 10_000))]
    return next(path for path in (pathlib.Path("runs") / name for name in names) if not path.exists())


def report_run(
    folder: pathlib.Path, errors: Mapping[str, Any], result: FitResult, shown: Mapping[str, tuple[float, str]]
) -> None:
    """Write report.json of a finished run, on process 0: errors, seconds, compilations and origin; draw its curve."""
    if jax.process_index() == 0:
        seconds = round(sum(record.get("seconds") or 0.0 for record in result.history), 1)
        plot_learning_curve(folder, result.history, shown)
        write_report(folder, errors, {"seconds": seconds, "compilations": result.compilations, **origin()})


def write_report(folder: pathlib.Path, errors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write report.json."""
    write_json(folder / "report.json", {**facts, "errors": errors})


def read_report(folder: pathlib.Path) -> dict[str, Any] | None:
    """Return the report of a finished run, and None where there is none yet.

    Raises:
        ValueError: it is damaged.
    """
    path = folder / "report.json"
    if not path.exists():
        return None
    report = read_json(path)
    if not isinstance(report.get("errors"), dict):
        raise damaged(path, ValueError("it has no 'errors'"))
    return report


def plot_learning_curve(
    folder: pathlib.Path, history: Sequence[Mapping[str, Any]], shown: Mapping[str, tuple[float, str]]
) -> None:
    """Draw what was measured against the epoch into learning_curve.png: a panel for each name that is shown."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    measured = {name for record in history for name in record}
    names = [name for name in shown if measured & {f"train_{name}", f"valid_{name}"}] or ["loss"]
    figure = Figure((4.2 * len(names), 3.4), layout="constrained")
    axes = figure.subplots(1, len(names), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        factor, unit = shown.get(name, (1.0, ""))
        for part in ("train", "valid"):
            key = f"{part}_{name}"
            points = [(r["epoch"], factor * r[key]) for r in history if r.get(key) is not None]
            if points:
                axis.plot(*zip(*points, strict=True), label=part)
        axis.set(xlabel="epoch", ylabel=", ".join(filter(None, [spoken(name), unit])), yscale="log")
        if axis.lines:
            axis.legend()
    write_picture(folder / "learning_curve.png", figure)


def write_picture(path: pathlib.Path, figure: Any) -> None:
    """Write a figure whole or not at all.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write_bytes(path, picture.getvalue())


def plain(options: Any) -> dict[str, Any]:
    """Return a dataclass as JSON gives it back: paths as strings, tuples as lists."""
    return json.loads(json.dumps(dataclasses.asdict(options), default=str))


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    nested = [_flat(value) for value in options.values() if isinstance(value, Mapping)]
    flat = {name: value for name, value in options.items() if not isinstance(value, Mapping)}
    return {name: value for part in [*nested, flat] for name, value in part.items()}
