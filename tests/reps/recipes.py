"""Random expressions of representations, drawn as plain tuples and built afterwards."""

from collections.abc import Sequence

from hypothesis import strategies as st

from symjax.reps import LinearRep

LEAF = st.integers(0, 99)
RECIPES = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(st.just("+"), inner, inner),
        st.tuples(st.just("*"), inner, inner),
        st.tuples(st.just("times"), st.integers(0, 3), inner),
        st.tuples(st.just("dual"), inner),
    ),
    max_leaves=4,
)


def build(recipe: int | tuple, leaves: Sequence[LinearRep]) -> LinearRep:
    """Return the expression, of some of the leaves."""
    match recipe:
        case ("+", a, b):
            return build(a, leaves) + build(b, leaves)
        case ("*", a, b):
            return build(a, leaves) * build(b, leaves)
        case ("times", int(n), a):
            return n * build(a, leaves)
        case ("dual", a):
            return build(a, leaves).T
        case int(leaf):
            return leaves[leaf % len(leaves)]
    raise TypeError(recipe)
