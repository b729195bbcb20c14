"""Graphs from arrays and files, checked: features dense or sparse, labels, splits.

A file `.npz` holds numpy arrays of these names and no others:

    senders, receivers            [e]     numbers of nodes, an edge each; messages go from sender to receiver
    features                      [n, c]  of nodes; or, where most of them are zero,
    feature_node, feature_index   [k]     the places of those that are not, their values in feature_value [k] unless
    feature_shape                 (n, c)  all are one
    edges                         [e] weights, or [e, d] features; if there are any
    n_node                        [g]     sizes of the graphs where there are several, numbered one after the other
    labels                        classes 0, 1, ... with -1 where unknown, or real numbers; of nodes, or, in a file with
                                  n_node, of graphs
    train, valid, test            places of labels
"""

import pathlib
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import jraph
import numpy as np
from jax.experimental.sparse import BCOO
from jaxtyping import Bool, Float, Int, Num

SPARSE = "feature_node", "feature_index", "feature_shape"
SPLITS = "train", "valid", "test"
KEYS = {"senders", "receivers", "features", *SPARSE, "feature_value", "edges", "n_node", "labels", *SPLITS}
NAMED = 3  # pairs in a sentence

Features = Float[np.ndarray, "n c"] | BCOO


class GraphData(NamedTuple):
    """One graph whose nodes are labelled, or several that are.

    Attributes:
        graph: features of nodes [n, c], dense or sparse; weights [e] or features [e, d] of edges, or None.
        labels: classes with -1 where unknown, or real numbers; of nodes, or of graphs where there are several.
        train: places of labels to learn from.
        valid: those to choose by.
        test: those to report.
    """

    graph: jraph.GraphsTuple
    labels: Num[np.ndarray, "l ..."]
    train: Int[np.ndarray, " _"]
    valid: Int[np.ndarray, " _"]
    test: Int[np.ndarray, " _"]

    @property
    def classes(self) -> int:
        """How many classes there are, those from zero to the largest label."""
        return int(self.labels.max()) + 1


def make_graphs(
    senders: Any, receivers: Any, features: Any, *, edges: Any = None, n_node: Any = None
) -> jraph.GraphsTuple:
    """Return one graph, or several in one, on the host; edges are sorted by their receivers.

    Args:
        senders: numbers [e] of nodes.
        receivers: numbers [e] of nodes.
        features: of nodes [n, c], an array or a BCOO.
        edges: weights [e] or features [e, d].
        n_node: sizes of the graphs, whose nodes are numbered one graph after the other; by default all are one graph.

    Raises:
        ValueError: shapes do not fit, a number is none, an edge has an end that is no node, or leads from one graph to
            another.
    """
    features = features if isinstance(features, BCOO) else np.asarray(features)
    if len(features.shape) != 2:
        raise ValueError(f"expected features of shape [nodes, channels], got {list(features.shape)}")
    _require_finite("features", features.data if isinstance(features, BCOO) else features)
    if edges is not None:
        _require_finite("edges", np.asarray(edges))
    n = features.shape[0]
    ends = {"senders": np.asarray(senders), "receivers": np.asarray(receivers)}
    for name, own in ends.items():
        if own.ndim != 1 or (own.size and own.dtype.kind not in "iu"):
            raise ValueError(f"expected {name} as a row of whole numbers, got {own.dtype}{list(own.shape)}")
        if len(bad := np.flatnonzero((own < 0) | (own >= n))):
            raise ValueError(f"edge {bad[0]} has {own[bad[0]]} among its {name}, but nodes are 0 to {n - 1}")
    ends = {name: own.astype(np.int32) for name, own in ends.items()}
    if len({len(own) for own in ends.values()} | ({len(edges)} if edges is not None else set())) != 1:
        raise ValueError("expected as many senders as receivers, and a row of edges for each")
    sizes = np.array([n]) if n_node is None else np.asarray(n_node)
    if sizes.dtype.kind not in "iu" or (sizes < 0).any():
        raise ValueError(f"expected n_node as sizes of graphs, whole numbers from zero on, got {sizes.tolist()!s:.60}")
    if sizes.sum() != n:
        raise ValueError(f"n_node counts {sizes.sum()} nodes, but there are features of {n}")
    owner = np.repeat(np.arange(len(sizes)), sizes)
    by = {name: owner[own] for name, own in ends.items()}
    if len(bad := np.flatnonzero(by["senders"] != by["receivers"])):
        raise ValueError(f"edge {bad[0]} leads from graph {by['senders'][bad[0]]} to {by['receivers'][bad[0]]}")
    order = np.argsort(ends["receivers"], kind="stable")
    return jraph.GraphsTuple(
        nodes=features,
        edges=None if edges is None else np.asarray(edges)[order],
        senders=ends["senders"][order],
        receivers=ends["receivers"][order],
        globals=None,
        n_node=sizes.astype(np.int32),
        n_edge=np.bincount(by["receivers"], minlength=len(sizes)).astype(np.int32),
    )


