"""`symjax md`: molecular dynamics with a trained model."""

import argparse
import dataclasses
import pathlib
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import ase
import numpy as np
from tyro.conf import Positional, arg

from symjax import training
from symjax.cli.asked import energies_in
from symjax.cli.options import parse_options
from symjax.data import read_whole
from symjax.potentials.motion import (
    Dynamics,
    PressureSimulation,
    Record,
    Simulation,
    Trajectory,
    draw_course,
    draw_momenta,
    drift,
    mean_of,
    read_state,
)
from symjax.training import say

Motion = Simulation | PressureSimulation


@dataclasses.dataclass(frozen=True)
class Md:
    """Move the atoms of a structure as a trained model says, and write where they went."""

    run: Annotated[pathlib.Path | None, Positional, arg(metavar="RUN", help="a run directory of `symjax train`")] = None
    structure: pathlib.Path | None = None  # anything that ASE reads, of which the last frame is used
    ensemble: Literal["nve", "langevin", "npt"] = "langevin"  # constant energy, a bath, or a bath under pressure
    steps: int = 1000
    timestep: float = 1.0  # fs
    temperature: float = 300.0  # K, of the bath, and of the first velocities unless the structure has momenta
    friction: float = 5.0  # 1/ps, of the bath
    pressure: float = 0.0  # GPa, of npt
    seed: int = 0
    skin: float = 0.5  # Å, that the list of neighbours holds beyond the cutoff
    record_every: int = 100  # steps between two frames
    stop_at: float | None = None  # eV/Å, stop where a committee's forces deviate more
    out: pathlib.Path = pathlib.Path("md.extxyz")  # the trajectory, in a format of ASE; .png and .state go beside it
    resume: pathlib.Path | None = None  # go on with this trajectory as asked; --steps and --stop-at may be more


def parse(arguments: list[str]) -> Md:
    """Return the options; what is not named is as in the trajectory to resume."""
    early = argparse.ArgumentParser(prog="symjax md", add_help=False, allow_abbrev=False)
    early.add_argument("--resume", type=pathlib.Path)
    resume = early.parse_known_args(arguments)[0].resume
    if resume is None:
        return parse_options(Md, "md", arguments)
    options = read_state(resume).options | {"out": str(resume), "resume": str(resume)}
    had = training.decode(Md, options, "the options")
    asked = parse_options(Md, "md", arguments, default=had)
    if asked != dataclasses.replace(had, steps=asked.steps, stop_at=asked.stop_at):
        raise ValueError(f"{resume} goes on as it was asked for; only --steps and --stop-at may change")
    return asked


def run(command: Md) -> int:
    """Move the atoms, and report; the exit code is 1 where they exploded or the forces became doubtful."""
    _require_counts(command)
    kept = None if command.resume is None else read_state(command.resume)
    simulation = _simulation(command, None if kept is None else kept.arrays)
    trajectory = Trajectory(command.out, kept)
    pace = _Pace(command, simulation.step)
    with training.interruptions() as told:
        while not (over := _is_over(command, simulation)) and not (signal := told(0)):
            _advance(command, simulation, trajectory)
            trajectory.save(_plain(command), simulation.saved)
            pace.show(trajectory.records)
    trajectory.save(_plain(command), simulation.saved, now=True)
    if not over:
        say(f"stopped by a signal; go on with: symjax md --resume {command.out}")
        return 128 + signal
    trajectory.finish()
    return _report(command, simulation, trajectory.records)


def _require_counts(command: Md) -> None:
    """Refuse what is no number of steps.

    Raises:
        ValueError: it is negative, or no frame would ever be written.
    """
    if command.steps < 0 or command.record_every < 1:
        raise ValueError(
            f"expected --steps of at least 0 and --record-every of at least 1, got {command.steps} and "
            f"{command.record_every}"
        )


def _plain(command: Md) -> dict[str, Any]:
    """Return the options as they are kept: what they name is found from any folder."""
    places = {"run": command.run and command.run.absolute(), "structure": command.structure}
    places["structure"] = command.structure and command.structure.absolute()
    return training.plain(dataclasses.replace(command, **places, resume=None))


