from typing import Any, NamedTuple

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from symjax.groups import Amplitude, E, Motion, O, Offsets, Rescaling, S, TimeShifts
from symjax.reps import (
    Axis,
    Channels,
    Irreps,
    OnGraph,
    OnNodes,
    Points,
    Pseudovectors,
    Relabelling,
    Rep,
    TimeAxis,
    Tree,
    Trivial,
    Vectors,
)

KEY = jax.random.key(0)
X = jax.random.normal(KEY, (4, 3))
MIRROR = jnp.diag(jnp.array([-1.0, 1.0, 1.0]))


class Body(NamedTuple):
    position: Any
    charge: Any = None


def _after(first, second):
    """The element that acts like `first` and then `second`."""
    if isinstance(first, Motion):
        return Motion(second.rotation @ first.rotation, second.rotation @ first.translation + second.translation)
    if isinstance(first, Rescaling):
        return Rescaling(second.scale * first.scale, second.scale * first.offset + second.offset)
    return first[second] if jnp.issubdtype(first.dtype, jnp.integer) and first.ndim else second @ first


@pytest.mark.parametrize(
    ("group", "rep"),
    [
        (E(3), Points()),
        (O(3), Points()),
        (E(3), Vectors()),
        (O(3), Pseudovectors()),
        (E(3), Irreps("1o")),
        (O(3), Irreps("3x0o")),
        (S(4), Axis(0)),
        (S(3), Axis(-1)),
        (Amplitude(3), Channels()),
        (Offsets(3), Channels()),
        (Amplitude(4), Channels((3, 0, 1))),
        (E(3), Tree((Points(),))),
    ],
    ids=repr,
)
def test_reps_are_actions(group, rep):
    x = (X,) if isinstance(rep, Tree) else X
    a, b = group.sample(KEY, group.components - 1), group.sample(jax.random.key(1))
    one_by_one = rep.act(b, rep.act(a, x))
    at_once = rep.act(_after(a, b), x)
    jax.tree.map(lambda u, v: np.testing.assert_allclose(u, v, atol=1e-13), one_by_one, at_once)
    assert jax.tree.map(jnp.shape, at_once) == jax.tree.map(jnp.shape, x)


def test_what_translations_and_mirrors_do():
    shift = Motion(jnp.eye(3), jnp.ones(3))
    np.testing.assert_allclose(Points().act(shift, X), X + 1)
    np.testing.assert_array_equal(Vectors().act(shift, X), X)
    np.testing.assert_allclose(Vectors().act(MIRROR, X), X * np.array([[-1.0, 1, 1]]))
    np.testing.assert_allclose(Pseudovectors().act(MIRROR, X), X * np.array([[1.0, -1, -1]]))
    np.testing.assert_array_equal(TimeAxis(0).act(jnp.array(1), X), X[jnp.array([3, 0, 1, 2])])
    assert TimeAxis(0).act(TimeShifts(4).sample(KEY), X).shape == X.shape


def test_channels_keep_their_number():
    g = Amplitude(4).sample(KEY)
    np.testing.assert_allclose(Channels((2,)).act(g, X[:, :1]), X[:, :1] * g.scale[2] + g.offset[2])
    with pytest.raises(ValueError, match=r"expected 4 channels on the last axis, got an array of shape \(4, 3\)"):
        Channels().act(g, X)


def test_irreps_agree_with_vectors_on_arrays_and_irreps_arrays():
    g = O(3).sample(KEY, 1)
    np.testing.assert_allclose(Irreps("1o").act(g, X), Vectors().act(g, X), atol=1e-13)
    np.testing.assert_allclose(Irreps("1e").act(g, X), Pseudovectors().act(g, X), atol=1e-13)
    turned = Irreps("1o").act(g, e3nn.IrrepsArray("1o", X))
    assert turned.irreps == e3nn.Irreps("1o")
    np.testing.assert_allclose(turned.array, Vectors().act(g, X), atol=1e-13)
    harmonics = e3nn.spherical_harmonics("2e", e3nn.IrrepsArray("1o", X), normalize=False)
    moved = e3nn.spherical_harmonics("2e", e3nn.IrrepsArray("1o", Vectors().act(g, X)), normalize=False)
    np.testing.assert_allclose(Irreps("2e").act(g, harmonics).array, moved.array, atol=1e-12)


