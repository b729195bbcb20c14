"""Diagrams for the classical groups: layers as permutations, traces and broadcasts of indices.

An equivariant map between tensor powers is a sum of diagrams (`symjax.solver.methods.invariant_theory`). A diagram acts
on a tensor without its matrix: indices that meet among the inputs are summed, those that go through are kept, and
those that meet among the outputs are spread (Pearce-Crump 2023, arXiv:2304.14165 and, for set partitions,
arXiv:2303.06208). Then y = sum_r c_r D_r(x) costs about n_in + n_out for each diagram, instead of n_in n_out.
"""

import dataclasses
import functools
import itertools
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Inexact

from symjax.groups import MatrixGroup
from symjax.math import namespace
from symjax.reps import Defining, Dual, LinearRep, Product
from symjax.solver.bases import Unsolved, cast
from symjax.solver.linalg import independent
from symjax.solver.methods.invariant_theory import Diagram, Slots, spanning_diagrams


def solve(rep_in: LinearRep, rep_out: LinearRep, seed: int = 0) -> "DiagramBasis":
    """Return an orthonormal basis of the maps between two tensor powers, made of diagrams.

    Raises:
        Unsolved: If a representation is no product of V and V*, if the group has no known diagrams or the indices too
            many, or if the rank of the diagrams is not clear.
    """
    del seed
    group = rep_in.require_group()
    outputs = _slots(rep_out, group)
    ups = (*outputs, *(not up for up in _slots(rep_in, group)))
    diagrams, gram, form = spanning_diagrams(group, ups)
    chosen, mix = independent(gram)
    return DiagramBasis(mix, form, tuple(diagrams[i] for i in chosen), len(outputs), len(ups) - len(outputs))


