"""Checkpoints that are verified when read: Orbax writes them, a SHA-256 of the content says whether to believe them."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from jaxtyping import PyTree
from orbax.checkpoint import checkpoint_managers

from symjax.training.checkpoints.leaves import describe, digest, first_infinite, like, require_same_leaves, to_host
from symjax.training.files import OtherModelError, digest_json, flush_all, parse_json, read_bytes, require_same_identity
from symjax.training.recipe import is_count

META = "meta"
FINITE = ("params", "ema")  # an optimiser may begin with infinities


class Restored(NamedTuple):
    """What `CheckpointStore.restore` read: host arrays by item, the metadata, and a sentence for each damaged step."""

    step: int
    items: dict[str, PyTree]
    meta: dict
    passed_over: tuple[str, ...]
    identity: str = ""


class _DamagedError(ValueError):
    """A checkpoint that does not hold what was written."""


class CheckpointStore:
    """A folder of steps, each with named trees ("items") and JSON metadata; the latest and some others are kept.

    Use it as a context manager: leaving it waits for the writes that are still in flight.

    Args:
        directory: created if absent, and cleared of interrupted writes.
        identity: what the steps are of, besides names and shapes; written with each, compared when they are read. None:
            that of the first step that is read.
        keep: how many of the latest steps to keep, besides the protected ones.
        read_only: leave the folder as it is; a run may be writing to it.
    """

    def __init__(
        self, directory: str | pathlib.Path, *, identity: str | None = "", keep: int = 2, read_only: bool = False
    ):
        self.directory, self.identity = pathlib.Path(directory).absolute(), identity
        if not is_count(keep):
            raise ValueError(f"keep must be a whole number of at least 1, not {keep!r}")
        if os.path.lexists(self.directory) and not self.directory.is_dir():
            raise ValueError(f"{self.directory} is no folder, where checkpoints belong; move it away")
        self._protected, self._in_flight = _KeepSteps(), None
        policy = checkpoint_managers.AnyPreservationPolicy([checkpoint_managers.LatestN(keep), self._protected])
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy,
            create=not read_only,
            cleanup_tmp_directories=not read_only,
            # else threads wait ten minutes for a folder that could not be made, and the process with them
            async_options=ocp.AsyncOptions(create_directories_asynchronously=False),
        )
        self._manager = ocp.CheckpointManager(self.directory, options=options)

    def __enter__(self) -> CheckpointStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def steps(self) -> list[int]:
        """Return the steps in the folder, oldest first, believed or not, be they folders or not."""
        found = self.directory.iterdir() if self.directory.is_dir() else ()
        names = (int(place.name) for place in found if place.name.isdecimal() and place.name == str(int(place.name)))
        return sorted({*self._manager.all_steps(), *names})

    def save(
        self, step: int, items: Mapping[str, PyTree], meta: Mapping[str, Any], *, protect: Collection[int | None] = ()
    ) -> None:
        """Write `items` (replicated trees) and `meta` (JSON) as `step`, in the background; every process must call it.

        Args:
            step: replaces a step of the same number.
            items: trees of arrays, by name.
            meta: anything JSON holds.
            protect: the steps that must outlive newer ones.

        Raises:
            OSError: if this write, or an earlier one in the background, failed for want of space or permission.
        """
        if not is_count(step, 0):
            raise ValueError(f"a step is a whole number of at least 0, not {step!r}")
        host = {name: to_host(tree) for name, tree in items.items()}
        header = {"leaves": {name: describe(tree) for name, tree in host.items()}}
        header |= {"digests": {name: digest(tree) for name, tree in host.items()}}
        header |= {"identity": self.identity, "user": dict(meta)}
        args: dict[str, Any] = {name: ocp.args.StandardSave(tree) for name, tree in host.items()}
        args[META] = ocp.args.JsonSave(header | {"digest": digest_json(header)})
        with _disk_errors_in_one_sentence(self.directory):
            self._settle()
            if step in self._manager.all_steps():
                self._manager.delete(step)
            self._protected.steps = protect
            self._manager.save(step, args=ocp.args.Composite(**args), force=True)
            self._in_flight = step

    def restore(self, targets: Mapping[str, PyTree | None], *, prefer: int | None = None) -> Restored | None:
        """Read the newest step whose content matches its digests, going back one step at a time.

        Args:
            targets: the items to read, each with a tree of the structure and shapes to return, or with None for
                dictionaries as written.
            prefer: a step to try before the newest.

        Returns:
            The step, or None in an empty folder.

        Raises:
            OtherModelError: if a good checkpoint has another identity, or holds other items or shapes than the targets.
            ValueError: if there are steps and none is good.
        """
        self.wait()
        steps = sorted(self.steps(), key=lambda step: (step == prefer, step), reverse=True)
        passed_over: list[str] = []
        for step in steps:
            try:
                header, items = self._read(step, targets)
            except OtherModelError:
                raise
            except Exception as error:  # Orbax answers damage with whatever it stumbles over
                reason = str(error) if isinstance(error, _DamagedError) else "a file of it is missing or unreadable"
                passed_over.append(f"passed over checkpoint {step} in {self.directory}, which is damaged: {reason}")
                continue
            return Restored(step, items, header["user"], tuple(passed_over), header.get("identity", ""))
        if passed_over:
            raise ValueError(f"no checkpoint in {self.directory} can be read: {'; '.join(passed_over)}")
        return None

    def require_own(self, step: int, identity: str) -> None:
        """Refuse a step of another identity; a store without one takes it.

        Raises:
            OtherModelError: it is of another run, or of this run with other options.
        """
        self.identity = identity if self.identity is None else self.identity
        require_same_identity(f"checkpoint {step} in {self.directory}", self.identity, identity)

    def set_aside_after(self, step: int) -> None:
        """Rename the steps after `step` to "N.damaged", so that a run continued from `step` may write them anew."""
        for later in [s for s in self.steps() if s > step]:
            if jax.process_index() == 0:
                place = self.directory / str(later)
                place.rename(_unused(place.with_name(f"{later}.damaged")))
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("checkpoints set aside")
        self._manager.reload()

    def wait(self) -> None:
        """Wait for the background write, and until a power cut leaves it; raises as `save` does."""
        with _disk_errors_in_one_sentence(self.directory):
            self._settle()

    def close(self) -> None:
        """Wait and let go of the folder."""
        try:
            self.wait()
        finally:
            self._manager.close()

    def _settle(self) -> None:
        step, self._in_flight = self._in_flight, None
        self._manager.wait_until_finished()
        if step is not None and jax.process_index() == 0:
            flush_all(self.directory / str(step))

    def _read(self, step: int, targets: Mapping[str, PyTree | None]) -> tuple[dict, dict[str, PyTree]]:
        _require_files(self.directory / str(step))
        header = self._manager.restore(step, args=ocp.args.Composite(**{META: ocp.args.JsonRestore()}))[META]
        if header.pop("digest", None) != digest_json(header):
            raise _DamagedError("its metadata does not match its digest")
        what = f"checkpoint {step} in {self.directory}"
        hosts = {name: None if target is None else to_host(target) for name, target in targets.items()}
        for name, host in hosts.items():
            require_same_leaves(what, name, host, header["leaves"])
        if not targets:
            return header, {}
        self.require_own(step, header.get("identity", ""))
        args = {name: ocp.args.StandardRestore(host) for name, host in hosts.items()}
        contents = self._manager.restore(step, args=ocp.args.Composite(**args))
        for name in targets:
            if digest(contents[name]) != header["digests"][name]:
                raise _DamagedError(f"the content of {name!r} does not match its digest")
        if name := first_infinite({name: contents[name] for name in targets if name in FINITE}):
            raise _DamagedError(f"{name} is not finite")
        return header, {name: like(target, contents[name]) for name, target in targets.items()}


@dataclasses.dataclass
class _KeepSteps(checkpoint_managers.PreservationPolicy):
    """Preserve some steps, whatever their age. Orbax's own best-of policy forgets its metrics when a run restarts."""

    steps: Collection[int | None] = ()

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> Sequence[bool]:
        return [info.step in self.steps for info in checkpoints]


@contextlib.contextmanager
def _disk_errors_in_one_sentence(directory: pathlib.Path) -> Iterator[None]:
    """Turn a failed write, whatever layer reports it, into an OSError that says what and where."""
    try:
        yield
    except Exception as error:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        number = error.errno if isinstance(error, OSError) else int(code[1]) if code else None
        said = " ".join(str(error).split())[:200] if number is None else os.strerror(number)
        raise OSError(number or errno.EIO, f"a checkpoint could not be written to {directory}: {said}") from error


def _require_files(folder: pathlib.Path) -> None:
    """Refuse what would be waited for without end, or is nothing to read."""
    if not any(folder.iterdir()):
        raise _DamagedError("an empty folder")
    if (own := folder / "_CHECKPOINT_METADATA").exists():
        parse_json(read_bytes(own))
    for place in folder.rglob("*"):
        if not (place.is_file() or place.is_dir()):
            raise _DamagedError(f"{place.relative_to(folder)} is no file")


def _unused(path: pathlib.Path) -> pathlib.Path:
    names = (path if n == 0 else path.with_name(f"{path.name}-{n}") for n in range(1000))
    return next(candidate for candidate in names if not candidate.exists())
