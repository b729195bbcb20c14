"""Weights of PyTorch Geometric's layers as ours: the kinds of `tests.golden.convert` that work on plain graphs."""

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.layers.graph import GATLayer, GCNLayer

Weights = Mapping[str, np.ndarray]
Config = Mapping[str, Any]


def plain_graph(arrays: Weights) -> jraph.GraphsTuple:
    """Return the graph of a file: its edges are features, weights, or None."""
    senders, receivers = arrays["in/edge_index"]
    edges = arrays.get("in/edge_attr", arrays.get("in/edge_weight"))
    sizes = np.bincount(arrays.get("in/batch", np.zeros(len(arrays["in/x"]), int)))
    count = np.bincount([0] * len(senders), minlength=len(sizes))
    graph = jraph.GraphsTuple(arrays["in/x"], edges, receivers, senders, None, sizes, count)
    return jax.tree.map(jnp.asarray, graph)


def _bias(w: Weights, name: str = "bias") -> dict[str, np.ndarray]:
    return {"bias": w[name][None]} if name in w else {}


def _gcn(w: Weights, cfg: Config) -> tuple[nn.Module, dict[str, Any]]:
    loops = cfg.get("add_self_loops")
    normalize = cfg.get("normalize", True)
    layer = GCNLayer(
        len(w["lin.weight"]),
        normalize=normalize,
        self_loops=normalize if loops is None else loops,
        use_bias="bias" in w,
    )
    return layer, {"params": {"kernel": w["lin.weight"].T} | _bias(w)}


def _attention(w: Weights, cfg: Config, heads: int, features: int) -> dict[str, Any]:
    joined = cfg.get("concat", "bias" not in w or len(w["bias"]) == heads * features)
    return {
        "features": features,
        "heads": heads,
        "concat": joined,
        "edge_features": "lin_edge.weight" in w,
        "negative_slope": cfg.get("negative_slope", 0.2),
        "self_loops": cfg.get("add_self_loops", True),
        "use_bias": "bias" in w,
    }


def _gat(w: Weights, cfg: Config) -> tuple[nn.Module, dict[str, Any]]:
    _, heads, features = w["att_src"].shape
    lin = w["lin.weight"] if "lin.weight" in w else w["lin_src.weight"]
    params = {"kernel": lin.T, "sender": w["att_src"][0], "receiver": w["att_dst"][0]}
    if "lin_edge.weight" in w:
        params |= {"edge_kernel": w["lin_edge.weight"].T, "edge": w["att_edge"][0]}
    return GATLayer(**_attention(w, cfg, heads, features)), {"params": params | _bias(w)}


KINDS: dict[str, Callable] = {
    "gcn": _gcn,
    "gat": _gat,
}
