"""The table of potentials: a module and its presets by name; its options are the module's own fields.

A module of the table is a linen module with the fields `species`, `average_neighbours`, `cutoff`, `outputs` and
`charges`, whether it reads the charge and the spin of a structure, and its own. It turns a graph of atoms into an
`IrrepsArray` [n, outputs]; `heads` make a graph's energy or property of it.
"""

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from symjax.training import decode

GIVEN = ("species", "average_neighbours", "outputs")  # by the data and by what is learnt; the rest are options
LINEN = ("parent", "name")


class Architecture(NamedTuple):
    """A potential.

    Attributes:
        module: where it is, "package.module:Class"; imported when it is asked for.
        presets: the options of "tiny", "small" and "base" that differ from the defaults.
        vectors: whether its atoms have vectors besides scalars.
    """

    module: str
    presets: Mapping[str, Mapping[str, Any]]
    vectors: bool = True


_THIRD = {"activation": "product", "norm": "merged"}  # exact, as energies that are to be conserved must be

POTENTIALS = {
    "allegro": Architecture(
        "symjax.models.atoms:Allegro",
        {
            "tiny": {"scalars": 8, "channels": 4, "lmax": 1, "radial_basis": 4, "hidden": (8,), "readout": 8},
            "small": {},
            "base": {"scalars": 128, "channels": 64, "layers": 3, "hidden": (128,)},
        },
    ),
    "dimenet++": Architecture(
        "symjax.models.atoms:DimeNetPP",
        {
            "tiny": {
                "channels": 8,
                "layers": 2,
                "triplet_channels": 4,
                "basis_channels": 4,
                "output_channels": 8,
                "output_layers": 1,
                "spherical_basis": 3,
                "radial_basis": 4,
                "after": 1,
            },
            "small": {"channels": 64, "layers": 3, "triplet_channels": 32, "output_channels": 128},
            "base": {},
        },
        vectors=False,
    ),
    "egnn": Architecture(
        "symjax.models.atoms:InvariantEGNN",
        {"tiny": {"channels": 8, "layers": 2}, "small": {"channels": 64, "layers": 4}, "base": {}},
        vectors=False,
    ),
    "equiformer": Architecture(
        "symjax.models.atoms:Equiformer",
        {
            "tiny": {
                "irreps": "8x0e+4x1o",
                "head_irreps": "4x0e+2x1o",
                "mid_irreps": "8x0e+4x1o",
                "heads": 2,
                "features": 8,
                "lmax": 1,
                "layers": 1,
                "radial_basis": 8,
                "radial_widths": (8,),
            },
            "small": {
                "irreps": "64x0e+32x1o+16x2e",
                "head_irreps": "16x0e+8x1o+4x2e",
                "mid_irreps": "128x0e+64x1o+32x2e",
                "features": 128,
                "layers": 3,
            },
            "base": {},
        },
    ),
    "equiformer-v2": Architecture(
        "symjax.models.atoms:EquiformerV2",
        {
            "tiny": _THIRD
            | {
                "cutoff": 5.0,
                "channels": 4,
                "lmax": 1,
                "mmax": 1,
                "layers": 1,
                "hidden": 4,
                "heads": 2,
                "alpha": 4,
                "value": 2,
                "perceptron": 4,
                "radial_basis": 8,
                "radial_widths": (8,),
                "edge_channels": 4,
            },
            "small": _THIRD
            | {
                "cutoff": 5.0,
                "channels": 32,
                "lmax": 3,
                "layers": 3,
                "hidden": 32,
                "heads": 4,
                "alpha": 16,
                "value": 8,
                "perceptron": 32,
                "radial_basis": 64,
                "radial_widths": (64, 64),
                "edge_channels": 32,
            },
            "base": _THIRD | {"cutoff": 6.0, "lmax": 4, "layers": 8, "radial_basis": 128},
        },
    ),
    "mace": Architecture(
        "symjax.models.atoms:MACE",
        {
            "tiny": {"channels": 4, "lmax": 1, "correlation": 2, "radial_widths": (8,), "radial_basis": 4},
            "small": {"channels": 32, "lmax": 2},
            "base": {"channels": 128},
        },
    ),
    "nequip": Architecture(
        "symjax.models.atoms:NequIP",
        {
            "tiny": {"channels": 4, "lmax": 1, "layers": 2, "radial_widths": (8,), "radial_basis": 4},
            "small": {"layers": 2},
            "base": {"channels": 64, "layers": 4},
        },
    ),
    "painn": Architecture(
        "symjax.models.atoms:PaiNN",
        {"tiny": {"channels": 8, "layers": 2, "radial_basis": 8}, "small": {"channels": 64}, "base": {}},
    ),
    "schnet": Architecture(
        "symjax.models.atoms:SchNet",
        {"tiny": {"channels": 8, "filters": 8, "layers": 2, "radial_basis": 8}, "small": {}, "base": {"layers": 6}},
        vectors=False,
    ),
}
DEFAULT = "nequip"


def architecture(name: str) -> Architecture:
    """Return a row of the table.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in POTENTIALS:
        raise ValueError(f"there is no model {name!r}; this version of symjax knows {', '.join(POTENTIALS)}")
    return POTENTIALS[name]


def module_of(name: str) -> Any:
    """Return the class of a potential, with the error of `architecture`."""
    module, _, kind = architecture(name).module.partition(":")
    return getattr(importlib.import_module(module), kind)


def options_of(name: str) -> Any:
    """Return a dataclass of the options of a potential: its fields but those in `GIVEN`, with its docstring."""
    module = module_of(name)
    fields = [
        (field.name, field.type, dataclasses.field(default=field.default))
        for field in dataclasses.fields(module)
        if field.name not in GIVEN + LINEN
    ]
    return dataclasses.make_dataclass("Network", fields, frozen=True, namespace={"__doc__": module.__doc__})


def preset_of(name: str, preset: str) -> Any:
    """Return the options of a preset."""
    return options_of(name)(**architecture(name).presets[preset])


def build(name: str, options: Mapping[str, Any]) -> Any:
    """Return the module with options as JSON has them.

    Raises:
        ValueError: there is no such potential, or an option is unknown, missing, of another type or out of range.
    """
    return decode(module_of(name), dict(options), "options")
