"""Charges and spins of a file: learnt with --charges, refused or told without."""

import pytest

from symjax.cli.verbs import train
from symjax.tasks import task_of

from .command import SMALL, symjax, water, written


@pytest.fixture
def ions(tmp_path):
    """Water and its cation in one geometry."""
    structures = [water(energy=10.0 * (i % 2)) for i in range(12)]
    for atoms in structures[1::2]:
        atoms.info.update(charge=1, spin=2)
    return written(tmp_path / "ions.xyz", *structures)


def test_several_charges_are_refused_without_the_option_and_given_to_a_model_that_reads_them(ions, tmp_path, refuses):
    words = ["train", *SMALL, "--valid", "2", "--test", "2", "--data", ions, "--out", tmp_path / "run"]
    refuses(words, "charge 0 and spin multiplicity 1, and structure 1 (OH2) charge 1 and", "--charges True")
    command = train.parse([*map(str, words[1:]), "--charges", "True"])
    task = task_of(command.task).prepare(command.options, command.recipe, tmp_path / "run").task
    graph = task.train.load(task.train.plan(0, shards=1)[0]).graph
    real = graph.n_node[0] == 3
    assert {*zip(graph.globals.charge[0][real], graph.globals.spin[0][real], strict=True)} == {(0, 1), (1, 2)}


def test_a_model_without_the_option_says_that_it_passes_charges_over(trained, ions):
    with pytest.warns(UserWarning, match=r"does not read charges and spins, so that 6 of 12 structures \(first 1, OH2"):
        assert symjax("evaluate", trained, "--data", ions) == 0
