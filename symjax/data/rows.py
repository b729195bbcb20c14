"""Rows of any arrays as batches: tables, images, series, states; what is missing in the last batch is masked."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Num, PyTree


class RowBatch(NamedTuple):
    """Some rows, and which of them are real; the others repeat the first of all, which no function minds."""

    rows: PyTree
    mask: Bool[Array | np.ndarray, "*s b"]

    def total(self, values: Num[Array | np.ndarray, "b ..."]) -> tuple[Num[Array, ""], Int[Array, ""]]:
        """Return the sum of the numbers of all real rows, and how many they are: a mean, as a loss returns it."""
        mask = self.mask.reshape(-1, *(1 for _ in values.shape[1:]))
        return jnp.sum(jnp.where(mask, values, 0)), jnp.sum(self.mask) * values[0].size


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a tree of arrays, which all have the same first axis, as the `Batches` of a training.

    Attributes:
        arrays: the data, on the host; batches keep their dtypes.
        batch_size: rows of a step, over all its shards.
        seed: decides the order, another one in each epoch; None keeps the order of the data.
        steps: steps of an epoch, for which the rows are dealt out as often as it takes; by default once.

    Raises:
        ValueError: the first axes differ, there are no rows, or a number is less than 1.
    """

    arrays: PyTree
    batch_size: int
    seed: int | None = None
    steps: int | None = None

    def __post_init__(self):
        lengths = sorted({len(leaf) for leaf in jax.tree.leaves(self.arrays)})
        if len(lengths) != 1 or lengths == [0]:
            raise ValueError(f"expected arrays that all have the same rows, at least one, got {lengths or 'no'} rows")
        for name in ("batch_size", "steps"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"expected a {name} of at least 1, got {value}")

    def __len__(self) -> int:
        return len(jax.tree.leaves(self.arrays)[0])

    def plan(self, epoch: int, *, shards: int = 1) -> list[list[Int[np.ndarray, " b"]]]:
        """Return for each step and each shard which rows it has, with -1 in the places that are left empty."""
        size, steps = min(self.batch_size, len(self)), self.steps
        order = self._order(epoch, 1 if steps is None else -(-steps * size // len(self)))
        cuts = [order[start : start + size] for start in range(0, len(order), size)][:steps]
        return [
            list(np.pad(cut, (0, -size % shards + size - len(cut)), constant_values=-1).reshape(shards, -1))
            for cut in cuts
        ]

    def load(self, shards: Sequence[Int[np.ndarray, " b"]]) -> RowBatch:
        """Return the batch of some shards of a step."""
        places = np.stack(shards)
        return RowBatch(jax.tree.map(lambda leaf: leaf[np.maximum(places, 0)], self.arrays), places >= 0)

    def _order(self, epoch: int, passes: int) -> Int[np.ndarray, " _"]:
        if self.seed is None:
            return np.tile(np.arange(len(self)), passes)
        rng = np.random.default_rng((self.seed, epoch))
        return np.concatenate([rng.permutation(len(self)) for _ in range(passes)])