def sparse_features(
    rows: Any, columns: Any, shape: tuple[int, int], values: Any = None, *, dtype: Any = np.float32
) -> BCOO:
    """Return features [n, c] that are zero but for some places, where they have values, by default one.

    Raises:
        ValueError: a place lies outside of the shape, is there twice, or lacks a column or a value.
    """
    if len({len(np.asarray(own)) for own in (rows, columns, columns if values is None else values)}) > 1:
        raise ValueError("expected a row, a column and, if any, a value for each place of a sparse feature")
    places = np.stack([np.asarray(rows), np.asarray(columns)], axis=1).astype(np.int32)
    if len(bad := np.flatnonzero(((places < 0) | (places >= shape)).any(axis=1))):
        raise ValueError(f"feature {tuple(places[bad[0]].tolist())} lies outside of the shape {tuple(shape)}")
    places, first = np.unique(places, axis=0, return_index=True)
    if len(first) < len(np.asarray(rows)):
        raise ValueError("expected each place of a sparse feature once, but some are there twice")
    numbers = np.ones(len(first), dtype) if values is None else np.asarray(values, dtype)[first]
    parts: Any = (numbers, places)  # on the host until a program takes them
    return BCOO(parts, shape=(int(shape[0]), int(shape[1])), indices_sorted=True, unique_indices=True)


def rows_to_one(features: Any) -> Any:
    """Return non-negative features divided by their sum in each row; rows of zeros stay."""
    if isinstance(features, BCOO):
        places = np.asarray(features.indices)
        total = np.bincount(places[:, 0], np.asarray(features.data), minlength=features.shape[0])
        numbers = np.asarray(features.data) / total[places[:, 0]].astype(features.dtype)
        n, c = features.shape
        return sparse_features(places[:, 0], places[:, 1], (n, c), numbers, dtype=features.dtype)
    total = features.sum(axis=1, keepdims=True)
    return features / np.where(total == 0, 1, total)


def label_graphs(graph: jraph.GraphsTuple, labels: Any, *, classes: int | None = None, **splits: Any) -> GraphData:
    """Return a graph with labels of its nodes, or several with labels of their own, and their splits, all checked.

    Args:
        graph: as `make_graphs` returns it.
        labels: classes or real numbers.
        classes: how many there are, by default up to the largest.
        splits: `train`, `valid` and `test`, places of labels.

    Raises:
        ValueError: there is not one label for each node or graph, a class is none, or a split is empty, no row of
            places, overlaps another, or has a place without a label.
    """
    labels = np.asarray(labels)
    count, what = (len(graph.n_node), "graphs") if len(graph.n_node) > 1 else (graph.nodes.shape[0], "nodes")
    if len(labels) != count:
        raise ValueError(f"expected a label for each of {count} {what}, got {len(labels)}")
    if labels.dtype.kind not in "iuf":
        raise ValueError(f"expected labels that are classes 0, 1, ... or real numbers, got {labels.dtype}; number them")
    known = labels >= 0 if labels.dtype.kind in "iu" else np.isfinite(labels).reshape(count, -1).all(axis=1)
    if labels.dtype.kind in "iu" and labels.size:
        most = int(labels.max()) + 1 if classes is None else classes
        if len(bad := np.flatnonzero((labels < -1) | (labels >= most))):
            raise ValueError(f"label {labels[bad[0]]} of {what[:-1]} {bad[0]} is none of the classes 0 to {most - 1}")
    places = {name: np.asarray(splits.get(name, ())) for name in SPLITS}
    _require_splits(places, known)
    return GraphData(graph, labels, **places)


