"""How energy and temperature went in a simulation: numbers and a picture."""

import pathlib
from collections.abc import Sequence

import numpy as np

from symjax.potentials.motion.simulate import Record
from symjax.training import write_picture


def mean_of(records: Sequence[Record], name: str) -> float:
    """Return the mean of a field over the second half of the records, when the atoms have forgotten the start."""
    return float(np.mean([getattr(record, name) for record in records[len(records) // 2 :]]))


def drift(records: Sequence[Record], timestep: float) -> float:
    """Return the slope of the conserved energy in eV/ps by least squares; nan where there is none.

    Args:
        records: of many steps.
        timestep: in fs.
    """
    times = np.array([record.step for record in records]) * timestep / 1e3
    energies = np.array([record.conserved for record in records])
    if len(records) < 2 or not np.isfinite(energies).all():
        return float("nan")
    return float(np.polyfit(times, energies - energies[0], 1)[0])


def draw_course(path: pathlib.Path, records: Sequence[Record], timestep: float, atoms: int) -> None:
    """Draw the drift of the conserved energy of an atom, or else the volume, above the temperature against time."""
    from matplotlib.figure import Figure  # half a second that most commands can do without

    times = [record.step * timestep / 1e3 for record in records]
    figure = Figure((6.4, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    if np.isfinite(records[0].conserved):
        above.plot(times, [1e3 * (record.conserved - records[0].conserved) / atoms for record in records])
        above.set(ylabel="energy drift, meV/atom")
    else:
        above.plot(times, [record.volume for record in records])
        above.set(ylabel="volume, Å³")
    below.plot(times, [record.temperature for record in records])
    below.set(xlabel="time, ps", ylabel="temperature, K")
    write_picture(path, figure)
