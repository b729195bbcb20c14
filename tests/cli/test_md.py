"""`symjax md`: trajectories, what is resumed, what is refused, and what stops it."""

import os
import signal
import subprocess
import sys

import ase
import ase.io
import numpy as np
import pytest
from ase.build import molecule

from symjax.potentials.motion import read_state

from .command import symjax, written

FAST = ["--timestep", "0.2", "--record-every", "5", "--steps", "30"]

DYING = """
import os, signal, sys
from symjax.cli.main import main
from symjax.potentials.motion import Trajectory

append = Trajectory.append

def append_and_die(self, frame, record, time):
    append(self, frame, record, time)
    if record.step == 20:
        with open(self.working, "a") as file:
            file.write("half a fra")
        os.kill(os.getpid(), signal.SIGKILL)

Trajectory.append = append_and_die
main(sys.argv[1:])
"""


@pytest.fixture
def water(tmp_path):
    return written(tmp_path / "water.xyz", molecule("H2O"))


@pytest.fixture
def whole(trained, water, tmp_path, capsys):
    """An undisturbed trajectory, and what was said."""
    out = tmp_path / "whole.extxyz"
    assert symjax("md", trained, "--structure", water, *FAST, "--out", out) == 0
    return out, capsys.readouterr()


def test_a_trajectory_is_written_reported_and_drawn(whole):
    out, said = whole
    frames = ase.io.read(out, ":")
    assert [frame.info["step"] for frame in frames] == list(range(0, 31, 5))
    assert frames[-1].info["time_fs"] == pytest.approx(6.0)
    assert frames[-1].get_forces().shape == frames[-1].get_momenta().shape == (3, 3)
    assert np.abs(frames[-1].positions - frames[0].positions).max() > 1e-4
    assert f"{out}: 7 frames of 3 atoms, 30 steps of 0.2 fs" in said.out
    for words in ("K, the mean of the second half", "meV an atom and ps", "neighbours were listed"):
        assert words in said.out
    assert "step      30 of 30" in said.err
    assert out.with_name("whole.extxyz.png").stat().st_size > 1000


def test_a_killed_run_goes_on_with_the_same_bits(whole, trained, water, tmp_path):
    out = tmp_path / "killed.extxyz"
    words = ["md", trained, "--structure", water, *FAST, "--out", out]
    environment = os.environ | {"JAX_ENABLE_X64": "0"}
    died = subprocess.run([sys.executable, "-c", DYING, *map(str, words)], capture_output=True, env=environment)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert symjax("md", "--resume", out) == 0
    assert out.read_bytes() == whole[0].read_bytes()
    ours, theirs = read_state(out), read_state(whole[0])
    for name, value in theirs.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], value, err_msg=name)
    assert ours.records == theirs.records


@pytest.mark.parametrize("name", ["more.traj", "more.pdb"])
def test_other_formats_go_on_too(trained, water, tmp_path, name):
    out = tmp_path / name
    assert symjax("md", trained, "--structure", water, *FAST, "--out", out) == 0
    assert symjax("md", "--resume", out, "--steps", "40") == 0
    frames = ase.io.read(out, ":")
    assert len(frames) == 9
    assert name.endswith("pdb") or frames[-1].info["step"] == 40


def test_an_explosion_ends_with_the_last_sound_frame(trained, water, tmp_path, capsys):
    out = tmp_path / "md.extxyz"
    hot = ["--timestep", "1e6", "--ensemble", "nve", "--record-every", "100", "--out", out]
    assert symjax("md", trained, "--structure", water, *hot) == 1
    last = ase.io.read(out)
    assert f"the atoms exploded at step {last.info['step'] + 1}" in capsys.readouterr().err
    assert np.isfinite(last.get_forces()).all()


def test_no_step_has_no_drift(trained, water, tmp_path, capsys):
    assert symjax("md", trained, "--structure", water, "--steps", "0", "--out", tmp_path / "md.extxyz") == 0
    assert "energy drift  none, of no step" in capsys.readouterr().out


def test_pressure(trained, tmp_path, capsys):
    atoms = molecule("CH3OH", cell=[6.0, 6, 7], pbc=True)
    file, out = written(tmp_path / "box.xyz", atoms), tmp_path / "npt.traj"
    asked = ["--ensemble", "npt", "--pressure", "1", "--steps", "4", "--timestep", "0.2", "--record-every", "2"]
    assert symjax("md", trained, "--structure", file, *asked, "--out", out) == 0
    assert "Å³, the mean of the second half" in capsys.readouterr().out
    frames = ase.io.read(out, ":")
    assert len({frame.cell.volume for frame in frames}) == len(frames) == 3


def test_what_is_refused(trained, whole, water, tmp_path, refuses):
    out = tmp_path / "md.extxyz"
    asked = ["md", trained, "--structure", water, "--out", out]
    refuses(["md"], "expected RUN and --structure FILE")
    refuses(["md", trained], "expected RUN and --structure FILE")
    refuses([*asked, "--steps", "-1"], "--steps of at least 0")
    refuses([*asked, "--record-every", "0"], "--record-every of at least 1")
    refuses([*asked, "--timestep", "0"], "above 0 fs")
    refuses([*asked, "--ensemble", "npt"], "periodic in all directions")
    refuses([*asked, "--stop-at", "0.1"], "--stop-at needs a committee")
    refuses([*asked[:-1], tmp_path / "nowhere" / "md.extxyz"], "there is no folder")
    refuses([*asked[:-1], tmp_path / "md.nothing"], "use .extxyz or .traj")
    refuses([*asked[:-1], whole[0]], "is there already", "--resume")
    refuses(["md", "--resume", out], "md.extxyz.state beside")
    refuses(["md", "--resume", whole[0], "--temperature", "10"], "only --steps and --stop-at may change")
    gold = written(tmp_path / "gold.xyz", ase.Atoms("Au"))
    refuses(["md", trained, "--structure", gold, "--out", out], "only knows the elements")


def test_damage_is_told(whole, refuses):
    out, _ = whole
    place = out.with_name(f"{out.name}.state")
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])
    refuses(["md", "--resume", out], "is damaged")
    place.write_bytes(content)
    out.write_bytes(out.read_bytes()[:100])
    refuses(["md", "--resume", out, "--steps", "40"], "is shorter than when its state was saved")
