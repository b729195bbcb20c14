"""Any label of a structure that is no energy, such as its dipole."""

import dataclasses
import pathlib
from typing import Any, Literal

from tyro.conf import Suppress

from symjax import potentials
from symjax.data import Found, keys_of
from symjax.tasks import Prepared
from symjax.tasks.structures import (
    DATA as DATA,
    VERB as VERB,
    Reading as Reading,
    calibrate as calibrate,
    check as check,
    evaluate as evaluate,
    load as load,
    measure as measure,
    predict as predict,
    prepare_structures,
    read_data,
    read_origin as read_origin,
)
from symjax.training import Recipe


@dataclasses.dataclass(frozen=True)
class Options:
    """Data, network and name of a property."""

    data: tuple[pathlib.Path, ...] | None = None  # files, patterns, file@:100, a .toml
    valid_data: tuple[pathlib.Path, ...] | None = None  # files for validation, in place of --valid
    test_data: tuple[pathlib.Path, ...] | None = None  # and for testing, in place of --test
    property: str = "dipole"  # a label with a head
    property_key: str | None = None  # what the file calls it; None: as it is called here
    units: str = "eV"  # of energies in its unit: eV, meV, kcal/mol, kJ/mol, Hartree, ...
    property_units: str | None = None  # debye, e·bohr, bohr², bohr³, ...; None: as --length says, with charges of e
    length: str = "Å"  # of positions: Å, bohr, nm
    format: str | None = None  # of files, by ASE's name, where theirs does not tell it
    valid: float = 0.1  # a fraction below 1, or a number of structures
    test: float = 0.1  # 0: none, and errors are those on the validation structures
    config_type_weights: str | None = None  # in the loss, such as liquid=0.1,surface=5; 1 where none is named
    model: str = potentials.DEFAULT  # a row of the table of potentials
    preset: Literal["tiny", "small", "base"] = "small"
    net: Suppress[dict[str, Any]] = dataclasses.field(default_factory=dict)
    committee: int = 1  # models that learn side by side, each from parameters of its own, for deviations
    batch_size: int = 5  # structures, on average
    init: pathlib.Path | None = None  # the run whose model to go on from
    freeze: tuple[str, ...] = ()  # with --init: parameters that stay as they are, such as embedding or layer_0/*


def prepare(
    options: Options, recipe: Recipe, folder: pathlib.Path, *, run: str = "", resumed: bool = False
) -> Prepared:
    """Return the task of learning the property.

    Raises:
        ValueError: there is no such property or no file, a structure repeats periodically, or as its parts.
    """
    name = options.property
    return prepare_structures(
        read(options),
        options,
        recipe,
        folder,
        references=lambda train, start: start.references if start else potentials.property_references(train, name),
        weights={name: {0: 1.0}},
        label=name,
        run=run,
        resumed=resumed,
    )


def read(options: Options) -> Found:
    """Return the labelled structures that are asked for."""
    name, properties = options.property, [head for head in potentials.HEADS if head != "energy"]
    if name not in properties:
        raise ValueError(f"--property is {' or '.join(properties)}, not {name!r}")
    if options.data is None:
        raise ValueError(f"the data that ship have no {name}; name a file with --data")
    keys = keys_of(name, options.property_key)
    units = {"units": options.units, "property_units": options.property_units, "length": options.length}
    found = read_data(options, **keys, **units, format=options.format)
    for i, atoms in enumerate(found.structures.atoms):
        if atoms.pbc.any():
            raise ValueError(
                f"{found.where[i]} ({atoms.symbols}) is periodic, where a {name} has no meaning; leave such structures "
                "out"
            )
    return found
