"""Direct sums and tensor products of representations."""

import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from symjax.groups import MatrixGroup
from symjax.reps.arrays import Monomial, block_diagonal, namespace, one, promoted
from symjax.reps.linear import LinearRep, bracketed, natural


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
            if (found := term.monomial(h)) is None:
                return None
            perm, sign = found
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
        return functools.reduce(namespace(g).kron, promoted(one(g), *(factor.rho(g) for factor in self.factors)))

    def drho(self, a: Any) -> Any:
        """Return the matrix of a tangent."""
        return self.dact(a, namespace(a).eye(self.size, dtype=one(a).dtype)).T

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
            if (found := factor.monomial(h)) is None:
                return None
            perm = (perm[:, None] * factor.size + found[0]).ravel()
            sign = (sign[:, None] * found[1]).ravel()
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


def scalars(count: LinearRep | int) -> LinearRep:
    """Return that many scalars, or the representation that came."""
    return count if isinstance(count, LinearRep) else sum_of([(Product((), None), natural(count))], None)
