"""A graph from two tables in CSV: its edges, and its nodes with features, labels and splits."""

import pathlib
from typing import Any

import numpy as np

from symjax.data.graphs.graphs import SPLITS, GraphData, both_ways, label_graphs, make_graphs

MEANT = {"label", "split"}


def read_edge_list(edges: str | pathlib.Path, nodes: str | pathlib.Path, *, undirected: bool = True) -> GraphData:
    """Return the graph of a table of edges and one of nodes, numbered in the order of the latter.

        sender,receiver,weight        node,label,split,age,income
        ann,bob,0.5                   ann,yes,train,31,2.5
        bob,eve,1.0                   bob,no,test,47,3.0

    The first two columns of edges are names of nodes, further ones weights or features. The first column of nodes are
    their names; a split is train, valid, test or empty, a label a word, a whole number or empty; what else there is are
    features. Classes are numbered in the order of their labels, as words or as numbers.

    Args:
        edges: path of the one table.
        nodes: path of the other.
        undirected: whether an edge leads both ways, even where the table has it once.

    Raises:
        ValueError: a column is missing or holds no numbers, a name is there twice, an edge has one that no node has, or
            a split has another name.
    """
    import pandas as pd

    ends, table = _table(edges), _table(nodes)
    if ends.shape[1] < 2 or not set(table.columns[1:]) >= MEANT:
        raise ValueError(
            f"expected two columns of names in {edges}, and in {nodes} names, a label and a split, "
            f"got {list(ends.columns)} and {list(table.columns)}"
        )
    names = table.iloc[:, 0]
    if names.duplicated().any():
        raise ValueError(f"{nodes} has the node {names[names.duplicated()].iloc[0]!r} twice")
    number = pd.Series(np.arange(len(names)), index=names)
    unknown = sorted(set(ends.iloc[:, 0]).union(ends.iloc[:, 1]) - set(names), key=str)
    if unknown:
        raise ValueError(f"{edges} has an edge of {unknown[0]!r}, which is no node of {nodes}")
    features = _numbers(table.drop(columns=[table.columns[0], *MEANT]), nodes)
    weights = _numbers(ends.iloc[:, 2:], edges)
    senders, receivers = (np.asarray(number[ends.iloc[:, i]]) for i in (0, 1))
    graph = make_graphs(
        senders,
        receivers,
        features if features.shape[1] else np.ones((len(names), 1)),
        edges=None if not weights.size else weights[:, 0] if weights.shape[1] == 1 else weights,
    )
    if unknown := sorted({*table["split"].dropna()} - {*SPLITS}, key=str):
        raise ValueError(f"expected a split among {', '.join(SPLITS)}, or none, got {unknown[0]!r} in {nodes}")
    classes = table["label"].astype("category").cat.codes.to_numpy(np.int32)
    splits: dict[str, Any] = {name: np.flatnonzero(table["split"] == name) for name in SPLITS}
    return label_graphs(both_ways(graph) if undirected else graph, classes, **splits)


def _table(path: str | pathlib.Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:
        raise ValueError(f"expected a table in CSV with a line of names, but {path} is empty") from None


def _numbers(table: Any, path: Any) -> np.ndarray:
    for name in table:
        if table[name].dtype.kind not in "biuf" or bool(table[name].isna().any()):
            raise ValueError(f"expected a number in every row of the column {name!r} of {path}")
    return table.to_numpy(float)
