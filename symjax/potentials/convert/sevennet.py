"""SevenNet (Park et al. 2024, arXiv:2402.03789), whose weights others trained, as a NequIP of the table of potentials.

The two are one function under other names. What differs is constant and goes into the weights: SevenNet's radial basis
is sqrt(2) / rc times ours, e3nn divides activations by moments that it estimated from a million samples, and reads out
with two linear maps in a row.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import e3nn_jax as e3nn
import jax
import numpy as np
from jaxtyping import Float, PyTree

from symjax.layers.irreps import ProductPath, gated_irreps, linear_shapes, tensor_product_paths
from symjax.potentials.references import References

MOMENTS = 1.6791767923989418 / 1.6765324703310909  # e3nn's estimate over what `scaled_silu` multiplies with
PATHS_SORTED = 0, 11  # the version since which the weights of paths are sorted by what the paths make
COEFFICIENTS = "convolution._compiled_main_left_right._w3j"

NEEDED = {  # what a SevenNet must be to be a NequIP, and what it is where it does not say
    "is_parity": (False, True),
    "use_modality": (False, False),
    "self_connection_type": ("linear", "nequip"),
    "readout_as_fcn": (False, False),
    "use_bias_in_linear": (False, False),
    "act_radial": ("silu", "silu"),
    "act_scalar": ({"e": "silu", "o": "tanh"}, {"e": "silu", "o": "tanh"}),
    "act_gate": ({"e": "silu", "o": "tanh"}, {"e": "silu", "o": "tanh"}),
    "lmax_edge": (-1, -1),
    "_normalize_sph": (True, False),
}


class Converted(NamedTuple):
    """A potential in parts.

    Attributes:
        name: the row of the table of potentials.
        options: of the row, as JSON has them.
        species: atomic numbers, rising.
        references: the energy of each element, and the scale.
        params: what the row's module takes, in single precision.
    """

    name: str
    options: dict[str, Any]
    species: tuple[int, ...]
    references: References
    params: PyTree


class _Weights:
    """The weights of a checkpoint by name."""

    def __init__(self, state: Mapping[str, Float[np.ndarray, "..."]]):
        self.state = state

    def __call__(self, name: str, *shape: int) -> Float[np.ndarray, "..."]:
        """Return the weights of a name, which e3nn keeps flat, in double precision.

        Raises:
            ValueError: there are none, or not so many.
        """
        if name not in self.state or self.state[name].size != math.prod(shape):
            got = self.state[name].shape if name in self.state else "nothing"
            raise ValueError(f"expected weights {name} of shape {shape} in the checkpoint of a SevenNet, got {got}")
        return np.asarray(self.state[name], float).reshape(shape)

    def signs(self, layer: int, paths: Sequence[ProductPath], features: e3nn.Irreps) -> list[float]:
        """Return, for each path, -1 where its coefficients were the negative of e3nn-jax's when it was trained."""
        found = []
        for path in paths:
            degrees = tuple(features)[path.source].ir.l, path.harmonic, path.target.ir.l
            stored = self.state.get("_".join([f"{layer}_convolution.{COEFFICIENTS}", *map(str, degrees)]))
            found.append(1.0 if stored is None else np.sign(np.sum(stored * e3nn.clebsch_gordan(*degrees))))
        return found


def convert_sevennet(config: Mapping[str, Any], state: Mapping[str, Float[np.ndarray, "..."]]) -> Converted:
    """Return the NequIP that a SevenNet is.

    Args:
        config: of the checkpoint.
        state: its weights, by name.

    Raises:
        ValueError: the SevenNet is more than a NequIP can be here, or weights are missing or of other shapes.
    """
    try:
        return _convert(config, _Weights(state))
    except KeyError as error:
        raise ValueError(f"this is no SevenNet: its settings have no {error}") from None


def _convert(config: Mapping[str, Any], weights: _Weights) -> Converted:
    options = _options(config, weights)
    places = dict(sorted(config["_type_map"].items()))
    species, order = tuple(places), list(places.values())
    shift, scale = (weights(f"rescale_atomic_energy.{name}", len(order))[order] for name in ("shift", "scale"))
    references = References(dict(zip(species, shift.tolist(), strict=True)), scale=_only("scale", scale))
    version = tuple(int(part) for part in str(config["version"]).split(".")[:2])
    params = _params(options, weights, are_sorted=version >= PATHS_SORTED)
    params["embedding"] = params["embedding"][order]
    single = jax.tree.map(lambda leaf: leaf.astype(np.float32), {"params": params})
    return Converted("nequip", options, species, references, single)


