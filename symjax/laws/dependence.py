"""Which rows of an input each element of an array depends on, carried through one primitive of jax after another.

A value that depends on nothing is known: zero times a finite number is zero, minus infinity plus one is minus infinity,
and a masked score is no dependence. What is said here is never too little: where a rule is coarse, an element depends
on more than it need.
"""

import math
import string
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

Marks = Bool[np.ndarray, "rows ..."]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTWISE = _names(
    """abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp clz complex conj convert_element_type
    copy copy_p cos cosh digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge gt imag integer_pow is_finite le lgamma
    log log1p logistic lt max min mul name ne neg nextafter not optimization_barrier or polygamma population_count pow
    real reduce_precision rem round rsqrt shift_left shift_right_arithmetic shift_right_logical sign sin sinh sqrt
    square stop_gradient sub tan tanh xor"""
)
MOVES = _names("broadcast_in_dim concatenate expand_dims pad reshape rev slice split squeeze transpose")
INDEXED = _names("dynamic_slice gather dynamic_update_slice")
MARKED = _names("reduce_window_max reduce_window_sum scatter scatter-add scatter_add scatter_max scatter_min")
ACCUMULATE = _names("cumlogsumexp cummax cummin cumprod cumsum")
MATRICES = _names("cholesky eig eigh householder_product lu qr schur svd triangular_solve tridiagonal_solve")


class Traced(NamedTuple):
    """A value at one input, and the rows that each of its elements depends on; None where it is known."""

    value: Any
    marks: Marks | None = None

    @property
    def is_known(self) -> bool:
        """Whether no element depends on any row."""
        return self.marks is None or not self.marks.any()


def spread(traced: Traced, rows: int, shape: tuple[int, ...] | None = None) -> Marks:
    """Return the marks of a value, broadcast to a shape of no fewer axes."""
    own = np.shape(traced.value)
    marks = np.zeros((rows, *own), bool) if traced.marks is None else traced.marks
    if shape is None:
        return marks
    return np.broadcast_to(marks.reshape(rows, *(1,) * (len(shape) - len(own)), *own), (rows, *shape))


def everywhere(marks: Marks, shape: tuple[int, ...]) -> Marks:
    """Return the marks of a shape of which every place depends on what any place of another does."""
    rows = len(marks)
    return np.broadcast_to(marks.reshape(rows, -1).any(axis=1).reshape(rows, *(1,) * len(shape)), (rows, *shape))


def evaluate(eqn: Any, values: Sequence[Any]) -> list[Any]:
    """Return what an equation makes of values."""
    with np.errstate(all="ignore"):
        out = eqn.primitive.bind(*values, **eqn.params)
    return list(out) if eqn.primitive.multiple_results else [out]


def through(eqn: Any, ins: list[Traced], outs: list[Any], rows: int) -> list[Marks]:
    """Return the rows that each element of the outputs of an equation depends on."""
    name, shapes = eqn.primitive.name, [np.shape(out) for out in outs]
    if name == "select_n":
        return [_select(ins, rows, shapes[0])]
    if name in ELEMENTWISE:
        return [_elementwise(name, ins, rows, shape) for shape in shapes]
    if name in MOVES or (name in INDEXED and all(i.is_known for i in ins[_operands(name) :])):
        return _moved(eqn, ins, rows)
    if name.startswith(("reduce_", "arg")) and "axes" in eqn.params:
        return [_reduced(ins, tuple(map(int, eqn.params["axes"])), rows)] * len(outs)
    if name in ACCUMULATE:
        return [_accumulated(spread(ins[0], rows), eqn.params["axis"] + 1, eqn.params["reverse"])]
    if name == "dot_general":
        return [_product(ins, _letters(eqn, ins), rows)]
    if name == "conv_general_dilated":
        return [_bilinear(ins, lambda a, b: eqn.primitive.bind(a, b, **eqn.params), rows)]
    if name in MARKED and all(i.is_known for i in ins[1:2] if name.startswith("scatter")):
        return [_marked(eqn, ins, rows)]
    if name in ("sort", "top_k"):
        axis = eqn.params.get("dimension", -1)
        return [_mixed(ins, (axis % max(1, len(shape)),), rows, shape) for shape in shapes]
    if name == "fft":
        axes = len(eqn.params["fft_lengths"])
        return [_mixed(ins, tuple(range(len(shape) - axes, len(shape))), rows, shape) for shape in shapes]
    if name in MATRICES:
        return [_by_matrix(ins, rows, shape) for shape in shapes]
    return [np.any([everywhere(spread(i, rows), shape) for i in ins], axis=0) for shape in shapes]


def _operands(name: str) -> int:
    """Return how many arguments are moved; those after them say where to."""
    return 2 if name == "dynamic_update_slice" else 1


def _elementwise(name: str, ins: list[Traced], rows: int, shape: tuple[int, ...]) -> Marks:
    marks = [spread(i, rows, shape) for i in ins]
    together = np.any(marks, axis=0)
    if len(ins) != 2 or name not in ("mul", "div", "add", "sub", "max", "min", "and", "or"):
        return together
    (a, b), known = (np.asarray(i.value) for i in ins), [~m.any(axis=0) for m in marks]
    decides: dict[str, Callable[[Any], Any]] = {
        "mul": lambda v: v == 0,
        "div": lambda v: v == 0,
        "add": np.isinf,
        "sub": np.isinf,
        "max": lambda v: v == np.inf,
        "min": lambda v: v == -np.inf,
        "and": lambda v: v == 0,
        "or": lambda v: v == (True if v.dtype == bool else -1),
    }
    decided = known[0] & decides[name](a)
    return together & ~(decided if name == "div" else decided | (known[1] & decides[name](b)))


