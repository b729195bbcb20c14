"""Causality read off a traced program: for every element, the input rows that can reach it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jax.extend import core, source_info_util
from jaxtyping import Array, Key

from symjax.laws.causality import Causality
from symjax.laws.check import as_function, check, declared_laws
from symjax.laws.dependence import Marks, Traced, evaluate, everywhere, spread, through

CALLS = (
    "jit",
    "pjit",
    "closed_call",
    "core_call",
    "custom_jvp_call",
    "custom_vjp_call",
    "remat",
    "remat2",
    "checkpoint",
)
CALLBACKS = ("pure_callback", "io_callback", "ffi_call")
MOST_TURNS = 10_000  # of a loop that is followed turn by turn


class Verdict(NamedTuple):
    """What was found about one law; an open one says which equation lets a forbidden row in, and what was measured."""

    law: str
    verdict: Literal["proved", "open"]
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Proof:
    """The verdicts of one function: true where every law is proved, and printed as one line a law."""

    verdicts: tuple[Verdict, ...]

    def __bool__(self) -> bool:
        return all(verdict.verdict == "proved" for verdict in self.verdicts)

    def __repr__(self) -> str:
        return "\n".join(f"{v.verdict:<7} {v.law}" + (f"; {v.reason}" if v.reason else "") for v in self.verdicts)


def prove(
    layer: Any, x: Any, *, key: Key[Array, ""], laws: Sequence[Causality] | None = None, params: Any = None
) -> Proof:
    """Prove laws of causality from the program that a function is, for all inputs of the shape of x at once.

    Every element of every intermediate array carries the set of input rows that it may depend on. What depends on none
    is evaluated, so that a masked score is minus infinity, its weight zero, and zero times a finite number nothing.
    Loops are followed turn by turn; one whose end depends on the input is followed until nothing changes. A law is
    proved where no forbidden row reaches an output. Else it is open, which is no verdict that it is broken: a mask of
    -1e9 is open. An open law names the first equation whose rows see what they may not, and is measured by `check`.

    Args:
        layer: as for `check`; also `key` and `params`.
        x: a pytree of arrays, whose rows are those of the first axis.
        key: of the parameters, and of the measurement of what is open.
        laws: by default the laws of causality that the layer declares.
        params: variables for a linen module.

    Raises:
        TypeError: if there is no law of causality to prove.
        ValueError: if the first axes of input and output are not those of a law.
    """
    x = jax.tree.map(jax.numpy.asarray, x)
    promised = declared_laws(layer, x) if laws is None else laws
    causal = [law for law in promised if isinstance(law, Causality)]
    if not causal:
        raise TypeError(f"expected a law of causality to prove, got {list(promised)!r}; check measures others")
    fn = as_function(layer, x, params, key)
    for law in causal:
        law.require_rows(x, jax.eval_shape(fn, x))
    trace = _Trace(fn, x, len(causal[0].allowed[0]))
    return Proof(tuple(_verdict(law, trace, fn, x, key) for law in causal))


def _verdict(law: Causality, trace: "_Trace", fn: Callable[[Any], Any], x: Any, key: Key[Array, ""]) -> Verdict:
    forbidden = ~np.asarray(law.allowed) & trace.seen
    if not forbidden.any() and not trace.callbacks:
        return Verdict(str(law), "proved")
    if forbidden.any():
        i, j = (int(n) for n in np.argwhere(forbidden)[0])
        reason = f"output {i} may see input {j}, by {trace.culprit(i, j)}"
    else:
        reason = f"{', '.join(trace.callbacks)} may do anything"
    measured = check(fn, x, key=key, laws=[law]).entries[0]
    return Verdict(str(law), "open", f"{reason}; measured: {measured.verdict}, residual {measured.residual:.1e}")


class _Trace:
    """A program followed once: which inputs each output row may see, and the equations that have rows in time."""

    def __init__(self, fn: Callable[[Any], Any], x: Any, rows: int):
        closed = jax.make_jaxpr(fn)(x)
        self.rows, self.unknown = rows + 1, rows  # one more mark: what is not known, but depends on no row
        self.callbacks: list[str] = []
        self.history: list[tuple[str, Marks]] = []
        self.places = ["a place unknown"]  # of the calls that lead to an equation
        ins = [Traced(leaf, self._own_rows(leaf)) for leaf in jax.tree.leaves(x)]
        outs = self.run(closed.jaxpr, closed.consts, ins)
        self.seen: Any = np.stack([self._by_row(spread(out, self.rows)) for out in outs]).any(axis=0)

    def _own_rows(self, leaf: Any) -> Marks:
        own = np.eye(self.rows, len(leaf), dtype=bool)
        return np.broadcast_to(own.reshape(*own.shape, *(1,) * (leaf.ndim - 1)), (self.rows, *leaf.shape))

    def _by_row(self, marks: Marks) -> Any:
        """Return [output row, input row] of an array whose first axis are rows."""
        return marks[: self.unknown].reshape(self.unknown, marks.shape[1], -1).any(axis=-1).T

    def culprit(self, i: int, j: int) -> str:
        """Return the first equation after which row i sees row j, of arrays with as many rows as the output."""
        for said, marks in self.history:
            if marks.ndim > 1 and marks.shape[1] == len(self.seen) and self._by_row(marks)[i, j]:
                return said
        return "the way its rows are stacked"

    def _said(self, eqn: Any) -> str:
        return f"`{eqn.primitive.name}` at {_place(eqn) or self.places[-1]}"

    def run(self, jaxpr: Any, consts: Sequence[Any], args: Sequence[Traced]) -> list[Traced]:
        """Return the outputs of a program."""
        known = dict(zip(jaxpr.constvars, map(Traced, consts), strict=True)) | dict(
            zip(jaxpr.invars, args, strict=True)
        )

        def read(atom: Any) -> Traced:
            return Traced(atom.val) if isinstance(atom, core.Literal) else known[atom]

        for eqn in jaxpr.eqns:
            known |= dict(zip(eqn.outvars, self.step(eqn, [read(atom) for atom in eqn.invars]), strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def step(self, eqn: Any, ins: list[Traced]) -> list[Traced]:
        """Return the outputs of one equation."""
        name, params = eqn.primitive.name, eqn.params
        if name in CALLS:
            self.places.append(_place(eqn) or self.places[-1])
            outs = self.run(*_opened(params.get("jaxpr") or params.get("call_jaxpr")), ins)
            self.places.pop()
            return outs
        if name == "scan":
            return self._scan(eqn, ins)
        if name == "while":
            return self._while(params, ins)
        if name == "cond":
            return self._cond(params, ins)
        if name == "debug_callback":
            return []
        if name in CALLBACKS:
            self.callbacks.append(self._said(eqn))
        values = evaluate(eqn, [i.value for i in ins])
        if all(i.is_known for i in ins):
            return [Traced(value) for value in values]
        marks = through(eqn, ins, values, self.rows)
        self.history += [(self._said(eqn), own) for own in marks]
        return list(map(Traced, values, marks))

    def _scan(self, eqn: Any, ins: list[Traced]) -> list[Traced]:
        """Follow every turn, so that instant t sees what the turns up to t bring."""
        (program, consts), length = _opened(eqn.params["jaxpr"]), eqn.params["length"]
        columns = sum(a.aval.ndim > b.aval.ndim for a, b in zip(eqn.invars, program.invars, strict=True))
        carried = sum(a.aval.ndim == b.aval.ndim for a, b in zip(eqn.outvars, program.outvars, strict=True))
        fixed, carry, moving = np.split(np.arange(len(ins)), [len(ins) - columns - carried, len(ins) - columns])
        state, rows = [ins[i] for i in carry], {}
        for t in range(length)[:: -1 if eqn.params["reverse"] else 1]:
            here = [Traced(c.value[t], None if c.marks is None else c.marks[:, t]) for c in (ins[i] for i in moving)]
            outs = self.run(program, consts, [*(ins[i] for i in fixed), *state, *here])
            state, rows[t] = outs[:carried], outs[carried:]
        shapes = [var.aval for var in program.outvars[carried:]]
        return [*state, *(self._stacked([rows[t][k] for t in range(length)], a) for k, a in enumerate(shapes))]

    def _stacked(self, parts: list[Traced], aval: Any) -> Traced:
        if not parts:
            return Traced(np.zeros((0, *aval.shape), aval.dtype))
        marks = None if all(p.is_known for p in parts) else np.stack([spread(p, self.rows) for p in parts], axis=1)
        return Traced(jax.numpy.stack([p.value for p in parts]), marks)

    def _while(self, params: Any, ins: list[Traced]) -> list[Traced]:
        """Follow the turns of a loop whose end is known; else let the marks grow until they do not change."""
        n, m = params["cond_nconsts"], params["body_nconsts"]
        test, body, carry = ins[:n], ins[n : n + m], ins[n + m :]
        for _ in range(MOST_TURNS):
            (going,) = self.run(*_opened(params["cond_jaxpr"]), [*test, *carry])
            if not going.is_known:
                return self._to_a_fixed_point(params, test, body, carry)
            if not going.value:
                return carry
            carry = self.run(*_opened(params["body_jaxpr"]), [*body, *carry])
        return self._to_a_fixed_point(params, test, body, carry)

    def _to_a_fixed_point(self, params: Any, test: Any, body: Any, carry: list[Traced]) -> list[Traced]:
        while True:
            carry = [self._not_known(c) for c in carry]
            (going,) = self.run(*_opened(params["cond_jaxpr"]), [*test, *carry])
            turned = self.run(*_opened(params["body_jaxpr"]), [*body, *carry])
            wider = [self._joined([c, t, going._replace(value=c.value)], c) for c, t in zip(carry, turned, strict=True)]
            if all((spread(a, self.rows) == spread(b, self.rows)).all() for a, b in zip(wider, carry, strict=True)):
                return wider
            carry = wider

    def _cond(self, params: Any, ins: list[Traced]) -> list[Traced]:
        """Take the branch that is known, or what any of them may see."""
        which, args = ins[0], ins[1:]
        chosen = int(np.clip(which.value, 0, len(params["branches"]) - 1))
        branches = params["branches"] if not which.is_known else params["branches"][chosen : chosen + 1]
        results = [self.run(*_opened(branch), args) for branch in branches]
        if which.is_known:
            return results[0]
        return [self._joined([*outs, which], self._not_known(outs[0])) for outs in zip(*results, strict=True)]

    def _not_known(self, traced: Traced) -> Traced:
        marks = spread(traced, self.rows).copy()
        marks[self.unknown] = True
        return Traced(traced.value, marks)

    def _joined(self, several: Sequence[Traced], like: Traced) -> Traced:
        shape = np.shape(like.value)
        whole = [spread(t, self.rows) for t in several]
        fitting = [m if m.shape[1:] == shape else everywhere(m, shape) for m in whole]
        return Traced(like.value, np.any([*fitting, spread(like, self.rows)], axis=0))


def _opened(inner: Any) -> tuple[Any, Sequence[Any]]:
    """Return a program and its constants, be it closed or not."""
    return getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())


def _place(eqn: Any) -> str:
    return source_info_util.summarize(eqn.source_info)
