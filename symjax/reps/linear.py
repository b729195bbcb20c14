"""Linear representations, frozen values with an algebra: `V * V + 2 * V`, `V.T`, `V >> V`, `V**3`.

Sums, products and duals are what its operators make, and so are pull-backs, where the operands have different groups.

One is abstract until it is given a group, like `(V * V + 2 * V)(SO(3))`; giving one returns a new value (Finzi, Welling
and Wilson 2021, arXiv:2104.09459, section 4).
"""

import abc
import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, SupportsIndex

import jax
import numpy as np

from symjax.groups import DirectProduct, MatrixGroup, common_group, factors_of, in_form_of, place_in, same_group
from symjax.math import (
    Monomial,
    along_last,
    block_diagonal,
    double_precision,
    namespace,
    promoted,
    signed_permutation,
    unit_like,
)
from symjax.reps.measured import keeps_lengths, require_lawful


class LinearRep(abc.ABC):
    """A representation on vectors of `size` numbers: rho(g) for elements, drho(a) for tangents, act on a last axis."""

    group: MatrixGroup | None

    @staticmethod
    def from_rho(size: int, rho: Callable[[Any], Any]) -> "LinearRep":
        """Return the representation with the matrices rho(g) [size, size]; drho is their derivative at the identity.

        Args:
            size: the number of coordinates.
            rho: a function of an element, of `jax.numpy`; it is kept and compared by identity.

        >>> from symjax.groups import SO
        >>> LinearRep.from_rho(4, lambda g: jax.numpy.kron(g, g))(SO(2)).size
        4
        """
        return Declared(rho, natural(size))

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """The number of coordinates; only known once the group is."""

    @abc.abstractmethod
    def rho(self, g: Any) -> Any:
        """Return the matrix [size, size] of an element."""

    @abc.abstractmethod
    def drho(self, a: Any) -> Any:
        """Return the matrix [size, size] of a tangent, d/dt rho(exp(t a)) at t = 0."""

    def map_leaves(self, change: Callable[["LinearRep"], "LinearRep"], group: MatrixGroup | None) -> "LinearRep":
        """Return the same expression of `group` with `change` applied to its leaves, of which this is one."""
        return change(self)

    def bind(self, group: MatrixGroup) -> "LinearRep":
        """Return this leaf as a representation of `group`; the same where it has its group already."""
        return self

    def regroup(self, group: MatrixGroup) -> "LinearRep":
        """Return this leaf as one of another group, of which it knows the elements: the same one, or a smaller one."""
        return Restricted(self, group)

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        matrix = self.rho(g)
        return along_last(matrix, self._sized(x))

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        return along_last(self.drho(a), self._sized(x))

    def monomial(self, h: Any) -> Monomial | None:
        """Return (perm, sign) with (rho(h) x)[i] = sign[i] x[perm[i]], or None where rho(h) is no such matrix."""
        return signed_permutation(np.asarray(self.rho(h)))

    def expand(self) -> "LinearRep":
        """Return an equal representation, coordinate by coordinate, made of smaller leaves; itself if there is none."""
        return self

    @property
    def T(self) -> "LinearRep":
        """The dual, rho(g)^-T; the representation itself where it is orthogonal."""
        return self if self.group is not None and self.group.is_orthogonal and keeps_lengths(self) else Dual(self)

    def __call__(self, group: MatrixGroup) -> "LinearRep":
        """Return this representation of `group`.

        Raises:
            TypeError: If that is no group of matrices.
            ValueError: If it already has another group.
        """
        if not isinstance(group, MatrixGroup):
            raise TypeError(f"expected a group of matrices or permutations, got {group!r}")
        if self.group is None:
            return self.map_leaves(lambda leaf: leaf.bind(group), group)
        if not same_group(self.group, group):
            raise ValueError(f"{self} has a group already, so {group} needs pullback (a product of it) or restrict")
        return pullback(self, group)

    def __add__(self, other: "LinearRep | int") -> "LinearRep":
        terms, group = align(self, _scalars(other))
        return sum_of([(term, 1) for term in terms], group)

    def __radd__(self, other: int) -> "LinearRep":
        return _scalars(other) + self

    def __mul__(self, other: "LinearRep | int") -> "LinearRep":
        if isinstance(other, LinearRep):
            return product_of(*align(self, other))
        return sum_of([(self, natural(other))], self.group)

    def __rmul__(self, other: int) -> "LinearRep":
        return self * other

    def __pow__(self, power: int) -> "LinearRep":
        return product_of([self] * natural(power), self.group)

    def __rshift__(self, other: "LinearRep") -> "LinearRep":
        """Return the representation of the matrices that map from this one to the other."""
        return other * self.T

    def __lshift__(self, other: "LinearRep") -> "LinearRep":
        return self * other.T

    def __repr__(self) -> str:
        return self.text if self.group is None else f"{bracketed(self.text)}({self.group!r})"

    @property
    @abc.abstractmethod
    def text(self) -> str:
        """The expression without its group."""

    def require_group(self) -> MatrixGroup:
        """Return the group.

        Raises:
            ValueError: If there is none yet.
        """
        if self.group is None:
            raise ValueError(f"{self} has no group yet; give it one, as in T(2)(SO(3))")
        return self.group

    def _sized(self, x: Any) -> Any:
        if x.shape[-1:] != (self.size,):
            raise ValueError(f"{self} acts on {self.size} numbers along the last axis, but the array has {x.shape}")
        return x


