"""What laws and representations need from a group: elements of every component, generators, equality, products."""

import abc
import dataclasses
import functools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key


@runtime_checkable
class Group(Protocol):
    """A frozen, hashable description of a group, equal by content."""

    @property
    def components(self) -> int:
        """How many kinds of elements `sample` draws, so that none is missed: 2 with reflections, 4 for O(1, 3)."""
        ...

    def sample(self, key: Key[Array, ""], component: int = 0) -> Any:
        """Return a random element of one component; component 0 holds the identity."""
        ...


def samples(self: Any, key: Key[Array, ""], n: int) -> Any:
    """Return n random elements of a group stacked on a first axis, the components in turn: element i is of i modulo k.

    `jax.vmap(group.sample)` draws from component 0 alone, and so never reflects.

    Raises:
        TypeError: If n is no integer.
        ValueError: If n is negative.
    """
    count = operator.index(n)
    if count < 0:
        raise ValueError(f"expected a number of elements of at least 0, got {n}")
    keys, every = jax.random.split(key, count), min(self.components, max(count, 1))
    parts = [jax.vmap(functools.partial(self.sample, component=c))(keys[c::every]) for c in range(every)]

    def in_turn(*leaves: Array) -> Array:
        dtype = np.result_type(*(leaf.dtype for leaf in leaves))
        order = np.argsort(np.concatenate([np.arange(count)[c::every] for c in range(every)]), kind="stable")
        return jnp.concatenate([leaf.astype(dtype) for leaf in leaves])[order]

    return jax.tree.map(in_turn, *parts)


def positional_repr(self: Any) -> str:
    """Show a dataclass as the call that makes it, without the names of its fields: `O(3)`."""
    values = (repr(getattr(self, field.name)) for field in dataclasses.fields(self) if field.init)
    return f"{type(self).__name__}({', '.join(values)})"


def check_counts(self: Any, least: int = 1) -> None:
    """Turn every integer field of a dataclass into a Python integer.

    Raises:
        TypeError: If one is no integer.
        ValueError: If one is smaller than `least`.
    """
    for field in dataclasses.fields(self):
        if field.init and field.type is int:
            try:
                count = operator.index(getattr(self, field.name))
            except TypeError:
                raise TypeError(f"expected an integer {field.name} of at least {least}, got {self!r}") from None
            if count < least:
                raise ValueError(f"expected an integer {field.name} of at least {least}, got {self!r}")
            object.__setattr__(self, field.name, count)


def require_matrices(*groups: Any) -> None:
    """Refuse what is no `MatrixGroup`, such as a group of motions.

    Raises:
        TypeError: If one is none.
    """
    for group in groups:
        if not isinstance(group, MatrixGroup):
            raise TypeError(
                f"expected groups of matrices or permutations, got {group!r}; GeneratedGroup takes rigid motions as "
                "matrices on homogeneous coordinates"
            )