def _options(config: Mapping[str, Any], weights: _Weights) -> dict[str, Any]:
    for name, (needed, usual) in NEEDED.items():
        if (has := config.get(name, usual)) != needed:
            raise ValueError(f"this SevenNet has {name.lstrip('_')} = {has}, where only {needed} fits into a NequIP")
    basis, switch = config["radial_basis"], config["cutoff_function"]
    xplor = switch["cutoff_function_name"] == "XPLOR"
    if basis["radial_basis_name"] != "bessel" or not (xplor or switch.get("poly_cut_p_value", 6) == 6):
        raise ValueError(f"this SevenNet has {basis} and {switch}, where only Bessel functions and XPLOR or p = 6 fit")
    layers, channels = config["num_convolution_layer"], config["channel"]
    even = "+".join(f"{channels}x{degree}e" for degree in range(config["lmax"] + 1))
    ends = [f"{channels}x0e"]
    stages = config.get("irreps_manual") or [*ends, *[even] * (layers - 1), *ends]
    if stages[:1] != ends or stages[-1:] != ends or any(e3nn.Irreps(s).regroup() != e3nn.Irreps(s) for s in stages):
        raise ValueError(f"this SevenNet has irreps_manual = {stages}, where only rising ones within {ends} fit")
    divisors = [weights(f"{layer}_convolution.denominator", 1)[0] for layer in range(layers)]
    return {
        "species": len(config["_type_map"]),
        "average_neighbours": _only("denominator", divisors) ** 2,
        "cutoff": float(config["cutoff"]),
        "outputs": "1x0e",
        "channels": channels,
        "lmax": config["lmax"],
        "reflections": False,
        "layers": layers,
        "hidden_irreps": stages[1:-1],
        "self_connection": "linear",
        "radial_basis": basis.get("bessel_basis_num", 8),
        "trainable_bessel": True,
        "radial_widths": list(config["weight_nn_hidden_neurons"]),
        "xplor_onset": float(switch["cutoff_on"]) if xplor else None,
    }


def _only(name: str, values: Sequence[float] | Float[np.ndarray, " n"]) -> float:
    if len(set(values)) > 1:
        raise ValueError(f"this SevenNet has several values of {name}, where only one for all fits into a NequIP")
    return float(values[0])


def _params(options: Mapping[str, Any], weights: _Weights, *, are_sorted: bool) -> dict[str, Any]:
    """Return the tree of parameters, with the species in the order of the checkpoint."""
    channels, species, half = options["channels"], options["species"], options["channels"] // 2
    hidden = weights("reduce_input_to_hidden.linear.weight", channels, half)
    energy = weights("reduce_hidden_to_energy.linear.weight", half, 1)
    params: dict[str, Any] = {
        "embedding": weights("onehot_to_feature_x.linear.weight", species, channels) / math.sqrt(species),
        "roots": weights("edge_embedding.basis_function.coeffs", options["radial_basis"]),
        "readout": {"0e_0": MOMENTS * hidden @ energy / math.sqrt(half)},
    }
    ends = [f"{channels}x0e"]
    stages = [e3nn.Irreps(irreps) for irreps in (*ends, *options["hidden_irreps"], *ends)]
    for layer, (features, irreps) in enumerate(itertools.pairwise(stages)):
        wanted, activated = gated_irreps(irreps), MOMENTS if layer else 1.0
        paths = tensor_product_paths(features, e3nn.Irreps(_harmonics(options["lmax"])), wanted)
        messages = e3nn.Irreps([path.target for path in paths])
        kernels = _kernels(layer, options, weights, sum(mul for mul, _ in messages))
        kernels[-1] = _by_path(kernels[-1], paths, weights.signs(layer, paths, features), are_sorted=are_sorted)
        params[f"layer_{layer}"] = {
            "up": _linear(weights, f"{layer}_self_interaction_1", features, features, activated),
            "connect": _linear(weights, f"{layer}_self_connection_intro", features, wanted, activated),
            "radial": {f"kernel_{place}": kernel for place, kernel in enumerate(kernels)},
            "down": _linear(weights, f"{layer}_self_interaction_2", messages, wanted, 1.0),
        }
    return params


def _harmonics(lmax: int) -> str:
    return "+".join(f"{degree}e" for degree in range(lmax + 1))


def _linear(
    weights: _Weights, name: str, source: e3nn.Irreps, target: e3nn.Irreps, factor: float
) -> dict[str, Float[np.ndarray, "_ _"]]:
    """Return the matrices of `IrrepsLinear`; e3nn keeps those into rising irreps one after the other, flat."""
    shapes = linear_shapes(source, target)
    sizes = [rows * columns for rows, columns in shapes]
    flat = np.split(weights(f"{name}.linear.weight", sum(sizes)), np.cumsum(sizes)[:-1])
    return {
        f"{ir}_{place}": factor * part.reshape(shape)
        for place, ((_, ir), part, shape) in enumerate(zip(target, flat, shapes, strict=True))
        if shape[0]
    }


def _kernels(layer: int, options: Mapping[str, Any], weights: _Weights, width: int) -> list[Float[np.ndarray, "_ _"]]:
    """Return the kernels of the radial network, with the factors of what comes before each."""
    shapes = itertools.pairwise((options["radial_basis"], *options["radial_widths"], width))
    return [
        (MOMENTS if place else math.sqrt(2) / options["cutoff"])
        * weights(f"{layer}_convolution.weight_nn.layer{place}.weight", *shape)
        for place, shape in enumerate(shapes)
    ]


def _by_path(
    kernel: Float[np.ndarray, "i o"], paths: Sequence[ProductPath], signs: Sequence[float], *, are_sorted: bool
) -> Float[np.ndarray, "i o"]:
    """Return the columns path after path, times the sign of each, where a checkpoint sorts them by what paths make."""
    order = list(range(len(paths)))
    if are_sorted:
        order.sort(key=lambda place: paths[place].target.ir)
    ends = np.cumsum([paths[place].target.mul for place in order])[:-1]
    parts = dict(zip(order, np.split(kernel, ends, axis=1), strict=True))
    return np.concatenate([sign * parts[place] for place, sign in enumerate(signs)], axis=1)
