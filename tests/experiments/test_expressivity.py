import dataclasses
import itertools

import numpy as np
import pytest

from experiments import expressivity


@pytest.mark.parametrize(("factors", "kinds"), [(1, set()), (2, {"2-body"})])
def test_products_of_as_many_factors_see_as_many_bodies(factors, kinds):
    found = expressivity.seen(("mace", {"lmax": 1, "correlation": factors}), expressivity.bodies(), 3)
    assert {kind for kind, sees in found.items() if sees} == kinds


def test_distances_see_no_pair_and_angles_some():
    two = {"2-body": expressivity.bodies()["2-body"], "2-chain": expressivity.chain(2)}
    assert not any(expressivity.seen(("schnet", {"layers": 2}), two, 3).values())
    assert expressivity.seen(("painn", {"layers": 2}), two, 3) == {"2-body": True, "2-chain": True}


def _congruent(first, second):
    """Whether a rotation takes the first atoms about the origin to the second, in any order."""
    a, b, c = next(triple for triple in itertools.permutations(first, 3) if abs(np.linalg.det(triple)) > 1)
    for images in itertools.permutations(second, 3):
        rotation = np.linalg.solve(np.array([a, b, c]), np.array(images)).T
        if np.allclose(rotation @ rotation.T, np.eye(3)) and np.linalg.det(rotation) > 0:
            distances = np.linalg.norm((first @ rotation.T)[:, None] - second, axis=-1)
            if distances.min(axis=0).max() < 1e-9 and distances.min(axis=1).max() < 1e-9:
                return True
    return False


def test_pairs_are_congruent_where_they_are_said_to_be():
    pairs = {kind: pair for kind, pair in expressivity.bodies().items() if kind != "2-body"}
    assert {kind for kind, pair in pairs.items() if _congruent(pair.first, pair.second)} == {
        "4-body, congruent",
        "4-body chiral, congruent",
    }
    mirrored = pairs["mirror images"]
    np.testing.assert_allclose(mirrored.first * [1, -1, 1], mirrored.second)


def test_tables_and_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(expressivity, "variants", lambda config: [("one", ("schnet", {}))])
    monkeypatch.setattr(expressivity, "degrees", lambda config: [("one", ("schnet", {}))])
    tiny = dataclasses.replace(expressivity.PRESETS["tiny"], most_layers=1, out=tmp_path)
    tables = expressivity.main(tiny)
    assert tables["chains"]["one"] == {"2-chain": None, "3-chain": None, "4-chain": None}
    assert "| one | · | · | · |" in capsys.readouterr().out
    assert (tmp_path / "pairs.png").stat().st_size > 10_000