def _slots(rep: LinearRep, group: MatrixGroup) -> tuple[bool, ...]:
    """Return for each factor whether it is V, an upper index, or V*, a lower one."""
    vector = Defining(group)
    factors = rep.factors if isinstance(rep, Product) else (rep,)
    for factor in factors:
        if factor not in (vector, Dual(vector)):
            raise Unsolved(f"{factor} is neither V nor V.T")
    return tuple(factor == vector for factor in factors)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class DiagramBasis:
    """Sums of independent diagrams, orthonormal.

    Attributes:
        mix: the coefficient of each diagram (row) in each map of the basis (column).
        form: the invariant bilinear form.
        diagrams: which slots they join: first the factors of the output, then those of the input.
        outputs: the number of slots of the output.
        inputs: the number of slots of the input.
    """

    mix: Float[Any, "r r"]
    form: Float[Any, "d d"]
    diagrams: tuple[Diagram, ...] = dataclasses.field(metadata={"static": True})
    outputs: int = dataclasses.field(metadata={"static": True})
    inputs: int = dataclasses.field(metadata={"static": True})

    @property
    def dim(self) -> int:
        """The number of maps."""
        return len(self.diagrams)

    def apply(self, c: Inexact[Any, " r"], x: Inexact[Any, "... i"]) -> Inexact[Any, "... o"]:
        """Return the map with these coefficients times the vectors along the last axis of x, without its matrix."""
        return self._sum(c, x)

    def matrix(self, c: Inexact[Any, "... r"]) -> Inexact[Any, "... o i"]:
        """Return the sum of the maps times the coefficients."""
        xp = namespace(c, self.mix)
        return xp.swapaxes(self._sum(c, xp.eye(len(self.form) ** self.inputs, dtype=c.dtype)), -1, -2)

    def coefficients(self, w: Inexact[Any, "... o i"]) -> Inexact[Any, "... r"]:
        """Return the inner products with the maps, from sums over the indices that the diagrams join."""
        xp, lead, slots = namespace(w, self.mix), w.shape[:-2], tuple(range(self.outputs + self.inputs))
        tensor = w.reshape((*lead, *(len(self.form),) * len(slots)))
        products = [self._contract(diagram, tensor, slots, ()) for diagram in self.diagrams]
        return self._mixed(xp.stack(products, axis=-1), self.mix) if products else xp.zeros((*lead, 0), w.dtype)

    def _sum(self, c: Inexact[Any, "... r"], x: Inexact[Any, "*b i"]) -> Inexact[Any, "... o"]:
        """Return the maps times the vectors, with the leading axes of c, then of x; like spreads are added first."""
        xp, d, lead = namespace(c, x, self.mix), len(self.form), (*c.shape[:-1], *x.shape[:-1])
        tensor = x.reshape((*x.shape[:-1], *(d,) * self.inputs))
        weights, slots = self._mixed(c, self.mix.T), tuple(range(self.outputs, self.outputs + self.inputs))
        y = xp.zeros((*lead, *(d,) * self.outputs), np.result_type(c.dtype, x.dtype))
        for spread, members in _by_spread(self.diagrams, self.outputs).items():
            parts = xp.stack([self._contract(self.diagrams[i], tensor, slots, spread.carried) for i in members])
            y = y + self._spread(
                xp.tensordot(xp.take(weights, np.array(members), axis=-1), parts, axes=1), lead, spread
            )
        return y.reshape(*lead, d**self.outputs)

    def _contract(self, diagram: Diagram, tensor: Any, slots: Slots, carried: Slots) -> Any:
        """Return the sum over the slots of a tensor, its last axes, except those that lead to a carried slot."""
        label = {slot: min(part) for part in diagram.equal for slot in part}
        terms = [tensor, [..., *(label.get(slot, slot) for slot in slots)]]
        for pair in diagram.forms:
            if set(pair) & set(slots):
                terms += [cast(self.form, tensor), list(pair)]
        if diagram.volume:
            raised = {slot: slot + self.outputs + self.inputs for slot in diagram.lowered}
            terms += [cast(_levi_civita(len(self.form)), tensor), [raised.get(slot, slot) for slot in diagram.volume]]
            for slot, above in raised.items():
                terms += [cast(self.form, tensor), [slot, above]]
        with jax.default_matmul_precision("highest"):
            return namespace(tensor, self.form).einsum(*terms, [..., *carried], optimize="greedy")

    def _spread(self, z: Any, lead: tuple[int, ...], spread: "_Spread") -> Any:
        """Return a tensor with all slots of the output from one with the carried slots."""
        d = len(self.form)

        def place(array: Any, slots: Slots, lead: tuple[int, ...]) -> Any:
            return array.reshape((*lead, *(d if slot in slots else 1 for slot in range(self.outputs))))

        y, ones = place(z, spread.carried, lead), (1,) * len(lead)
        for pair in spread.equal:
            y = y * place(cast(np.eye(d), z), pair, ones)
        for pair in spread.forms:
            y = y * place(cast(self.form, z), pair, ones)
        return namespace(y).broadcast_to(y, (*lead, *(d,) * self.outputs))

    def _mixed(self, c: Any, mix: Any) -> Any:
        with jax.default_matmul_precision("highest"):
            return c @ cast(mix, c)


class _Spread(NamedTuple):
    """The slots of an output that the input fills, and which of its slots are equal or joined by the form."""

    carried: Slots
    equal: tuple[Slots, ...]
    forms: tuple[Slots, ...]


def _by_spread(diagrams: tuple[Diagram, ...], outputs: int) -> dict[_Spread, list[int]]:
    """Group the numbers of the diagrams."""
    groups: dict[_Spread, list[int]] = {}
    for i, diagram in enumerate(diagrams):
        crossing = [part for part in diagram.equal + diagram.forms if min(part) < outputs <= max(part)]
        carried = sorted([min(part) for part in crossing] + [slot for slot in diagram.volume if slot < outputs])
        equal = [(min(part), slot) for part in diagram.equal for slot in part if min(part) < slot < outputs]
        forms = [pair for pair in diagram.forms if max(pair) < outputs]
        groups.setdefault(_Spread(tuple(carried), tuple(equal), tuple(forms)), []).append(i)
    return groups


@functools.lru_cache(maxsize=8)
def _levi_civita(d: int) -> Float[np.ndarray, "..."]:
    """Return the volume form: the sign of the permutation that the indices make, or 0."""
    volume = np.zeros((d,) * d)
    for order in itertools.permutations(range(d)):
        volume[order] = round(np.linalg.det(np.eye(d)[list(order)]))
    return volume