def _simulation(command: Md, saved: Mapping[str, np.ndarray] | None) -> Motion:
    """Return the atoms as they are to move.

    Raises:
        ValueError: there is no run or no structure, or the run has learnt no energy.
    """
    if command.run is None or command.structure is None:
        raise ValueError("expected RUN and --structure FILE; or --resume FILE, to go on with a trajectory")
    potential = energies_in(command.run)
    if potential.members is not None and command.out.suffix not in (".xyz", ".extxyz"):
        say(f"{command.out} has no place for the deviations of forces; name FILE.xyz to keep them")
    atoms = _bare(read_whole(command.structure).atoms[-1])
    draw_momenta(atoms, command.temperature, command.seed)
    names = [field.name for field in dataclasses.fields(Dynamics)]
    dynamics = Dynamics(**{name: getattr(command, name) for name in names})
    if command.stop_at is not None and potential.members is None:
        raise ValueError(f"--stop-at needs a committee, and {command.run} is a single model; train with --committee 4")
    if command.ensemble == "npt":
        return PressureSimulation(potential, atoms, dynamics, stop_at=command.stop_at, saved=saved)
    return Simulation(potential, atoms, dynamics, skin=command.skin, stop_at=command.stop_at, saved=saved, tell=say)


def _bare(atoms: ase.Atoms) -> ase.Atoms:
    """Return a structure without labels and columns, which no longer hold once the atoms have moved."""
    state = {name: value for name, value in atoms.info.items() if name in ("charge", "spin")}
    bare = ase.Atoms(
        atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info=state, constraint=atoms.constraints
    )
    for name in ("momenta", "masses", "tags"):
        if atoms.has(name):
            bare.set_array(name, atoms.get_array(name))
    return bare


def _is_over(command: Md, simulation: Motion) -> bool:
    return simulation.exploded or simulation.doubtful or simulation.step >= command.steps


def _advance(command: Md, simulation: Motion, trajectory: Trajectory) -> None:
    """Move on to the next step that is written, and write it."""
    before = simulation.step
    until = min((before // command.record_every + 1) * command.record_every, command.steps)
    simulation.advance(until)
    if (step := simulation.step) < 0:
        raise ValueError(
            f"the energy or the forces of {command.structure} are not finite before anything moves; two of its atoms "
            "may be at one point, or its momenta beyond all reason"
        )
    if step > before:
        trajectory.append(simulation.frame, simulation.record, step * command.timestep)


class _Pace:
    """Lines of progress, about ten a run."""

    def __init__(self, command: Md, first: int):
        self.command, self.told, self.began = command, first, time.perf_counter()

    def show(self, records: list[Record]) -> None:
        last, steps = records[-1], self.command.steps
        if 0 < last.step < steps and last.step - self.told < steps / 10:
            return
        now = time.perf_counter()
        pace = 1e3 * (now - self.began) / max(last.step - self.told, 1)
        self.told, self.began = last.step, now
        say(
            f"step {last.step:>7} of {steps} {last.step * self.command.timestep / 1e3:9.3f} ps  energy "
            f"{last.energy:.4f} eV {last.temperature:7.1f} K" + f"  {pace:.3g} ms a step" * (last.step > 0)
        )


def _report(command: Md, simulation: Motion, records: list[Record]) -> int:
    """Print and draw how energy and temperature went; returns the exit code."""
    steps, atoms, picture = records[-1].step, len(simulation.atoms), command.out.with_name(f"{command.out.name}.png")
    draw_course(picture, records, command.timestep, atoms)
    slope = f"{1e3 * drift(records, command.timestep) / atoms:.4f} meV an atom and ps" if steps else "none, of no step"
    print(
        f"{command.out}: {len(records)} frames of {atoms} atoms, {steps} steps of {command.timestep} fs",
        f"  temperature   {mean_of(records, 'temperature'):.1f} K, the mean of the second half",
        f"  volume        {mean_of(records, 'volume'):.2f} Å³, the mean of the second half"
        if command.ensemble == "npt"
        else f"  energy drift  {slope}",
        f"  neighbours were listed {simulation.listings} times; the course is drawn in {picture}",
        sep="\n",
    )
    if simulation.exploded:
        say(
            f"the atoms exploded at step {steps + 1}, so that {command.out} ends with step {steps}, the last that was "
            "sound; try a smaller --timestep, or train with what it shows"
        )
    elif simulation.doubtful:
        say(
            f"stopped at step {steps}, where a force deviates by {simulation.deviation:.3g} eV/Å, beyond "
            f"--stop-at {command.stop_at}; label its frame and train with it, or --resume with a higher --stop-at"
        )
    return int(simulation.exploded or simulation.doubtful)
