"""One representation for each leaf of a pytree."""

from typing import Any

import jax


class Tree:
    """A pytree (dict, tuple, NamedTuple) of representations, acting leaf by leaf on data of the same structure.

    A leaf of the data may be a whole subtree where its representation allows it, or None, which is skipped. A `name` is
    printed instead of the leaves; it takes no part in comparisons.

    >>> Tree({"h": Trivial(), "x": Points()}) == Tree({"x": Points(), "h": Trivial()})
    True
    """

    def __init__(self, reps: Any, name: str = ""):
        self.reps, self.name = reps, name
        leaves, self._structure = jax.tree.flatten(reps)
        self._leaves = tuple(leaves)

    def act(self, g: Any, x: Any) -> Any:
        """Return x with every leaf moved by g as its representation says."""
        return jax.tree.map(lambda rep, leaf: None if leaf is None else rep.act(g, leaf), self.reps, x)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        return (self._structure, self._leaves) == (other._structure, other._leaves)

    def __hash__(self) -> int:
        return hash((self._structure, self._leaves))

    def __repr__(self) -> str:
        return f"Tree({f'name={self.name!r}' if self.name else repr(self.reps)})"

    def __str__(self) -> str:
        leaves = jax.tree_util.tree_leaves_with_path(self.reps)
        said = (f"{jax.tree_util.keystr(path, simple=True, separator='.')}: {rep}" for path, rep in leaves)
        return self.name or f"({', '.join(said)})"