def bracketed(text: str) -> str:
    """Return an expression as it is written inside a product."""
    return f"({text})" if set(text) & set("+*") else text


def natural(number: SupportsIndex) -> int:
    """Return a multiplicity, a power or a number of channels.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it is negative.
    """
    try:
        count = operator.index(number)
    except TypeError:
        raise TypeError(f"expected an integer of at least 0, got {number!r}") from None
    if count < 0:
        raise ValueError(f"expected an integer of at least 0, got {number}")
    return count


@dataclasses.dataclass(frozen=True, repr=False)
class Declared(LinearRep):
    """A representation by a function that gives the matrix of an element. Made by `LinearRep.from_rho`."""

    function: Callable[[Any], Any]
    dimension: int
    group: MatrixGroup | None = None
    is_declared: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.dimension

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self._on_the_host(self.function, g)

    def drho(self, a: Any) -> Any:
        """Return the derivative of rho(1 + t a) at t = 0."""
        identity = self.require_group().identity

        def derivative(a: Any) -> Any:
            def along(t: Any) -> Any:
                return self.function(jax.tree.map(lambda e, b: e if e.ndim == 1 else e.astype(b.dtype) + t * b, *pair))

            pair = identity, a
            return jax.jvp(along, (0.0,), (1.0,))[1]

        return self._on_the_host(derivative, a)

    def _on_the_host(self, function: Callable[[Any], Any], x: Any) -> Any:
        """Return the function's value; of numpy's arrays, in double precision and as one of them."""
        try:
            if namespace(x) is not np:
                return function(x)
            with double_precision():
                return np.asarray(function(x))
        except jax.errors.TracerArrayConversionError as error:
            raise TypeError(
                f"expected rho of {self} to be differentiable: write it with jax.numpy, not numpy"
            ) from error

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        return self if self.group is not None else dataclasses.replace(self, group=group)

    @property
    def text(self) -> str:
        """The call that makes it."""
        return f"from_rho({self.size}, {getattr(self.function, '__name__', self.function)})"


@dataclasses.dataclass(frozen=True, repr=False)
class Around(LinearRep):
    """A representation made of another one, of the same group and size unless it says so."""

    rep: LinearRep

    @property
    def group(self) -> MatrixGroup | None:
        """The group that acts."""
        return self.rep.group

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.rep.size


