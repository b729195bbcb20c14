"""Weights of published programs as modules of the project: `convert` and what the files of reference numbers hold."""

import json
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import ase
import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np

from symjax.graphs import Budget, PointNodes, atoms_graph, batch_graphs, graph_index
from symjax.math import segment_sum
from symjax.models import EGNN
from symjax.models.atoms import DimeNetPP, InvariantEGNN, SchNet
from tests import golden_graphs

ELEMENTS = np.array([1, 6, 7, 8, 9])  # of QM9, in the order of the one-hot vectors of its EGNN


def read(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any] | str, dict[str, np.ndarray]]:
    """Return the weights, the configuration and the arrays of a file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    meta = json.loads(str(arrays.pop("meta")))
    config = meta.get("cfg", meta)
    return {key[2:]: value for key, value in arrays.items() if key.startswith("w/")}, config, arrays


def convert(kind: str, weights: Mapping[str, np.ndarray], cfg: Mapping[str, Any] | str) -> tuple[nn.Module, Any]:
    """Return the module of a configuration, and its parameters from torch weights [out, in].

    Args:
        kind: one of `KINDS`.
        weights: by their names in torch; sizes and numbers of layers are read off them.
        cfg: options, or a text that has them as "name=number".

    Raises:
        ValueError: the kind is unknown, or layers replace features instead of adding to them.
    """
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, got {kind!r}")
    if isinstance(cfg, str):
        cfg = {key: json.loads(value) for key, value in re.findall(r"(\w+)=([\d.]+)", cfg)}
    if kind.startswith("egnn") and not (cfg.get("residual", True) and cfg.get("recurrent", True)):
        raise ValueError(f"expected layers that add to their features, got {dict(cfg)}")
    module, params = KINDS[kind](weights, cfg)
    return module, jax.tree.map(jnp.asarray, params)


def _dense(w: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    bias = {"bias": w[f"{name}.bias"]} if f"{name}.bias" in w else {}
    return {"kernel": w[f"{name}.weight"].T} | bias


def _perceptron(w: Mapping[str, np.ndarray], name: str) -> dict[str, Any]:
    return {"hidden": _dense(w, f"{name}.0"), "output": _dense(w, f"{name}.2")}


def _count(w: Mapping[str, np.ndarray], pattern: str) -> int:
    """How many different numbers stand in the place of (\\d+) in the names."""
    return len({found[1] for name in w if (found := re.match(pattern, name))})


def _schnet(w: Mapping[str, np.ndarray], cfg: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    def layer(k: int) -> dict[str, Any]:
        name = f"interactions.{k}"
        return {
            "send": _dense(w, f"{name}.conv.lin1"),
            "filter_hidden": _dense(w, f"{name}.mlp.0"),
            "filter": _dense(w, f"{name}.mlp.2"),
            "update_hidden": _dense(w, f"{name}.conv.lin2"),
            "update": _dense(w, f"{name}.lin"),
        }

    layers, (species, channels) = _count(w, r"interactions\.(\d+)\."), w["embedding.weight"].shape
    filters, gaussians = w["interactions.0.mlp.0.weight"].shape
    sizes = {"channels": channels, "filters": filters, "layers": layers, "radial_basis": gaussians}
    model = SchNet(species, 1.0, cutoff=cfg["cutoff"], outputs=f"{len(w['lin2.weight'])}x0e", **sizes)
    parts = {"embedding": w["embedding.weight"], "hidden": _dense(w, "lin1"), "readout": _dense(w, "lin2")}
    return model, {"params": parts | {f"layer_{k}": layer(k) for k in range(layers)}}


def _dimenet(w: Mapping[str, np.ndarray], cfg: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    def residual(name: str) -> dict[str, Any]:
        return {"first": _dense(w, f"{name}.lin1"), "second": _dense(w, f"{name}.lin2")}

    def layer(k: int) -> dict[str, Any]:
        name = f"interaction_blocks.{k}"
        names = {"stay": "lin_ji", "send": "lin_kj", "down": "lin_down", "up": "lin_up", "skip": "lin"}
        names |= {"radial_hidden": "lin_rbf1", "radial": "lin_rbf2"}
        blocks = {f"before_{i}": residual(f"{name}.layers_before_skip.{i}") for i in range(before)}
        blocks |= {f"after_{i}": residual(f"{name}.layers_after_skip.{i}") for i in range(after)}
        angular = {"spherical_hidden": w[f"{name}.lin_sbf1.weight"].T, "spherical": w[f"{name}.lin_sbf2.weight"].T}
        return {ours: _dense(w, f"{name}.{theirs}") for ours, theirs in names.items()} | blocks | angular

    def readout(k: int) -> dict[str, Any]:
        name = f"output_blocks.{k}"
        names = {"filter": "lin_rbf", "up": "lin_up", "last": "lin"}
        names |= {f"hidden_{i}": f"lins.{i}" for i in range(hidden)}
        return {ours: _dense(w, f"{name}.{theirs}") for ours, theirs in names.items()}

    layers, hidden = _count(w, r"interaction_blocks\.(\d+)\."), _count(w, r"output_blocks\.0\.lins\.(\d+)\.")
    before, after = (_count(w, rf"interaction_blocks\.0\.layers_{side}_skip\.(\d+)\.") for side in ("before", "after"))
    species, channels = w["emb.emb.weight"].shape
    radial, (basis, both) = len(w["rbf.freq"]), w["interaction_blocks.0.lin_sbf1.weight"].shape
    model = DimeNetPP(
        species,
        1.0,
        cutoff=cfg["cutoff"],
        outputs=f"{len(w['output_blocks.0.lin.weight'])}x0e",
        channels=channels,
        layers=layers,
        triplet_channels=len(w["interaction_blocks.0.lin_down.weight"]),
        basis_channels=basis,
        output_channels=len(w["output_blocks.0.lin_up.weight"]),
        output_layers=hidden,
        spherical_basis=both // radial,
        radial_basis=radial,
        before=before,
        after=after,
        envelope_power=int(cfg.get("envelope_exponent", 5)) + 1,
        rounded_zeros=True,
    )
    parts = {"frequencies": w["rbf.freq"], "embedding": w["emb.emb.weight"]}
    parts |= {"embedding_radial": _dense(w, "emb.lin_rbf"), "embedding_join": _dense(w, "emb.lin")}
    blocks = {f"layer_{k}": layer(k) for k in range(layers)}
    return model, {"params": parts | blocks | {f"readout_{k}": readout(k) for k in range(layers + 1)}}


def _messages(w: Mapping[str, np.ndarray], k: int) -> dict[str, Any]:
    """The parameters that every EGNN layer has."""
    attention = {"attention": _dense(w, f"gcl_{k}.att_mlp.0")} if f"gcl_{k}.att_mlp.0.weight" in w else {}
    return attention | {
        "message_kernel": w[f"gcl_{k}.edge_mlp.0.weight"].T,
        "message_bias": w[f"gcl_{k}.edge_mlp.0.bias"][None],
        "message": _dense(w, f"gcl_{k}.edge_mlp.2"),
        "update": _perceptron(w, f"gcl_{k}.node_mlp"),
    }


def _egnn_nbody(w: Mapping[str, np.ndarray], cfg: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    layers, width = _count(w, r"gcl_(\d+)\."), len(w["embedding.weight"])
    attention, tanh = "gcl_0.att_mlp.0.weight" in w, bool(cfg.get("tanh"))
    model = EGNN(width, layers, attention, "soft" if cfg.get("norm_diff") else None, tanh)

    def layer(k: int) -> dict[str, Any]:
        moved = {"move": _perceptron(w, f"gcl_{k}.coord_mlp"), "push": _perceptron(w, f"gcl_{k}.coord_mlp_vel")}
        return _messages(w, k) | moved

    return model, {"params": {"embedding": _dense(w, "embedding")} | {f"layer_{k}": layer(k) for k in range(layers)}}


class EGNNClean(nn.Module):
    """Bodies without velocities, whose last features go through a linear layer: (h, x, receivers, senders, edges)."""

    model: EGNN
    outputs: int

    @nn.compact
    def __call__(self, graph):
        nodes = graph.nodes._replace(velocities=jnp.zeros_like(graph.nodes.positions))
        out = self.model(graph._replace(nodes=nodes)).nodes
        return nn.Dense(self.outputs, param_dtype=out.features.dtype, name="readout")(out.features), out.positions


def _egnn_clean(w: Mapping[str, np.ndarray], cfg: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    layers, width = _count(w, r"gcl_(\d+)\."), len(w["embedding_in.weight"])
    attention, tanh = "gcl_0.att_mlp.0.weight" in w, bool(cfg.get("tanh"))
    model = EGNN(width, layers, attention, "unit" if cfg.get("normalize") else None, tanh)
    still = {"hidden": {"kernel": np.zeros((width, width)), "bias": np.zeros(width)}}
    still |= {"output": {"kernel": np.zeros((width, 1)), "bias": np.zeros(1)}}

    def layer(k: int) -> dict[str, Any]:
        return _messages(w, k) | {"move": _perceptron(w, f"gcl_{k}.coord_mlp"), "push": still}

    inner = {"embedding": _dense(w, "embedding_in")} | {f"layer_{k}": layer(k) for k in range(layers)}
    outputs = len(w["embedding_out.weight"])
    return EGNNClean(model, outputs), {"params": {"model": inner, "readout": _dense(w, "embedding_out")}}


class EGNNOfQM9(nn.Module):
    """A perceptron of the summed outputs of atoms, from a graph whose species are places in `ELEMENTS`."""

    model: InvariantEGNN
    outputs: int

    @nn.compact
    def __call__(self, graph):
        atoms = self.model(graph).array
        total = segment_sum(atoms, graph_index(graph), len(graph.n_node))
        hidden = nn.silu(nn.Dense(atoms.shape[-1], param_dtype=atoms.dtype, name="hidden")(total))
        return nn.Dense(self.outputs, param_dtype=atoms.dtype, name="readout")(hidden)


def _egnn_qm9(w: Mapping[str, np.ndarray], cfg: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """Features of an element are one-hot times powers of Z: a linear map of them is a row an element."""
    layers, (width, inputs) = _count(w, r"gcl_(\d+)\."), w["embedding.weight"].shape
    count = len(ELEMENTS)
    powers = (ELEMENTS[:, None] / ELEMENTS.max()) ** np.arange(inputs // count)
    attributes = w["gcl_0.node_mlp.0.weight"].shape[1] > 2 * width
    options = {"attention": "gcl_0.att_mlp.0.weight" in w, "node_attributes": attributes, "envelope": False}
    outputs = f"{len(w['node_dec.2.weight'])}x0e"
    model = InvariantEGNN(count, 1.0, cutoff=100.0, outputs=outputs, channels=width, layers=layers, **options)

    def of_elements(weight: np.ndarray) -> np.ndarray:
        return np.einsum("osp,sp->so", weight.reshape(len(weight), count, -1), powers)

    def layer(k: int) -> dict[str, Any]:
        params = _messages(w, k)
        kernel = params["update"]["hidden"]["kernel"]
        params["update"]["hidden"]["kernel"] = np.concatenate([kernel[: 2 * width], of_elements(kernel[2 * width :].T)])
        return params

    parts = {"hidden": _dense(w, "node_dec.0"), "readout": _dense(w, "node_dec.2")}
    parts |= {"embedding": of_elements(w["embedding.weight"]) + w["embedding.bias"]}
    inner = parts | {f"layer_{k}": (layer(k) if attributes else _messages(w, k)) for k in range(layers)}
    head = {"hidden": _dense(w, "graph_dec.0"), "readout": _dense(w, "graph_dec.2")}
    return EGNNOfQM9(model, len(w["graph_dec.2.weight"])), {"params": {"model": inner} | head}


def molecules(arrays: Mapping[str, np.ndarray], species: int, cutoff: float) -> jraph.GraphsTuple:
    """Return the padded batch of a file's molecules, whose species are atomic numbers."""
    numbers, positions, owner = (arrays[f"in/{name}"] for name in ("z", "pos", "batch"))
    count = int(owner.max()) + 1
    parts = [ase.Atoms(numbers[owner == i], positions[owner == i]) for i in range(count)]
    graphs = [atoms_graph(part, cutoff=cutoff, species=tuple(range(species))) for part in parts]
    return batch_graphs(graphs, Budget(len(numbers) + 1, len(arrays["out/dist"]) + 1, count + 1))


def points_graph(features, positions, velocities, arrays):
    """Return the graph of bodies whose receivers are the rows of a file."""
    sizes = np.array([len(positions)]), np.array([len(arrays["in/row"])])
    nodes = PointNodes(features, positions, velocities)
    graph = jraph.GraphsTuple(nodes, arrays["in/edge_attr"], arrays["in/row"], arrays["in/col"], None, *sizes)
    return jax.tree.map(jnp.asarray, graph)


KINDS: dict[str, Callable] = golden_graphs.KINDS | {
    "schnet": _schnet,
    "dimenet++": _dimenet,
    "egnn_nbody": _egnn_nbody,
    "egnn_clean": _egnn_clean,
    "egnn_qm9": _egnn_qm9,
}