def read_only(arrays: Iterable[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return the arrays as a tuple that nobody can write into."""
    frozen = tuple(arrays)
    for array in frozen:
        array.flags.writeable = False
    return frozen


class MatrixGroup(abc.ABC):
    """A group of d x d matrices, given by generators; equal to every other one with the same generators.

    An element is a matrix [d, d]; in a group of permutations it is the integers [d] that list which thing comes to each
    place, (g x)[i] = x[g[i]]; in a direct product it is a tuple of elements. A tangent, an element of the Lie algebra,
    is a matrix [d, d], or in a direct product a tuple of those.

    A subclass is a frozen dataclass (`eq=False, repr=False`) with `d`, the dimension of the defining representation,
    `lie_algebra`, `generators` and `sample`; its integer fields count from 1, unless it has checks of its own.
    """

    components: int = 1
    d: int
    samples = samples
    __repr__ = positional_repr

    def __post_init__(self) -> None:
        """Refuse a size that is no integer of at least 1."""
        check_counts(self)

    @property
    @abc.abstractmethod
    def lie_algebra(self) -> tuple[Any, ...]:
        """A basis of the tangents at the identity, float64 or complex128; empty for a finite group."""

    @property
    @abc.abstractmethod
    def generators(self) -> tuple[Any, ...]:
        """Elements that, with the component of the identity, generate the group."""

    @abc.abstractmethod
    def sample(self, key: Key[Array, ""], component: int = 0) -> Any:
        """Return a random element of one component; component 0 holds the identity."""

    @property
    def identity(self) -> Any:
        """The element that moves nothing, in the form that the group's elements have."""
        return np.arange(self.d) if any(h.ndim == 1 for h in self.generators) else np.eye(self.d)

    @functools.cached_property
    def directions(self) -> tuple[Any, ...]:
        """The tangents at norm 1, for computations that compare them with rounding errors."""
        largest = [max(float(np.max(np.abs(leaf))) for leaf in jax.tree.leaves(a)) for a in self.lie_algebra]
        pairs = zip(self.lie_algebra, largest, strict=True)
        scaled = [jax.tree.map(lambda leaf, top=top: leaf / top, a) for a, top in pairs if top > 0]
        sizes = [np.sqrt(sum(np.linalg.norm(leaf) ** 2 for leaf in jax.tree.leaves(a))) for a in scaled]
        pairs = zip(scaled, sizes, strict=True)
        return tuple(jax.tree.map(lambda leaf, size=size: leaf / size, a) for a, size in pairs)

    @functools.cached_property
    def is_real(self) -> bool:
        """Whether every generator is a real matrix."""
        return not any(np.iscomplexobj(leaf) for leaf in jax.tree.leaves((self.lie_algebra, self.generators)))

    @functools.cached_property
    def is_unitary(self) -> bool:
        """Whether every element preserves the Hermitian product, so that the dual is the conjugate."""
        tangents, elements = jax.tree.leaves(self.directions), jax.tree.leaves(self.generators)
        small = all(np.allclose(a, -a.conj().T, rtol=0, atol=1e-12) for a in tangents)
        return small and all(
            h.ndim == 1 or np.allclose(h @ h.conj().T, np.eye(len(h)), rtol=0, atol=1e-12) for h in elements
        )

    @property
    def is_orthogonal(self) -> bool:
        """Whether every element is real and preserves the dot product, so that the dual is no other representation."""
        return self.is_real and self.is_unitary

    @functools.cached_property
    def _content(self) -> tuple:
        leaves, structure = jax.tree.flatten((self.lie_algebra, self.generators))
        return self.d, str(structure), tuple(_fingerprint(leaf) for leaf in leaves)

    def __mul__(self, other: "MatrixGroup") -> "MatrixGroup":
        """Return the direct product, whose elements are tuples of one element per factor."""
        return DirectProduct((self, other)) if isinstance(other, MatrixGroup) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._content == other._content if isinstance(other, MatrixGroup) else NotImplemented

    @functools.cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was computed from the fields: hashes differ between processes."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(cast(Any, self))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        read_only(leaf for leaf in jax.tree.leaves(state) if isinstance(leaf, np.ndarray))
        vars(self).update(state)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class DirectProduct(MatrixGroup):
    """The direct product of groups, `G1 * G2 * ...`; products among the factors are flattened."""

    groups: Sequence[MatrixGroup]

    def __post_init__(self) -> None:
        """Flatten, and refuse a product of nothing or of what has no generators."""
        require_matrices(*self.groups)
        nested = (group.groups if isinstance(group, DirectProduct) else (group,) for group in self.groups)
        object.__setattr__(self, "groups", sum(map(tuple, nested), ()))
        if not self.groups:
            raise ValueError("expected at least one group to multiply, got none")

    def __repr__(self) -> str:
        return " * ".join(map(repr, self.groups)) if len(self.groups) > 1 else f"DirectProduct({self.groups!r})"

    @property
    def d(self) -> int:
        """The dimension of the tensor product of the factors' defining representations."""
        return math.prod(group.d for group in self.groups)

    @property
    def components(self) -> int:
        """The product of the factors' numbers; the last factor's component counts fastest."""
        return math.prod(group.components for group in self.groups)

    @property
    def identity(self) -> tuple[Any, ...]:
        """The factors' identities."""
        return tuple(group.identity for group in self.groups)

    @functools.cached_property
    def lie_algebra(self) -> tuple[Any, ...]:
        """A tangent of one factor at a time, zero in the others."""
        zeros = tuple(np.zeros((group.d, group.d)) for group in self.groups)
        return self._one_at_a_time(zeros, [group.lie_algebra for group in self.groups])

    @functools.cached_property
    def generators(self) -> tuple[Any, ...]:
        """A generator of one factor at a time, the identity in the others."""
        return self._one_at_a_time(self.identity, [group.generators for group in self.groups])

    @functools.cached_property
    def _content(self) -> tuple:
        return tuple(group._content for group in self.groups)

    def _one_at_a_time(self, neutral: tuple[Any, ...], by_factor: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple((*neutral[:i], x, *neutral[i + 1 :]) for i, factor in enumerate(by_factor) for x in factor)

    def sample(self, key: Key[Array, ""], component: int = 0) -> tuple[Any, ...]:
        """Return a tuple of independent elements of the factors."""
        parts = np.unravel_index(component, [group.components for group in self.groups])
        keys = jax.random.split(key, len(self.groups))
        return tuple(group.sample(k, int(part)) for group, k, part in zip(self.groups, keys, parts, strict=True))


def _fingerprint(array: np.ndarray) -> tuple[tuple[int, ...], str, bytes]:
    """What two equal arrays share; adding zero turns the zeros of either sign into one."""
    return array.shape, array.dtype.str, (array + array.dtype.type(0)).tobytes()
