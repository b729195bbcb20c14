"""The scale in which errors of labels are compared, from their spread in a training set."""

from typing import TypeVar

import numpy as np
from jaxtyping import Array

from symjax.data import LABELS, Label, Structures

LEAST = 1e-6  # a smaller spread is rounding, and says nothing
T = TypeVar("T", Array, np.ndarray)


def per_atom(label: Label, values: T, sizes: T, volumes: T) -> T:
    """Return values [g, ...] of a label of structures as they are weighed, which have so many atoms and Å³ each.

    An extensive label such as an energy is y / n; a density such as stress is y V / n, an energy per atom too; any
    other is y.
    """
    over = (slice(None), *(None,) * len(label.shape))
    if label.extensive:
        return values / sizes[over]
    return values * (volumes / sizes)[over] if label.dense else values


def label_spreads(structures: Structures) -> dict[str, float]:
    """Return what errors of each label, as `per_atom` gives them, are divided by before they are weighed.

    It is the standard deviation of the label over a training set, all components together, and 1 where a label does not
    vary or is nowhere known. Where there are forces, energies and stresses take theirs, times 1 Å: their own spread
    falls with the size of a molecule and grows with the number of phases, which says nothing of how well they can be
    learnt.
    """
    sizes = np.array([len(atoms) for atoms in structures.atoms], dtype=float)
    volumes = np.array([atoms.cell.volume for atoms in structures.atoms])

    def spread(name: str) -> float:
        rows = per_atom(LABELS[name], structures.rows(name), sizes, volumes)[structures.known(name)]
        deviation = float(np.sqrt(np.mean(np.var(rows, axis=0)))) if len(rows) else 0.0
        return deviation if deviation > LEAST else 1.0

    spreads = {name: spread(name) for name in structures.labels}
    return dict.fromkeys(spreads, spreads["forces"]) if "forces" in spreads else spreads
