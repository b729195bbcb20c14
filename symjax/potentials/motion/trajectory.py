"""A trajectory on disk, and beside it the state that goes on from its last frame with the same bits."""

import io
import json
import pathlib
import time
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import ase
import ase.io
import numpy as np
from ase.io.formats import filetype, ioformats
from ase.io.trajectory import TrajectoryWriter

from symjax.potentials.motion.simulate import Record
from symjax.training import read_bytes, require_folder, require_new, write_bytes

EVERY = 1.0  # seconds between two savings of the state


class Kept(NamedTuple):
    """What a run can go on from.

    Attributes:
        options: what was asked for, as JSON has it.
        arrays: what the simulation saved.
        records: of all frames so far.
        size: bytes of the trajectory.
    """

    options: dict[str, Any]
    arrays: Mapping[str, np.ndarray]
    records: list[Record]
    size: int


class Trajectory:
    """Frames that are appended to a file, in any format of ASE; others than extxyz and traj are written at the end.

    Args:
        path: says the format by its name.
        kept: what was there when the state was saved; what came after it is dropped.

    Raises:
        ValueError: there is no folder to write to, a trajectory is there already, or ASE writes no such format.
    """

    def __init__(self, path: pathlib.Path, kept: Kept | None = None):
        require_folder(path)
        self.path, self.format = path, _format_of(path)
        self.appends = self.format in ("extxyz", "traj")
        self.working = path if self.appends else path.with_name(f"{path.name}.traj")
        self.records: list[Record] = [] if kept is None else kept.records
        self._saved = 0.0
        if kept is None:
            require_new(path, self.working, remedy=f"go on with it by --resume {path}, or name another --out")
        elif self._plain:
            _cut(self.working, kept.size)
        else:
            frames = ase.io.read(self.working, index=f":{len(self.records)}", format="traj")
            whole = path.with_name(f"{path.name}.part")
            ase.io.write(whole, frames, format="traj")
            whole.replace(self.working)

    @property
    def _plain(self) -> bool:
        return self.format == "extxyz"

    def append(self, frame: ase.Atoms, record: Record, time_in_fs: float) -> None:
        """Add a frame; its time and step are in `atoms.info`."""
        frame.info |= {"step": record.step, "time_fs": time_in_fs}
        if self._plain:
            ase.io.write(self.working, frame, format="extxyz", append=True)
        else:
            with TrajectoryWriter(self.working, "a") as file:
                file.write(frame)
        self.records.append(record)

    def save(self, options: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, now: bool = False) -> None:
        """Write the state whole or not at all, at most once a second unless it must be now."""
        if not now and time.monotonic() - self._saved < EVERY:
            return
        content = io.BytesIO()
        facts = {"options": dict(options), "size": self.working.stat().st_size}
        told: dict[str, Any] = {"facts": json.dumps(facts, default=str), "records": np.array(self.records), **arrays}
        np.savez(content, **told)
        write_bytes(state_file(self.path), content.getvalue())
        self._saved = time.monotonic()

    def finish(self) -> None:
        """Write the file in its format, if it could not be appended to.

        Raises:
            ValueError: the format holds no such frames.
        """
        if self.appends:
            return
        try:
            ase.io.write(self.path, ase.io.read(self.working, index=":", format="traj"), format=self.format)
        except Exception as error:
            raise ValueError(f"ASE cannot write {self.path}: {error}; the frames are in {self.working}") from error


def state_file(path: pathlib.Path) -> pathlib.Path:
    """Return where the state beside a trajectory is."""
    return path.with_name(f"{path.name}.state")


def read_state(path: pathlib.Path) -> Kept:
    """Return what a trajectory can go on from.

    Raises:
        ValueError: there is no state beside it, or it is damaged.
    """
    place = state_file(path)
    if not place.exists():
        raise ValueError(f"there is no {place.name} beside {path}, without which it cannot go on; start it anew")
    content = read_bytes(place)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        facts = json.loads(str(arrays.pop("facts")))
        records = [Record(int(row[0]), *row[1:]) for row in arrays.pop("records").tolist()]
        return Kept(facts["options"], arrays, records, facts["size"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{place} is damaged: {error}; start the trajectory anew") from None


def _cut(path: pathlib.Path, size: int) -> None:
    """Drop what was written after the state was saved."""
    if path.stat().st_size < size:
        raise ValueError(f"{path} is shorter than when its state was saved; start the trajectory anew")
    with open(path, "r+b") as file:
        file.truncate(size)


def _format_of(path: pathlib.Path) -> str:
    name = filetype(str(path), read=False)
    known = ioformats.get(name)
    if known is None or not known.can_write or "+" not in known.code or path.suffix in ("", ".gif", ".mp4"):
        raise ValueError(f"{path} has no name of a trajectory that ASE writes; use .extxyz or .traj")
    return name