def _require_splits(places: Mapping[str, np.ndarray], known: np.ndarray) -> None:
    for name, own in places.items():
        if not own.size:
            raise ValueError(f"the split {name!r} is empty; name at least one place in it")
        if own.ndim != 1 or own.dtype.kind not in "iu":
            raise ValueError(
                f"expected the split {name!r} as a row of places of labels, got {own.dtype}{list(own.shape)}; "
                "numpy.flatnonzero makes one of a mask"
            )
        if len(bad := own[(own < 0) | (own >= len(known))]):
            raise ValueError(f"the split {name!r} has {bad[0]}, but places are 0 to {len(known) - 1}")
        if len(bad := own[~known[own]]):
            raise ValueError(f"the split {name!r} has {bad[0]}, which has no label")
    every, times = np.unique(np.concatenate(list(places.values())), return_counts=True)
    if len(twice := every[times > 1]):
        within = [name for name, own in places.items() if twice[0] in own]
        raise ValueError(f"the splits overlap: {twice[0]} is in {' and in '.join(map(repr, within))}, or there twice")


def read_graphs(path: str | pathlib.Path, *, undirected: bool = True) -> GraphData:
    """Return what a file `.npz` of the layout above holds.

    Args:
        path: of the file.
        undirected: whether each edge should be there both ways; a warning names those that are not.

    Raises:
        ValueError: the file has other names or lacks some, or what they hold cannot be; it says which.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise ValueError(
            f"expected numpy arrays by name in {path}, as numpy.savez writes them, without objects"
        ) from None
    if unknown := sorted(set(arrays) - KEYS):
        raise ValueError(f"{path} has an array {unknown[0]!r}, but the layout knows {', '.join(sorted(KEYS))}")
    features = ("features",) if "features" in arrays else SPARSE
    if len(features) == 1 and (twice := sorted(arrays.keys() & {*SPARSE, "feature_value"})):
        raise ValueError(f"{path} has features dense and sparse, in 'features' and {twice[0]!r}; leave out one of them")
    if missing := sorted({"senders", "receivers", *features, "labels", *SPLITS} - set(arrays)):
        raise ValueError(f"{path} has no array {missing[0]!r}")
    nodes = arrays.get("features")
    if nodes is None:
        rows, columns, shape = (arrays[name].tolist() for name in SPARSE)
        nodes = sparse_features(rows, columns, tuple(shape), arrays.get("feature_value"))
    ends = arrays["senders"], arrays["receivers"]
    graph = make_graphs(*ends, nodes, edges=arrays.get("edges"), n_node=arrays.get("n_node"))
    if undirected:
        warn_one_way(graph)
    return label_graphs(graph, arrays["labels"].astype(_wide(arrays["labels"])), **{k: arrays[k] for k in SPLITS})


def _require_finite(name: str, numbers: Any) -> None:
    if numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all():
        raise ValueError(
            f"expected {name} that are finite numbers, got others among {numbers.dtype}{list(numbers.shape)}"
        )


def _wide(labels: np.ndarray) -> Any:
    return np.int32 if labels.dtype.kind in "iu" else labels.dtype


def warn_one_way(graph: jraph.GraphsTuple) -> None:
    """Warn of edges that have no counterpart in the other direction, and name some."""
    lonely = _lead_one_way(graph)
    if lonely.any():
        ends = graph.senders[lonely], graph.receivers[lonely]
        named = ", ".join(f"{a} -> {b}" for a, b in zip(*(own[:NAMED].tolist() for own in ends), strict=True))
        warnings.warn(
            f"{lonely.sum()} of {len(lonely)} edges lead one way only, such as {named}; list them both ways with "
            "both_ways(graph), or say undirected=False",
            stacklevel=3,
        )


def both_ways(graph: jraph.GraphsTuple) -> jraph.GraphsTuple:
    """Return the graph with each edge in both directions; those that have a counterpart stay as they are."""
    lonely = _lead_one_way(graph)
    senders, receivers = (
        np.concatenate([own, other[lonely]])
        for own, other in ((graph.senders, graph.receivers), (graph.receivers, graph.senders))
    )
    edges = None if graph.edges is None else np.concatenate([graph.edges, graph.edges[lonely]])
    return make_graphs(senders, receivers, graph.nodes, edges=edges, n_node=graph.n_node)


def _lead_one_way(graph: jraph.GraphsTuple) -> Bool[np.ndarray, " e"]:
    """Return which edges have no counterpart in the other direction."""
    ends, n = np.stack([graph.senders, graph.receivers], axis=1), int(graph.n_node.sum())
    return ~np.isin(ends @ [n, 1], ends @ [1, n])
