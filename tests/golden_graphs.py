"""Weights of PyTorch Geometric's layers as ours: the kinds of `tests.golden.convert` that work on plain graphs.

A configuration has options by their names there; what the weights show need not be said.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.layers.graph import GATLayer, GATv2Layer, GCNLayer, GINELayer, GINLayer, MPNNLayer, SAGELayer, Set2Set
from symjax.math import segment_softmax
from symjax.models import Affine, GraphNetwork

Weights = Mapping[str, np.ndarray]
Config = Mapping[str, Any]
Converted = tuple[nn.Module, dict[str, Any]]


def plain_graph(arrays: Weights) -> jraph.GraphsTuple:
    """Return the graph of a file, whose edges are features, weights, or None."""
    senders, receivers = arrays["in/edge_index"]
    edges = arrays.get("in/edge_attr", arrays.get("in/edge_weight"))
    sizes = np.bincount(arrays.get("in/batch", np.zeros(len(arrays["in/x"]), int)))
    count = np.bincount([0] * len(senders), minlength=len(sizes))
    graph = jraph.GraphsTuple(arrays["in/x"], edges, receivers, senders, None, sizes, count)
    return jax.tree.map(jnp.asarray, graph)


class SegmentSoftmax(nn.Module):
    """The softmax of the edges that come in at a node, in place of the edges."""

    @nn.compact
    def __call__(self, graph):
        n = graph.nodes.shape[0]
        return graph._replace(edges=segment_softmax(graph.edges, graph.receivers, n))


def _dense(w: Weights, name: str) -> dict[str, np.ndarray]:
    return {"kernel": w[f"{name}.weight"].T} | ({"bias": w[f"{name}.bias"]} if f"{name}.bias" in w else {})


def _bias(w: Weights, name: str = "bias", ours: str = "bias") -> dict[str, np.ndarray]:
    return {ours: w[name][None]} if name in w else {}


def _aggregation(cfg: Config, default: str) -> str:
    """Files that name none may have it in their formula."""
    named = cfg.get("aggr") or next(
        (name for name in ("mean", "max") if f"{name}_j" in cfg.get("formula", "")), default
    )
    return {"add": "sum"}.get(named, named)


def _gcn(w: Weights, cfg: Config) -> Converted:
    normalize = cfg.get("normalize", True)
    loops = cfg.get("add_self_loops")
    options = {"normalize": normalize, "self_loops": normalize if loops is None else loops, "use_bias": "bias" in w}
    return GCNLayer(len(w["lin.weight"]), **options), {"params": {"kernel": w["lin.weight"].T} | _bias(w)}


def _sage(w: Weights, cfg: Config) -> Converted:
    options = {"project": "lin.weight" in w, "root": "lin_r.weight" in w, "use_bias": "lin_l.bias" in w}
    options |= {"aggregation": _aggregation(cfg, "mean"), "normalize": cfg.get("normalize", False)}
    params = {"kernel": w["lin_l.weight"].T} | _bias(w, "lin_l.bias")
    params |= {"root": w["lin_r.weight"].T} if options["root"] else {}
    params |= {"project": _dense(w, "lin")} if options["project"] else {}
    return SAGELayer(len(w["lin_l.weight"]), **options), {"params": params}


def _heads(w: Weights, cfg: Config, attention: np.ndarray) -> dict[str, Any]:
    _, heads, features = attention.shape
    if "res.weight" in w or cfg.get("fill_value", "mean") != "mean":
        raise ValueError(f"expected no residual map and loops with mean features, got {sorted(w)} and {dict(cfg)}")
    return {
        "features": features,
        "heads": heads,
        "concat": cfg.get("concat", "bias" not in w or len(w["bias"]) == heads * features),
        "edge_features": "lin_edge.weight" in w,
        "negative_slope": cfg.get("negative_slope", 0.2),
        "self_loops": cfg.get("add_self_loops", True),
        "use_bias": "bias" in w,
    }


def _gat(w: Weights, cfg: Config) -> Converted:
    params = {"kernel": w["lin.weight"].T, "sender": w["att_src"][0], "receiver": w["att_dst"][0]} | _bias(w)
    if "lin_edge.weight" in w:
        params |= {"edge_kernel": w["lin_edge.weight"].T, "edge": w["att_edge"][0]}
    return GATLayer(**_heads(w, cfg, w["att_src"])), {"params": params}


def _gatv2(w: Weights, cfg: Config) -> Converted:
    shared = cfg.get("share_weights", "lin_r.weight" not in w)
    params = {"score": w["att"][0]} | _bias(w)
    parts = {"sender": "lin_l", "receiver": "lin_r", "edge": "lin_edge"}
    for ours, theirs in parts.items():
        if f"{theirs}.weight" in w and not (shared and ours == "receiver"):
            params |= {f"{ours}_kernel": w[f"{theirs}.weight"].T} | _bias(w, f"{theirs}.bias", f"{ours}_bias")
    return GATv2Layer(**_heads(w, cfg, w["att"]), share_weights=shared), {"params": params}


def _isomorphism(w: Weights) -> tuple[dict[str, Any], dict[str, Any]]:
    """Eps is a parameter, and a norm of the hidden layer in evaluation a part of the layer before it."""
    first, last = ("nn.0", "nn.2") if "nn.0.weight" in w else ("nn.lins.0", "nn.lins.1")
    weight, bias = w[f"{first}.weight"], w.get(f"{first}.bias", np.zeros(len(w[f"{first}.weight"])))
    if "nn.norms.0.module.running_var" in w:
        scale, shift = _affine(w, "nn.norms.0.module").values()
        weight, bias = scale[:, None] * weight, scale * bias + shift
    features, hidden = len(w[f"{last}.weight"]), len(weight)
    options = {"features": features, "hidden": None if hidden == features else hidden, "train_eps": "eps" in w}
    params = {"kernel": weight.T, "hidden_bias": bias[None], "output": _dense(w, last)}
    return options, params | ({"eps": w["eps"].reshape(())} if "eps" in w else {})


def _gin(w: Weights, cfg: Config) -> Converted:
    options, params = _isomorphism(w)
    return GINLayer(**options), {"params": params}


def _gine(w: Weights, cfg: Config) -> Converted:
    options, params = _isomorphism(w)
    project = {"edge_kernel": w["lin.weight"].T} | _bias(w, "lin.bias", "edge_bias") if "lin.weight" in w else {}
    return GINELayer(**options, project=bool(project)), {"params": params | project}


def _nnconv(w: Weights, cfg: Config) -> Converted:
    root = {"root": w["lin.weight"].T} if "lin.weight" in w else {}
    features = next((len(w[name]) for name in ("bias", "lin.weight") if name in w), cfg.get("out_channels"))
    edge = {"edge_kernel": w["nn.0.weight"].T} | _bias(w, "nn.0.bias", "edge_bias")
    gru = {"gru": _gates(w, "gru", "rzn")} if "gru.weight_ih_l0" in w else {}
    options = {"hidden": len(w["nn.0.weight"]), "root": bool(root), "use_bias": "bias" in w, "gated": bool(gru)}
    layer = MPNNLayer(features, aggregation=_aggregation(cfg, "sum"), **options)
    return layer, {"params": edge | {"matrix": _dense(w, "nn.2")} | root | gru | _bias(w)}


def _gates(w: Weights, name: str, gates: str) -> dict[str, Any]:
    """A recurrent unit, whose gates lie one under the other; of their two biases we have the sum, but for a GRU's n."""
    names = [f"{kind}_{end}_l0" for kind in ("weight", "bias") for end in ("ih", "hh")]
    cells = zip(gates, *(np.split(w[f"{name}.{part}"], len(gates)) for part in names), strict=True)
    parts: dict[str, Any] = {}
    for gate, to_input, to_state, bias_input, bias_state in cells:
        both = {"bias": bias_input + bias_state}
        of_input, of_state = (both, {}) if "n" in gates else ({}, both)
        if gate == "n":
            of_input, of_state = {"bias": bias_input}, {"bias": bias_state}
        parts |= {f"i{gate}": {"kernel": to_input.T} | of_input, f"h{gate}": {"kernel": to_state.T} | of_state}
    return parts


