"""Parts of a data set for training, validation and testing, and the digest by which a resumed run knows them."""

import hashlib
from typing import NamedTuple

import numpy as np

from symjax.data.structures.labels import LABELS
from symjax.data.structures.reading import PARTS, Found
from symjax.data.structures.structures import Structures
from symjax.graphs import ChargeAndSpin, charge_and_spin

WORDS = {"train": "training", "valid": "validation"}


class Splits(NamedTuple):
    """Structures with their labels as read."""

    train: Structures
    valid: Structures
    test: Structures


def split_data(data: Structures | Found, *, valid: float, test: float, seed: int) -> Splits:
    """Return disjoint parts.

    Args:
        data: structures to split, or what sources hold: a part that has sources of its own is not split off.
        valid: a fraction below 1, or a number of structures.
        test: the same; 0 does without.
        seed: decides which ones.

    Raises:
        ValueError: another part would be empty, validation or testing has an element that training has not, or one of
            training and validation knows nothing of a label.
    """
    found = Found(data) if isinstance(data, Structures) else data
    given = {name: part for name in PARTS if (part := found.part(name)) is not None}
    structures = given.get("train", found.structures[:0])
    shares = {name: share for name, share in (("valid", valid), ("test", test)) if name not in given}
    sizes = {"valid": 0, "test": 0} | {
        name: part_size(share, name, len(structures), "structures")
        for name, share in shares.items()
        if (name, share) != ("test", 0)
    }
    train = len(structures) - sizes["valid"] - sizes["test"]
    if train < 1:
        raise ValueError(
            f"{len(structures)} structures cannot be split into {sizes['valid']} for validation, {sizes['test']} for "
            "testing and at least one for training; lower --valid and --test"
        )
    chosen = Splits(*structures.split(train, sizes["valid"], sizes["test"], seed=seed))
    splits = Splits(chosen.train, given.get("valid", chosen.valid), given.get("test", chosen.test))
    _require_learnable(splits)
    return splits


def _require_learnable(splits: Splits) -> None:
    for name in splits.train.labels:
        if lacking := [part for part in ("train", "valid") if not getattr(splits, part).known(name).any()]:
            raise ValueError(
                f"{name} is known of some structures, but of none for {WORDS[lacking[0]]}; try another --seed, name "
                "others with --data and --valid-data, or leave the label out"
            )
    for part in (splits.valid, splits.test):
        lone = [i for i, numbers in enumerate(part.numbers) if not {*numbers} <= {*splits.train.species}]
        if lone:
            raise ValueError(
                f"{part.atoms[lone[0]].symbols} is for validation or testing and holds an element that no training "
                "structure has; add structures with it to the data, or try another --seed"
            )


def digest_data(splits: Splits) -> str:
    """Return the SHA-256 of all structures with their charges, weights and labels, in the order of the parts."""
    content = hashlib.sha256()
    for part in splits:
        for atoms in part.atoms:
            for values in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
                content.update(values.tobytes())
            if (state := charge_and_spin(atoms)) != ChargeAndSpin():
                content.update(np.array(state).tobytes())
        if part.weights is not None:
            content.update(part.weights.tobytes())
        for name in LABELS:
            for values in part.labels.get(name, ()):
                content.update(np.asarray(values).tobytes())
    return content.hexdigest()


def part_size(share: float | int, name: str, total: int, what: str) -> int:
    """Return how many of `total` a part has, of a fraction below 1 or a number.

    Raises:
        ValueError: the share is neither.
    """
    if share > 0 and (share < 1 or float(share).is_integer()):
        return int(share) if share >= 1 else max(1, round(share * total))
    raise ValueError(f"--{name} is a fraction between 0 and 1, or a number of {what}, not {share}")
