"""Tables of operations on finitely many inputs, from part of which a network is to infer the rest.

Modular arithmetic and composition as in Power et al. 2022 (arXiv:2201.02177), sparse parity as in Barak et al. 2022
(arXiv:2207.08799).
"""

import itertools
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from symjax.groups import PermutationGroup, finite_elements


class Operation(NamedTuple):
    """Every input of an operation, and its result.

    Attributes:
        tokens: inputs, each of so many tokens.
        labels: results.
        vocabulary: tokens are below it.
        classes: labels are below it.
    """

    tokens: Int[np.ndarray, "n t"]
    labels: Int[np.ndarray, " n"]
    vocabulary: int
    classes: int


def modular(p: int, operation: Literal["add", "mul"] = "add") -> Operation:
    """Return x + y or x y mod p for all pairs of residues; the pair (x, y) is row p x + y."""
    pairs = np.stack(np.divmod(np.arange(p * p), p), axis=1)
    results = (pairs.sum(axis=1) if operation == "add" else pairs.prod(axis=1)) % p
    return Operation(pairs.astype(np.int32), results.astype(np.int32), p, p)


def composition(group: PermutationGroup) -> Operation:
    """Return the products g h of all pairs of elements, x -> g(h(x)), by their numbers in the list of elements.

    Raises:
        ValueError: If the group has more elements than are listed.
    """
    matrices = finite_elements(group.generators, group.d).values()
    elements = np.array([np.real(matrix).argmax(axis=1) for matrix in matrices])
    number = {tuple(g): i for i, g in enumerate(elements.tolist())}
    pairs = np.array(list(itertools.product(range(len(elements)), repeat=2)), np.int32)
    products = np.take_along_axis(elements[pairs[:, 1]], elements[pairs[:, 0]], axis=1)  # (g x)[i] = x[g[i]]
    labels = np.array([number[tuple(g)] for g in products.tolist()], np.int32)
    return Operation(pairs, labels, len(elements), len(elements))


def sparse_parity(bits: int, degree: int = 3) -> Operation:
    """Return the parity of the first `degree` bits of every word of so many bits."""
    words = (np.arange(2**bits)[:, None] >> np.arange(bits)[None]) & 1
    return Operation(words.astype(np.int32), (words[:, :degree].sum(axis=1) % 2).astype(np.int32), 2, 2)


def shuffled_part(count: int, fraction: float, seed: int) -> Bool[np.ndarray, " n"]:
    """Return which of so many inputs are trained on: a random part, larger parts of one seed containing smaller ones.

    A part that is not shuffled never shows some tokens, whose embeddings then stay as they began.

    Raises:
        ValueError: If the part or the rest would be empty.
    """
    chosen = round(fraction * count)
    if not 0 < chosen < count:
        raise ValueError(f"expected a fraction that leaves some of {count} inputs for either part, got {fraction}")
    return np.random.default_rng(seed).permutation(count) < chosen
