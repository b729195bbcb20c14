"""The Reynolds operator: any function made equivariant under a finite group, by its mean over all elements or some."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Key, PyTree

from symjax.groups import MOST_NUMBERED, DirectProduct, MatrixGroup, PermutationGroup, finite_elements
from symjax.laws import Equivariance, Law
from symjax.layers.sets.accumulate import sums
from symjax.reps import Rep

CHUNK = 256  # elements at a time: the activations of a batch of small networks stay in cache


def symmetrise(
    fn: Callable[[Any], Any],
    group: MatrixGroup,
    rep_in: Rep,
    rep_out: Rep,
    x: PyTree,
    *,
    chunk: int = CHUNK,
    elements: int | None = None,
    key: Key[Array, ""] | None = None,
    stacked: bool = False,
) -> PyTree:
    """Return 1/|G| sum_g rho_out(g) f(rho_in(g)^-1 x), which is equivariant whatever f is.

    Elements of permutation groups, and of products of groups, are made from their numbers a chunk at a time, so that
    no list of them exists; those of other groups of matrices are listed. Derivatives keep nothing of what f computed,
    so that memory does not grow with the group: they evaluate f once more, or, of values that are one number, are
    summed beside them.

    Args:
        fn: of what x is, plain arrays or a tree of them.
        group: a finite group.
        rep_in: how x moves.
        rep_out: how f(x) moves.
        x: the input.
        chunk: how many elements are evaluated at once.
        elements: average over so many uniform elements instead of all, with replacement: the mean over keys is
            equivariant, a single call is not.
        key: of the random elements.
        stacked: x is a stack of inputs and fn takes one, of any length, as `jax.vmap(f)` does. The same as `jax.vmap`
            around all, but faster: members and elements of a chunk share one axis, and products of matrices with it.

    Raises:
        ValueError: If the group is infinite, or too large to average over all of it, or `elements` comes without a key,
            or `chunk` is less than 1.

    Source: Yarotsky 2018, arXiv:1804.10306.
    """
    if chunk < 1:
        raise ValueError(f"expected a chunk of at least one element, got {chunk}")
    count, element = _numbered(group) if elements is None else _drawn(group, elements, key)
    steps = -(-count // chunk)
    size = -(-count // steps)
    stack, of_stack = (x, fn) if stacked else (jax.tree.map(lambda leaf: leaf[None], x), jax.vmap(fn))
    inputs, shape = jax.tree.flatten(stack)

    def views(numbers: Int[Array, " size"], inputs: Sequence[Array]) -> tuple[Any, PyTree]:
        inverses = jax.vmap(element)(numbers)  # these too are all elements, and invariant outputs ask for no others
        return inverses, jax.vmap(rep_in.act, (0, None))(inverses, shape.unflatten(inputs))

    ahead = jnp.arange(size, dtype=jnp.int32)
    example = jax.eval_shape(lambda inputs: views(ahead, [leaf[0] for leaf in inputs])[1], inputs)
    pure, constants = jax.closure_convert(of_stack, example)

    def part(first: Int[Array, ""], *leaves: Array) -> PyTree:
        """Sum over a chunk, of one input and what the function closes over."""
        numbers = first + ahead
        inverses, seen = views(numbers, leaves[: len(inputs)])
        y = jax.vmap(rep_out.act)(jax.vmap(_inverse)(inverses), pure(seen, *leaves[len(inputs) :]))
        there = numbers < count  # the last chunk is filled up

        def total(leaf: Array) -> Array:
            return jnp.sum(jnp.where(there.reshape(size, *(1 for _ in leaf.shape[1:])), leaf, 0), 0, dtype=leaf.dtype)

        return jax.tree.map(total, y)

    axes = (*(0 for _ in inputs), *(None for _ in constants))
    total = sums(part, size * jnp.arange(steps, dtype=jnp.int32), axes)(*inputs, *constants)
    return jax.tree.map(lambda leaf: (leaf if stacked else leaf[0]) / count, total)


def _inverse(g: Any) -> Any:
    return jax.tree.map(lambda part: jnp.argsort(part) if part.ndim == 1 else jnp.linalg.inv(part), g)


def _numbered(group: MatrixGroup) -> tuple[int, Callable[[Int[Array, ""]], Any]]:
    """Return how many elements a group has, and the function from a number to one of them."""
    if group.lie_algebra:
        raise ValueError(f"expected a finite group to average over, got {group}")
    if isinstance(group, DirectProduct):
        counts, makers = zip(*map(_numbered, group.groups), strict=True)
        values = [math.prod(counts[i + 1 :]) for i in range(len(counts))]

        def element(number: Int[Array, ""]) -> tuple[Any, ...]:
            digits = (number // value % count for value, count in zip(values, counts, strict=True))
            return tuple(make(digit) for make, digit in zip(makers, digits, strict=True))

        return _few(group, math.prod(counts)), element
    if isinstance(group, PermutationGroup):
        return _few(group, group.order), group.element
    table = np.stack([*finite_elements(group.generators, group.d).values()])
    return len(table), lambda number: jnp.asarray(table)[number]


def _few(group: MatrixGroup, order: int) -> int:
    if order > MOST_NUMBERED:
        raise ValueError(
            f"expected a group of at most 2^31 elements to average over, got {group} of {order}; elements=100 with a "
            "key averages over some of them"
        )
    return order


def _drawn(group: MatrixGroup, count: int, key: Key[Array, ""] | None) -> tuple[int, Callable[[Int[Array, ""]], Any]]:
    """Return how many uniform elements to draw, and the function from a number to one of them."""
    if key is None or count < 1:
        raise ValueError(f"expected a key and at least one of the elements to draw, got {count} and key {key}")
    return count, lambda number: _uniform(group, jax.random.fold_in(key, number))


def _uniform(group: MatrixGroup, key: Key[Array, ""]) -> Any:
    if isinstance(group, DirectProduct):
        keys = jax.random.split(key, len(group.groups))
        return tuple(_uniform(factor, k) for factor, k in zip(group.groups, keys, strict=True))
    if isinstance(group, PermutationGroup):
        return group.uniform(key)
    order, element = _numbered(group)
    return element(jax.random.randint(key, (), 0, order))


class Symmetrised(nn.Module):
    """Any module made equivariant by `symmetrise`: exactly, at the cost of one evaluation for each element.

    Attributes:
        inner: Module of one input, which draws nothing and has nothing but parameters. A set with padding is the input
            (members, mask), both of which `Axis(0)` permutes.
        group: A finite group.
        rep_in: How the input moves.
        rep_out: How the output of the inner module moves.
        chunk: How many elements are evaluated at once.
    """

    inner: nn.Module
    group: MatrixGroup
    rep_in: Rep
    rep_out: Rep
    chunk: int = CHUNK

    def laws(self, x: Any) -> tuple[Law, ...]:
        """The group moves the output as it moves the input."""
        return (Equivariance(self.group, self.rep_in, self.rep_out),)

    @nn.compact
    def __call__(self, x: PyTree) -> PyTree:
        """Return the mean over the group."""
        if self.is_initializing():
            self.inner(x)
        inner, variables = self.inner.unbind()
        fn = functools.partial(inner.apply, variables)
        return symmetrise(fn, self.group, self.rep_in, self.rep_out, x, chunk=self.chunk)