@dataclasses.dataclass(frozen=True, repr=False)
class Dual(Around):
    """The dual of a leaf: rho(g)^-T, drho -> -drho^T."""

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        matrix = self.rep.rho(g)
        return namespace(matrix).linalg.inv(matrix).T

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return -self.rep.drho(a).T

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        return self.rep.monomial(h)

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return self.rep

    def bind(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of `group`."""
        return self.rep.bind(group).T

    def regroup(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of another group."""
        return self.rep.regroup(group).T

    @property
    def text(self) -> str:
        """The expression without its group."""
        return f"{bracketed(self.rep.text)}.T"


@dataclasses.dataclass(frozen=True, repr=False)
class Sum(LinearRep):
    """A direct sum: for each (term, multiplicity) that many contiguous copies, in order. Made by `+` and `n *`."""

    terms: tuple[tuple[LinearRep, int], ...]
    group: MatrixGroup | None

    @functools.cached_property
    def size(self) -> int:
        """The number of coordinates."""
        return sum(term.size * copies for term, copies in self.terms)

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return block_diagonal([term.rho(g) for term, copies in self.terms for _ in range(copies)])

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return block_diagonal([term.drho(a) for term, copies in self.terms for _ in range(copies)])

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        return self._termwise(lambda term, part: term.act(g, part), x)

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        return self._termwise(lambda term, part: term.dact(a, part), x)

    def _termwise(self, act: Callable, x: Any) -> Any:
        x, start, parts = self._sized(x), 0, []
        for term, copies in self.terms:
            part = x[..., start : start + copies * term.size].reshape(*x.shape[:-1], copies, term.size)
            parts.append(act(term, part).reshape(*x.shape[:-1], copies * term.size))
            start += copies * term.size
        return namespace(*parts).concatenate(promoted(*parts), axis=-1) if parts else x

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        perms, signs, start = [], [], 0
        for term, copies in self.terms:
            if (monomial := term.monomial(h)) is None:
                return None
            perm, sign = monomial
            offsets = start + term.size * np.arange(copies)
            perms.append((offsets[:, None] + perm).ravel())
            signs.append(np.tile(sign, copies))
            start += copies * term.size
        return np.concatenate([np.zeros(0, int), *perms]), np.concatenate([np.zeros(0), *signs])

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return sum_of([(term.T, copies) for term, copies in self.terms], self.group)

    def map_leaves(self, change: Callable, group: MatrixGroup | None) -> LinearRep:
        """Return the same expression with `change` applied to its leaves."""
        return sum_of([(term.map_leaves(change, group), copies) for term, copies in self.terms], group)

    @property
    def text(self) -> str:
        """The expression without its group."""
        return (
            "+".join(
                (f"{copies}*" if copies > 1 else "") + (f"({term.text})" if isinstance(term, Sum) else term.text)
                for term, copies in self.terms
            )
            or "0"
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Product(LinearRep):
    """A tensor product, its coordinates in row-major order; the empty product is the scalar. Made by `*` and `**`."""

    factors: tuple[LinearRep, ...]
    group: MatrixGroup | None

    @functools.cached_property
    def size(self) -> int:
        """The number of coordinates."""
        return math.prod(factor.size for factor in self.factors)

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return functools.reduce(namespace(g).kron, promoted(unit_like(g), *(factor.rho(g) for factor in self.factors)))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.dact(a, namespace(a).eye(self.size, dtype=unit_like(a).dtype)).T

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        for i, factor in enumerate(self.factors):
            x = self._along(i, functools.partial(factor.act, g), x)
        return self._sized(x)

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        if not self._sized(x).size:
            return x
        columns = x.reshape(-1, self.size).T
        start, moved = 1, []
        for factor in self.factors:
            slots = columns.reshape(start, factor.size, -1)  # long rows, for fast products with a small matrix
            with jax.default_matmul_precision("highest"):
                moved.append(namespace(a, x).matmul(*promoted(factor.drho(a), slots)).reshape(columns.shape))
            start *= factor.size
        return functools.reduce(operator.add, promoted(0 * columns, *moved)).T.reshape(x.shape)

    def _along(self, i: int, act: Callable, x: Any) -> Any:
        xp = namespace(x)
        tensor = self._sized(x).reshape(*x.shape[:-1], *(factor.size for factor in self.factors))
        axis = x.ndim - 1 + i
        return xp.moveaxis(act(xp.moveaxis(tensor, axis, -1)), -1, axis).reshape(x.shape)

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        perm, sign = np.zeros(1, int), np.ones(1)
        for factor in self.factors:
            if (monomial := factor.monomial(h)) is None:
                return None
            perm = (perm[:, None] * factor.size + monomial[0]).ravel()
            sign = (sign[:, None] * monomial[1]).ravel()
        return perm, sign

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return product_of([factor.T for factor in self.factors], self.group)

    def map_leaves(self, change: Callable, group: MatrixGroup | None) -> LinearRep:
        """Return the same expression with `change` applied to its leaves."""
        return product_of([factor.map_leaves(change, group) for factor in self.factors], group)

    @property
    def text(self) -> str:
        """The expression without its group."""
        runs: list[list] = []
        for factor in self.factors:
            if runs and runs[-1][0] == factor:
                runs[-1][1] += 1
            else:
                runs.append([factor, 1])
        return "*".join(bracketed(rep.text) + (f"**{power}" if power > 1 else "") for rep, power in runs) or "Scalar"


@dataclasses.dataclass(frozen=True, repr=False)
class Pullback(LinearRep):
    """A leaf of one factor as a representation of a direct product: the other factors do nothing."""

    rep: LinearRep
    group: DirectProduct
    factor: int

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.rep.size

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self.rep.rho(g[self.factor])

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.rep.drho(a[self.factor])

    def act(self, g: Any, x: Any) -> Any:
        """Return rho(g) x along the last axis of x."""
        return self.rep.act(g[self.factor], x)

    def dact(self, a: Any, x: Any) -> Any:
        """Return drho(a) x along the last axis of x."""
        return self.rep.dact(a[self.factor], x)

    def monomial(self, h: Any) -> Monomial | None:
        """Return the element as a permutation with signs, where it is one."""
        return self.rep.monomial(h[self.factor])

    def expand(self) -> LinearRep:
        """Return the same of the smaller leaves that the leaf is made of."""
        return expand_inside(self, self.rep)

    @property
    def T(self) -> LinearRep:
        """The dual."""
        return dataclasses.replace(self, rep=self.rep.T)

    @property
    def text(self) -> str:
        """The expression without its group; of equal factors, with which one it is."""
        is_alone = self.group.groups.count(self.group.groups[self.factor]) == 1
        return repr(self.rep) if is_alone else f"{self.rep!r}[{self.factor}]"


@dataclasses.dataclass(frozen=True, repr=False)
class Restricted(LinearRep):
    """A leaf of which only the elements of another group act, matrices of the same size: a subgroup, or the same."""

    rep: LinearRep
    group: MatrixGroup

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.rep.size

    def rho(self, g: Any) -> Any:
        """Return the matrix of an element."""
        return self.rep.rho(in_form_of(self.rep.require_group(), g))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.rep.drho(a)

    def expand(self) -> LinearRep:
        """Return the same of the smaller leaves that the leaf is made of."""
        return expand_inside(self, self.rep)

    def regroup(self, group: MatrixGroup) -> LinearRep:
        """Return this as a representation of another group."""
        return self.rep.regroup(group)

    @property
    def text(self) -> str:
        """The expression without its group."""
        return self.rep.text


def sum_of(terms: Sequence[tuple[LinearRep, int]], group: MatrixGroup | None) -> LinearRep:
    """Return the direct sum, nested sums and equal neighbours joined; one copy of one term is that term."""
    flat: list[tuple[LinearRep, int]] = []
    for term, copies in terms:
        inner = term.terms if isinstance(term, Sum) and (copies == 1 or len(term.terms) <= 1) else ((term, 1),)
        for rep, count in inner:
            if flat and flat[-1][0] == rep:
                flat[-1] = (rep, flat[-1][1] + count * copies)
            elif count * copies > 0:
                flat.append((rep, count * copies))
    return flat[0][0] if len(flat) == 1 and flat[0][1] == 1 else Sum(tuple(flat), group)


def product_of(factors: Sequence[LinearRep], group: MatrixGroup | None) -> LinearRep:
    """Return the tensor product, nested products joined; a product of one factor is that factor."""
    flat = [f for factor in factors for f in (factor.factors if isinstance(factor, Product) else (factor,))]
    return flat[0] if len(flat) == 1 else Product(tuple(flat), group)


def _scalars(count: LinearRep | int) -> LinearRep:
    """Return that many scalars, or the representation that came."""
    return count if isinstance(count, LinearRep) else sum_of([(Product((), None), natural(count))], None)


def expand_inside(wrapper: Any, leaf: LinearRep) -> LinearRep:
    """Return what a leaf expands to, with each smaller leaf wrapped in its stead; the wrapper if there is none."""
    expanded = leaf.expand()
    if expanded is leaf:
        return wrapper
    return expanded.map_leaves(lambda part: dataclasses.replace(wrapper, rep=part), wrapper.group)


def align(*reps: LinearRep) -> tuple[list[LinearRep], MatrixGroup | None]:
    """Return the representations as ones of a common group (`common_group` of their groups), and that group.

    Abstract ones take it; on a direct product, each factor moves its own.
    """
    group = common_group([rep.group for rep in reps if rep.group is not None])
    if group is None:
        return list(reps), None
    return [rep(group) if rep.group is None else pullback(rep, group) for rep in reps], group


def bound(*reps: LinearRep) -> tuple[list[LinearRep], MatrixGroup]:
    """Return what `align` returns, after a measurement of what a user declared.

    Raises:
        TypeError: If one is no linear representation.
        ValueError: If none of the representations has a group, or a declared one is no representation.
    """
    if strangers := [rep for rep in reps if not isinstance(rep, LinearRep)]:
        raise TypeError(f"expected a linear representation such as T(2)(SO(3)), got {strangers[0]!r}")
    aligned, group = align(*reps)
    if group is None:
        raise ValueError(f"{' and '.join(map(str, reps))} have no group yet; give them one, as in T(2)(SO(3))")
    for rep in aligned:
        require_lawful(rep)
    return aligned, group


def pullback(rep: LinearRep, group: MatrixGroup, *, factor: int | None = None) -> LinearRep:
    """Return a representation of one factor of a direct product (or of several) as one of the whole product.

    Args:
        rep: the representation.
        group: the direct product; the representation's own group is returned unchanged.
        factor: which factor acts, needed where two factors are equal.

    Raises:
        ValueError: If the group of `rep` is no factor, or is several and `factor` does not choose one of them.
    """
    own = rep.require_group()
    if own == group:
        return rep
    if not isinstance(group, DirectProduct):
        if not same_group(own, group):
            raise ValueError(f"expected {own} to be one factor of a direct product, got {group}")
        return rep.map_leaves(lambda leaf: leaf.regroup(group), group)

    def move(leaf: LinearRep) -> LinearRep:
        part, inner = (leaf.factor, leaf.rep) if isinstance(leaf, Pullback) else (0, leaf)
        place = place_in(group, factors_of(own), part, factor)
        wanted = group.groups[place]
        return Pullback(inner if inner.group == wanted else inner.regroup(wanted), group, place)

    return rep.map_leaves(move, group)
