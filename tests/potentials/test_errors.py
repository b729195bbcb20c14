"""The table of errors counts what is known, and tells the kinds of structures apart."""

import dataclasses

import numpy as np
import pytest
from pair_model import structures

from symjax.potentials import measure_errors


@pytest.fixture
def truth():
    data = structures(4)
    for atoms, kind in zip(data.atoms, ["slab", "", "slab", "bulk"], strict=True):
        atoms.info = {"config_type": kind} if kind else {}
    data.labels["energy"][0] = np.nan
    data.labels["forces"][3][1, 2] = np.nan
    data.labels["stress"][:3] = np.nan
    return data


def off_by(truth, **errors):
    def moved(values, error):
        return np.nan_to_num(values) + error

    energy, stress = (moved(truth.labels[name], errors[name]) for name in ("energy", "stress"))
    forces = tuple(moved(values, errors["forces"]) for values in truth.forces)
    return dataclasses.replace(truth, labels={"energy": energy, "forces": forces, "stress": stress})


def test_unknown_labels_are_no_errors(truth):
    errors = measure_errors(truth, off_by(truth, energy=0.5, forces=0.25, stress=-0.125))
    assert errors["energy, meV"]["mae"] == pytest.approx(500)
    assert errors["energy, meV/atom"]["mae"] == pytest.approx(500 * (1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert errors["forces, meV/Å"] == {"mae": pytest.approx(250), "rmse": pytest.approx(250)}
    assert errors["stress, meV/Å³"]["rmse"] == pytest.approx(125)


def test_each_kind_has_a_row_where_something_of_it_is_known(truth):
    errors = measure_errors(truth, off_by(truth, energy=0.5, forces=0.25, stress=-0.125))
    kinds = {name.partition(",")[0] for name in errors if " of " in name}
    of = {"energy of slab", "energy of bulk", "energy of no config_type"}
    assert kinds == of | {name.replace("energy", "forces") for name in of} | {"stress of bulk"}


def test_one_kind_alone_has_no_row_of_its_own(truth):
    assert not [name for name in measure_errors(truth[[0, 2]], truth[[0, 2]]) if " of " in name]