def _set2set(w: Weights, cfg: Config) -> Converted:
    return Set2Set(cfg["processing_steps"]), {"params": {"lstm": _gates(w, "lstm", "ifgo")}}


def _affine(w: Weights, name: str) -> dict[str, np.ndarray]:
    """A batch norm in evaluation, with the default eps."""
    scale = w[f"{name}.weight"] / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return {"scale": scale, "shift": w[f"{name}.bias"] - scale * w[f"{name}.running_mean"]}


def _kind(layer: Weights) -> str:
    marks = {"att_src": "gat", "att": "gatv2", "nn.lins.0.weight": "gin", "lin_l.weight": "sage", "lin.weight": "gcn"}
    return next(kind for mark, kind in marks.items() if mark in layer)


def _graph_network(w: Weights, cfg: Config) -> Converted:
    """GCN, GAT, GraphSAGE or GIN of `torch_geometric.nn.models` in evaluation; batch norms become affine maps."""
    count = 1 + max(int(name.split(".")[1]) for name in w if name.startswith("convs."))
    layers = [
        {name.removeprefix(f"convs.{k}."): value for name, value in w.items() if name.startswith(f"convs.{k}.")}
        for k in range(count)
    ]
    norm, kind, act = "norms.0.module.running_var" in w, _kind(layers[0]), cfg.get("act", "relu")
    unknown = [name for name in w if not name.startswith(("convs.", "norms."))]
    if unknown or cfg.get("act_first") or (act != "relu" and kind == "gin") or norm != any("norms." in k for k in w):
        raise ValueError(f"expected a stack without jumps, with batch norms or none before relu, got {dict(cfg)}")
    parts = [KINDS[kind](layer, {key: value for key, value in cfg.items() if key != "concat"}) for layer in layers]
    options = {field.name: getattr(parts[0][0], field.name) for field in dataclasses.fields(parts[0][0])}
    params = {f"layer_{k}": part["params"] for k, (_, part) in enumerate(parts)}
    params |= {f"norm_{k}": _affine(w, f"norms.{k}.module") for k in range(count - 1) if norm}
    network = GraphNetwork(
        parts[-1][0].features,
        kind,
        width=options.pop("features") * options.get("heads", 1),
        layers=count,
        activation=getattr(nn, act),
        norm=Affine if norm else None,
        options={key: value for key, value in options.items() if key not in ("concat", "parent", "name")},
    )
    return network, {"params": params}


KINDS: dict[str, Callable[[Weights, Config], Converted]] = {
    "gcn": _gcn,
    "sage": _sage,
    "gat": _gat,
    "gatv2": _gatv2,
    "gin": _gin,
    "gine": _gine,
    "nnconv": _nnconv,
    "graph_network": _graph_network,
    "set2set": _set2set,
    "segment_softmax": lambda w, cfg: (SegmentSoftmax(), {}),
}
