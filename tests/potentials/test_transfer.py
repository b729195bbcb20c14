"""What is learnt is carried over: rows of new elements leave the others alone, references follow other labels."""

import dataclasses

import ase
import ase.build
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pair_model import PairModel, params

from symjax.data import Structures
from symjax.graphs import atoms_graph
from symjax.models.atoms import NequIP, SchNet
from symjax.potentials import (
    Potential,
    References,
    choose_params,
    describe_references,
    extend_species,
    move_references,
    transfer_params,
)

MODELS = {
    "SchNet": SchNet(2, 2.0, channels=4, filters=3, layers=1, radial_basis=4),
    "NequIP": NequIP(2, 2.0, channels=2, lmax=1, layers=2, radial_basis=3, radial_widths=(4,)),
}
KNOWN = References({1: -13.6, 8: -2041.8}, shift=-0.1, scale=2.0)
NAMES = ("H2O", "OH", "H2", "H2O2")


def molecules(names=NAMES):
    return tuple(map(ase.build.molecule, names))


def potential(**changes):
    fields = {"model": PairModel(), "params": params(), "species": (1, 8), "references": KNOWN}
    return Potential(**fields | changes)


def labelled(names=NAMES, *, of, offsets):
    """Energies of a potential with other energies of the elements, as of another code."""
    structures = Structures(molecules(names))
    more = [sum(offsets[int(z)] for z in numbers) for numbers in structures.numbers]
    return dataclasses.replace(structures, labels={"energy": of.predict(structures).energy + more})


def drawn(model, graph, seed):
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(model.init, jax.random.key(0), graph)
    return jax.tree.map(lambda leaf: jnp.asarray((1 + seed) * rng.normal(size=leaf.shape)), shapes)


def test_new_elements_are_put_behind_the_known_ones():
    assert extend_species((8, 1), (1, 6, 7, 8)) == (8, 1, 6, 7)
    assert extend_species((1, 8), (8,)) == (1, 8)


@pytest.mark.parametrize("name", MODELS)
def test_a_longer_table_leaves_predictions_as_they_are(name):
    small, large = MODELS[name], dataclasses.replace(MODELS[name], species=4, parent=None)
    graph, longer = (
        jax.tree.map(jnp.asarray, atoms_graph(molecules()[0], cutoff=small.cutoff, species=species))
        for species in ((1, 8), (1, 8, 6, 7))
    )
    learnt, fresh = (drawn(model, graph, seed) for seed, model in enumerate((small, large)))
    params = transfer_params(learnt, fresh)
    before, after = jax.jit(small.apply)(learnt, graph), jax.jit(large.apply)(params, longer)
    rounding = 1e-13 if name == "NequIP" else 0  # of products with zeros for the other elements
    np.testing.assert_allclose(after.array, before.array, rtol=rounding)
    table = params["params"]["embedding"]
    np.testing.assert_array_equal(table[:2], learnt["params"]["embedding"])
    own, others = learnt["params"]["embedding"], fresh["params"]["embedding"]
    size = jnp.sqrt(jnp.mean(own**2) / jnp.mean(others**2))
    np.testing.assert_allclose(table[2:], size * others[2:], rtol=1e-12)


def test_references_take_up_what_another_code_adds_to_each_element():
    data = labelled(of=potential(), offsets={1: 0.4, 8: -7.5})
    moved = move_references(potential(), data, "residual")
    assert moved.energies == pytest.approx({1: -13.2, 8: -2049.3}, abs=1e-9)
    assert (moved.shift, moved.scale) == (KNOWN.shift, KNOWN.scale)
    followed = potential(references=moved).predict(data)
    np.testing.assert_allclose(followed.energy, data.energy, atol=1e-9)
    assert describe_references(KNOWN, moved) == "references (eV) H -13.2 (was -13.6), O -2049.3 (was -2041.8)"


def test_what_compositions_leave_open_is_of_the_new_elements():
    """In CO2 alone nobody can tell C from O: the known oxygen stays where it was."""
    grown = potential(params=params() | {"a": jnp.array([0.3, -0.7, 0.1])}, species=(1, 8, 6))
    of = dataclasses.replace(grown, references=dataclasses.replace(KNOWN, energies=KNOWN.energies | {6: -1030.0}))
    moved = move_references(grown, labelled(["CO2"], of=of, offsets={6: 0.0, 8: 0.0}), "residual")
    assert moved.energies == pytest.approx({1: -13.6, 6: -1030.0, 8: -2041.8}, rel=1e-5)
    assert moved.energies[1] == KNOWN.energies[1]
    assert "C -1030 (new)" in describe_references(KNOWN, moved)


def test_energies_that_are_not_known_do_not_count():
    data = labelled(of=potential(), offsets={1: 0.4, 8: -7.5})
    data.labels["energy"][1] = np.nan
    assert move_references(potential(), data, "residual").energies == pytest.approx({1: -13.2, 8: -2049.3}, abs=1e-9)


def test_references_are_kept_or_fitted_where_that_is_asked_for():
    data = labelled(["H2", "H2"], of=potential(), offsets={1: 0.4})
    assert move_references(potential(), data, "keep") is KNOWN
    assert describe_references(KNOWN, KNOWN) == "references as they were"
    fitted = move_references(potential(), data, "H=-5")
    assert (fitted.energies[1], fitted.scale) == (-5, KNOWN.scale)
    assert fitted.energies[8] + fitted.shift == pytest.approx(KNOWN.energies[8] + KNOWN.shift)
    methane = Structures(molecules(["CH4"]), {"energy": np.zeros(1)})
    with pytest.raises(ValueError, match="--references keep has no energy for C, which the data add"):
        move_references(potential(), methane, "keep")


def test_energies_of_lone_atoms_are_followed_by_those_of_the_data():
    isolated = potential(references=dataclasses.replace(KNOWN, shift=0.0, isolated=True))
    data = labelled(of=potential(), offsets={1: 0.4, 8: -7.5})
    bring = dataclasses.replace(data, isolated={1: -13.1, 8: -2050.0})
    assert move_references(isolated, bring) == dataclasses.replace(isolated.references, energies=bring.isolated)
    assert move_references(potential(), bring) == move_references(potential(), data, "residual")
    only_new = dataclasses.replace(data, isolated={8: -2050.0})
    given = move_references(isolated, only_new, "isolated").energies
    assert given == isolated.references.energies | {8: -2050.0}
    moved = move_references(isolated, data)
    assert moved == dataclasses.replace(move_references(isolated, data, "residual"), isolated=True)


PARAMS = {"params": {"embedding": 0, "layer_0": {"radial": {"kernel_0": 0, "kernel_1": 0}, "up": {"w": 0}}, "out": 0}}


@pytest.mark.parametrize(
    ("patterns", "named"),
    [
        (["embedding"], [True, False, False, False, False]),
        (["layer_0"], [False, True, True, True, False]),
        (["layer_0/*/kernel_?"], [False, True, True, False, False]),
        (["layer_0/up|out", "embedding"], [True, False, False, True, True]),
    ],
)
def test_patterns_name_parameters(patterns, named):
    chosen = choose_params(PARAMS, patterns)
    assert jax.tree.structure(chosen) == jax.tree.structure(PARAMS)
    assert jax.tree.leaves(chosen) == named


def test_patterns_that_name_nothing_or_everything_are_refused():
    with pytest.raises(ValueError, match="--freeze layer_9 names no parameter; there are embedding, layer_0/radial/k"):
        choose_params(PARAMS, ["embedding", "layer_9"])
    with pytest.raises(ValueError, match=r"--freeze \* names all parameters"):
        choose_params(PARAMS, ["*"])
