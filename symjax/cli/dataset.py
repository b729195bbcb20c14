"""The data of a training: read, split, and freed from reference energies as the configuration asks."""

import dataclasses
import hashlib
import pathlib
from typing import NamedTuple

import numpy as np

from symjax.cli.config import Labels, Train
from symjax.data import Structures, ethanol, read_structures
from symjax.potentials.references import References, fit_references, parse_table


class Splits(NamedTuple):
    """Structures with their labels as read."""

    train: Structures
    valid: Structures
    test: Structures


def load_data(config: Train) -> Structures:
    """Return the structures the configuration names, with the errors of `load_labelled`."""
    return ethanol() if config.data is None else load_labelled(config.data, config.labels)


def load_labelled(path: pathlib.Path, labels: Labels) -> Structures:
    """Return the structures of a file with the labels asked for.

    Raises:
        ValueError: as `read_structures`, some structures are periodic and others are not, or stresses are asked for
            and a structure has no volume.
    """
    structures = read_structures(path, **dataclasses.asdict(labels))
    for i, atoms in enumerate(structures.atoms if labels.stress_key is not None else ()):
        if atoms.cell.rank < 3 or not atoms.pbc.any():
            raise ValueError(
                f"{path}, structure {i} ({atoms.symbols}) is not periodic and can have no stress; leave such "
                "structures out, or leave --stress-key out"
            )
    if mixture := describe_mixture(structures):
        raise ValueError(
            f"{path} {mixture}; restore them, put molecules into a wide periodic box, or keep one kind only"
        )
    return structures


def describe_mixture(structures: Structures) -> str | None:
    """Return what is doubtful where some structures are periodic and others are not; atoms alone may be either."""
    closed = [i for i, atoms in enumerate(structures.atoms) if atoms.pbc.any()]
    open_ = [i for i, atoms in enumerate(structures.atoms) if not atoms.pbc.any() and len(atoms) > 1]
    if not closed or not open_:
        return None
    first, other = (f"structure {i}, {structures.atoms[i].symbols}" for i in (closed[0], open_[0]))
    return f"mixes periodic structures (first {first}) with open ones (first {other}), as files that lost some cells do"


def split_data(structures: Structures, config: Train) -> Splits:
    """Return disjoint parts for training, validation and testing.

    Raises:
        ValueError: a part would be empty, or validation or testing has an element that training has not.
    """
    valid, test = (_size(getattr(config, part), part, len(structures)) for part in ("valid", "test"))
    train = len(structures) - valid - test
    if train < 1:
        raise ValueError(
            f"{len(structures)} structures cannot be split into {valid} for validation, {test} for testing and at "
            "least one for training; lower --valid and --test"
        )
    splits = Splits(*structures.split(train, valid, test, seed=config.seed))
    for part in (splits.valid, splits.test):
        lone = [i for i, numbers in enumerate(part.numbers) if not {*numbers} <= {*splits.train.species}]
        if lone:
            raise ValueError(
                f"{part.atoms[lone[0]].symbols} is for validation or testing and holds an element that no training "
                "structure has; add structures with it to the data, or try another --seed"
            )
    return splits


def digest_data(splits: Splits) -> str:
    """Return the SHA-256 of all structures and labels, in the order of the parts."""
    content = hashlib.sha256()
    for part in splits:
        for atoms in part.atoms:
            for values in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
                content.update(values.tobytes())
        for labels in (part.energy, part.forces, part.stress):
            for values in () if labels is None else labels:
                content.update(np.asarray(values).tobytes())
    return content.hexdigest()


def _size(share: float, name: str, total: int) -> int:
    if share > 0 and (share < 1 or float(share).is_integer()):
        return int(share) if share >= 1 else max(1, round(share * total))
    raise ValueError(f"--{name} is a fraction between 0 and 1, or a number of structures, not {share}")


def make_references(train: Structures, choice: str) -> References:
    """Return the references that --references asks for: fit, isolated, or a table H=-13.6,C=-1029.5.

    Raises:
        ValueError: the choice is none of these, or lacks an element.
    """
    if choice == "fit":
        return fit_references(train)
    if choice == "isolated":
        if not train.isolated:
            raise ValueError(
                "--references isolated needs isolated atoms in the data; there are none, so use fit or a table"
            )
        return fit_references(train, train.isolated)
    try:
        table = parse_table(
            {symbol: float(value) for symbol, value in (entry.split("=") for entry in choice.split(","))}
        )
    except ValueError as error:
        raise ValueError(
            f"--references is fit, isolated or a table such as H=-13.6,C=-1029.5, not {choice!r}: {error}"
        ) from None
    return fit_references(train, table)