def _select(ins: list[Traced], rows: int, shape: tuple[int, ...]) -> Marks:
    choices = np.stack([spread(i, rows, shape) for i in ins[1:]])
    which, chosen = spread(ins[0], rows, shape), np.broadcast_to(np.asarray(ins[0].value).astype(int), shape)
    taken = np.take_along_axis(choices, np.broadcast_to(chosen, (1, rows, *shape)), axis=0)[0]
    return np.where(which.any(axis=0), choices.any(axis=0) | which, taken)


def _moved(eqn: Any, ins: list[Traced], rows: int) -> list[Marks]:
    """Move the numbers of places instead of values, and look up what was there."""
    count = _operands(eqn.primitive.name) if eqn.primitive.name in INDEXED else len(ins)
    ends = np.cumsum([0] + [math.prod(np.shape(i.value)) for i in ins[:count]])
    places = [
        jnp.arange(a, b, dtype=jnp.int32).reshape(np.shape(i.value))
        for a, b, i in zip(ends[:-1], ends[1:], ins[:count], strict=True)
    ]
    sources = map(np.asarray, evaluate(eqn, [*places, *(i.value for i in ins[count:])]))
    flat = np.concatenate([spread(i, rows).reshape(rows, -1) for i in ins[:count]], axis=1)
    flat = np.concatenate([flat, np.zeros((rows, 1), bool)], axis=1)  # for places out of bounds
    return [flat[:, np.where((source >= 0) & (source < ends[-1]), source, ends[-1])] for source in sources]


def _reduced(ins: list[Traced], axes: tuple[int, ...], rows: int) -> Marks:
    return np.any([spread(i, rows).any(axis=tuple(a + 1 for a in axes)) for i in ins], axis=0)


def _accumulated(marks: Marks, axis: int, reverse: bool) -> Marks:
    marks = np.flip(marks, axis) if reverse else marks
    marks = np.logical_or.accumulate(marks, axis=axis)
    return np.flip(marks, axis) if reverse else marks


def _letters(eqn: Any, ins: list[Traced]) -> str:
    """Return the einsum of a general dot product."""
    (contracted, batch), letters = eqn.params["dimension_numbers"], iter(string.ascii_letters.replace("z", ""))
    left, right = ([""] * np.ndim(i.value) for i in ins)
    for a, b in [*zip(*batch, strict=True), *zip(*contracted, strict=True)]:
        left[a] = right[b] = next(letters)
    left, right = ([letter or next(letters) for letter in side] for side in (left, right))
    free = [
        side[a] for side, k in ((left, 0), (right, 1)) for a in range(len(side)) if a not in (*batch[k], *contracted[k])
    ]
    return f"{''.join(left)},{''.join(right)}->{''.join([left[a] for a in batch[0]] + free)}"


def _product(ins: list[Traced], letters: str, rows: int) -> Marks:
    (left, right), out = letters.split("->")[0].split(","), letters.split("->")[1]
    a, b = (spread(i, rows).astype(np.float32) for i in ins)
    size_a, size_b = map(_may_count, ins)
    from_a = np.einsum(f"z{left},{right}->z{out}", a, size_b, optimize=True) if a.any() else 0
    from_b = np.einsum(f"{left},z{right}->z{out}", size_a, b, optimize=True) if b.any() else 0
    return np.asarray(from_a + from_b) > 0


def _bilinear(ins: list[Traced], fn: Callable[[Any, Any], Any], rows: int) -> Marks:
    """Mark what a product with non-negative coefficients makes of the marks of each of its arguments."""
    a, b = (jnp.asarray(spread(i, rows), i.value.dtype) for i in ins)
    size_a, size_b = (jnp.asarray(_may_count(i), i.value.dtype) for i in ins)
    return np.asarray((jax.lax.map(lambda m: fn(m, size_b), a) + jax.lax.map(lambda m: fn(size_a, m), b)) > 0.5)


def _may_count(traced: Traced) -> np.ndarray:
    """Return 1 where an element is not known to be zero."""
    known = True if traced.marks is None else ~traced.marks.any(axis=0)
    return np.where(known & (np.asarray(traced.value) == 0), np.float32(0), np.float32(1))


def _marked(eqn: Any, ins: list[Traced], rows: int) -> Marks:
    """Apply a primitive that adds, chooses or overwrites to marks themselves, row by row."""
    is_data = [not (eqn.primitive.name.startswith("scatter") and i == 1) for i in range(len(ins))]
    marks = [jnp.asarray(spread(i, rows), i.value.dtype) for i, data in zip(ins, is_data, strict=True) if data]

    def one(row: list[Any]) -> Any:
        data = iter(row)
        return eqn.primitive.bind(
            *[next(data) if own else i.value for i, own in zip(ins, is_data, strict=True)], **eqn.params
        )

    return np.asarray(jax.lax.map(one, marks)) != 0


def _mixed(ins: list[Traced], axes: tuple[int, ...], rows: int, shape: tuple[int, ...]) -> Marks:
    """Mark every place along some axes with what is anywhere along them."""
    marks = [spread(i, rows).any(axis=tuple(a + 1 for a in axes), keepdims=True) for i in ins]
    return np.broadcast_to(np.any(marks, axis=0), (rows, *shape))


def _by_matrix(ins: list[Traced], rows: int, shape: tuple[int, ...]) -> Marks:
    """Mark each output of a function of matrices with what is anywhere in its matrix."""
    batch = np.shape(ins[0].value)[:-2]
    marks = np.any([spread(i, rows).reshape(rows, *batch, -1).any(axis=-1) for i in ins], axis=0)
    return np.broadcast_to(marks.reshape(rows, *batch, *(1,) * (len(shape) - len(batch))), (rows, *shape))