@pytest.mark.parametrize("x", [X, e3nn.IrrepsArray("3x0e", X)], ids=["array", "irreps"])
def test_irreps_of_another_kind_are_refused(x):
    with pytest.raises(ValueError, match=r"8x0e"):
        Irreps("8x0e").act(jnp.eye(3), x)


def test_tree_goes_by_structure_and_skips_what_is_none():
    rep = Tree(Body(Points(), Trivial()))
    moved = rep.act(MIRROR, Body(X))
    assert moved.charge is None
    np.testing.assert_allclose(moved.position[:, 0], -X[:, 0])
    np.testing.assert_array_equal(rep.act(MIRROR, Body(X, X)).charge, X)
    nested = Tree({"a": Tree((Vectors(), Trivial())), "b": Trivial()})
    assert nested.act(MIRROR, {"a": (X, X), "b": {"any": X}})["b"]["any"] is X


def test_reps_compare_by_content():
    pairs = [
        (Tree({"a": Vectors(), "b": Trivial()}), Tree({"b": Trivial(), "a": Vectors()})),
        (Irreps("2x0e + 1o"), Irreps("2x0e+1x1o")),
        (OnNodes(Tree(Body(Points()))), OnGraph(nodes=Tree(Body(Points())))),
        (Axis(1), Axis(1)),
        (Relabelling(), Relabelling()),
    ]
    for a, b in pairs:
        assert isinstance(a, Rep)
        assert a == b
        assert hash(a) == hash(b)
    assert len({a for a, _ in pairs} | {Tree((Vectors(),)), Tree([Vectors()]), Axis(0), TimeAxis(1)}) == 9


def _batch():
    """Two graphs of 3 and 2 nodes whose features are the node's old name."""
    return jraph.GraphsTuple(
        nodes={"name": jnp.arange(5.0)},
        edges=jnp.array([1.0, 2.0, 0.0, 4.0]),  # the old name of the sender
        senders=jnp.array([1, 2, 0, 4], jnp.int32),
        receivers=jnp.array([0, 0, 2, 3], jnp.int32),
        globals=None,
        n_node=jnp.array([3, 2], jnp.int32),
        n_edge=jnp.array([3, 1], jnp.int32),
    )


@pytest.mark.parametrize("seed", range(3))
def test_relabelling_renames_nodes_within_their_graph_and_keeps_edges(seed):
    old = _batch()
    new = jax.jit(Relabelling().act)(S(5).sample(jax.random.key(seed)), old)
    name = np.asarray(new.nodes["name"]).astype(int)
    assert sorted(name[:3]) == [0, 1, 2]
    assert sorted(name[3:]) == [3, 4]
    edges = {(int(s), int(r)) for s, r in zip(old.senders, old.receivers, strict=True)}
    assert {(name[s], name[r]) for s, r in zip(new.senders, new.receivers, strict=True)} == edges
    np.testing.assert_array_equal(new.edges, name[np.asarray(new.senders)])
    assert (np.diff(new.receivers) >= 0).all()
    assert (new.senders.dtype, new.receivers.dtype) == (jnp.int32, jnp.int32)


def test_on_graph_moves_the_fields_it_names():
    graph = _batch()._replace(nodes=X, globals=X)
    moved = OnGraph(nodes=Vectors(), globals=Pseudovectors()).act(MIRROR, graph)
    np.testing.assert_allclose(moved.nodes[:, 0], -X[:, 0])
    np.testing.assert_allclose(moved.globals[:, 0], X[:, 0])
    np.testing.assert_array_equal(moved.edges, graph.edges)
    assert OnGraph(nodes=Vectors()).act(MIRROR, graph._replace(nodes=None)).nodes is None


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_actions_keep_the_dtype(dtype):
    x = X.astype(dtype)
    for rep in (Points(), Vectors(), Pseudovectors(), Irreps("1o")):
        assert rep.act(O(3).sample(KEY, 1), x).dtype == dtype
    assert Points().act(E(3).sample(KEY), x).dtype == dtype


def test_a_permutation_of_another_size_is_refused():
    with pytest.raises(ValueError, match="permutes 3 places"):
        Axis(0).act(jnp.arange(3), X)
    with pytest.raises(ValueError, match="permutes 3 places"):
        Relabelling().act(jnp.arange(3), _batch())
