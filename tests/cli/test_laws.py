"""`symjax laws`: what it prints, its exit code, and what it refuses."""

import pytest
from ase.build import bulk, molecule

from symjax.tasks import forecast
from symjax.training import Recipe, enter_run, write_run

from .command import symjax, written


def test_a_calculator_that_obeys(tmp_path, capsys):
    picture = tmp_path / "card.png"
    copper = written(tmp_path / "copper.xyz", bulk("Cu"))
    asked = ["--calculator", "ase.calculators.emt:EMT", "--structure", copper, "--picture", picture]
    assert symjax("laws", *asked) == 0
    said = capsys.readouterr().out
    assert "BROKEN" not in said
    assert "obeyed     stress = dE/dstrain/V" in said
    assert picture.is_file()


def test_a_calculator_of_this_folder_that_does_not(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_here.py").write_text(
        "from ase.calculators.lj import LennardJones\n\ndef make():\n    return LennardJones(sigma=3.4, rc=8.5)\n"
    )
    argon = written(tmp_path / "argon.xyz", bulk("Ar", a=5.3))
    assert symjax("laws", "--calculator", "mine_here:make", "--structure", argon) == 1
    assert "BROKEN     smooth dimers" in capsys.readouterr().out
    assert (tmp_path / "law_card.png").is_file()


def test_a_trained_model(trained, tmp_path, capsys):
    symjax("laws", trained, "--picture", tmp_path / "card.png")
    said = capsys.readouterr().out
    for law in ("translation", "rotation", "permutation", "forces = -dE/dx", "forces have no curl", "sum of torques"):
        assert f"obeyed     {law}" in said, said
    assert "float32" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "expected a RUN or --calculator"),
        (["--calculator", "ase.calculators.emt:EMT"], "expected --structure FILE"),
        (["--calculator", "ase.calculators.emt:EM", "--structure", "FILE"], "cannot take EM from"),
        (["--calculator", "nowhere_at_all:EM", "--structure", "FILE"], "cannot take EM from"),
        (["--calculator", "EMT", "--structure", "FILE"], "MODULE:FACTORY, such as"),
    ],
)
def test_what_is_refused(words, sentence, tmp_path, refuses):
    file = written(tmp_path / "water.xyz", molecule("H2O"))
    refuses(["laws", *(file if word == "FILE" else word for word in words)], sentence)


def test_a_run_that_learnt_no_energy_is_refused(tmp_path, refuses):
    with enter_run(tmp_path, "forecast", forecast.Options(), Recipe(), resumed=False) as identity:
        write_run(tmp_path, "forecast", forecast.Options(), Recipe(), identity)
    refuses(["laws", tmp_path], "is a run of `symjax forecast`, which learns no energy")
