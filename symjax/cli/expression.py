"""Groups and representations from text such as `SO(3) * S(5)` and `T(2) + 3 * V`: read, never executed."""

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import symjax.groups
import symjax.reps
from symjax.groups import DirectProduct, Group, MatrixGroup, PermutationGroup
from symjax.reps import LinearRep, factors_of, pullback, restrict

LONGEST = 1000  # characters
LARGEST_NUMBER = 10_000
LARGEST_MATRIX = 64  # rows of a group's matrices; permutations may be larger
LARGEST_RANK = 32  # factors of a tensor product

NOT_GROUPS = {"CUBE_FACES", "Group", "MatrixGroup", "Motion"}
REPS = (
    "Det",
    "Irreps",
    "Scalar",
    "T",
    "V",
    "alternating",
    "conjugate",
    "in_parts",
    "induced",
    "irreps",
    "quotient",
    "real_form",
    "regular",
    "restrict",
    "symmetric",
    "uniform_rep",
)
OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.RShift: operator.rshift,
    ast.LShift: operator.lshift,
}
SHOWN = "names, numbers, calls, + * ** >> << and .T"


@functools.cache
def _groups() -> dict[str, Any]:
    names = (name for name in symjax.groups.__all__ if name[0].isupper() and name not in NOT_GROUPS)
    return {name: getattr(symjax.groups, name) for name in names}


@functools.cache
def _reps() -> dict[str, Any]:
    return {name: getattr(symjax.reps, name) for name in REPS}


def read_group(text: str) -> MatrixGroup:
    """Return the group that an expression names.

    Raises:
        ValueError: If the text is no expression of that kind, or no group of matrices comes of it.
    """
    group = _read(text, _groups(), "group")
    if not isinstance(group, MatrixGroup):
        hint = ""
        if isinstance(group, Group) and not isinstance(group, type):
            hint = ", whose elements are no matrices; write them in homogeneous coordinates, with GeneratedGroup"
        raise ValueError(f"expected a group of matrices or permutations such as SO(3) or S(5), got {text!r}{hint}")
    return group


def read_rep(text: str, group: MatrixGroup) -> LinearRep:
    """Return the representation of a group that an expression names.

    What it leaves without a group gets this one, called `G` in the text. What has another is pulled back where that is
    a factor of this group, and restricted where it is larger.

    Raises:
        ValueError: If the text is no expression of that kind, or its group has nothing to do with this one.
    """
    rep = _read(text, _groups() | _reps() | {"G": group}, "representation")
    if not isinstance(rep, LinearRep):
        raise ValueError(f"expected a representation such as T(2), V + Scalar or V(SO(3)), got {text!r}")
    if rep.group is None:
        return rep(group)
    inside = all(part in factors_of(group) for part in factors_of(rep.group))
    return pullback(rep, group) if inside else restrict(rep, group)


def _read(text: str, names: Mapping[str, Any], what: str) -> Any:
    if len(text) > LONGEST:
        raise ValueError(f"expected a {what} in at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body, _Source(text.strip(), names, what))
    except (SyntaxError, RecursionError) as error:
        raise ValueError(f"cannot read the {what} {text!r}: expected {SHOWN}") from error


class _Source:
    """The text of an expression and what its names mean."""

    def __init__(self, text: str, names: Mapping[str, Any], what: str):
        self.text, self.names, self.what = text, names, what

    def cut(self, node: ast.expr) -> str:
        """Return the part of the text that a node stands for."""
        return ast.get_source_segment(self.text, node) or self.text

    def meaning(self, node: ast.Name) -> Any:
        """Return what a name means."""
        if node.id not in self.names:
            known = ", ".join(sorted(self.names, key=str.lower))
            raise ValueError(f"unknown name {node.id!r} in {self.text!r}; a {self.what} is made of {known}")
        return self.names[node.id]


def _value(node: ast.expr, source: _Source) -> Any:
    match node:
        case ast.Constant(value=int() | float() | str() as constant) if not isinstance(constant, bool):
            return _bounded(constant)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Name():
            return source.meaning(node)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_value(item, source) for item in items)
        case ast.Attribute(value=inner, attr="T"):
            return _applied(node, source, lambda rep: _required(rep, LinearRep).T, _value(inner, source))
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            return _applied(node, source, _combine, op, _value(node.left, source), _value(node.right, source))
        case ast.Call(func=ast.Name() | ast.Call() | ast.BinOp() | ast.Attribute()):
            arguments = [_value(argument, source) for argument in node.args]
            options = {option.arg or "**": _value(option.value, source) for option in node.keywords}
            return _applied(node, source, _call, _value(node.func, source), arguments, options)
    raise ValueError(f"cannot read {source.cut(node)!r} in {source.text!r}: expected {SHOWN}")


def _applied(node: ast.expr, source: _Source, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the function's value; what is wrong with the arguments is said of the part of the text that is meant."""
    try:
        return function(*arguments)
    except (TypeError, ValueError, AttributeError, IndexError, AssertionError, ArithmeticError) as error:
        raise ValueError(f"cannot make {source.cut(node)}: {str(error) or type(error).__name__}") from error


def _combine(op: ast.operator, left: Any, right: Any) -> Any:
    values = (left, right)
    if not any(isinstance(value, LinearRep | MatrixGroup) for value in values):
        raise ValueError("expected a group or a representation on one side")
    if isinstance(op, ast.Pow):
        rank = len(getattr(left, "factors", (left,)))
        if rank * _required(right, int) > LARGEST_RANK:
            raise ValueError(f"expected at most {LARGEST_RANK} factors in a tensor product")
    return OPERATORS[type(op)](left, right)


def _call(function: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if not callable(function):
        raise ValueError("expected a group, a representation or a function of them before the brackets")
    made = function(*arguments, **options)
    if isinstance(made, MatrixGroup) and not isinstance(made, PermutationGroup | DirectProduct):
        if made.d > LARGEST_MATRIX:
            raise ValueError(f"expected matrices of at most {LARGEST_MATRIX} rows, got {made.d}")
        _ = made.lie_algebra, made.generators  # what is wrong with them is said here
    return made


def _required(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"expected {'a number' if kind is int else 'a representation'}, got {value!r}")
    return value


def _bounded(constant: int | float | str) -> int | float | str:
    if not isinstance(constant, str) and constant > LARGEST_NUMBER:
        raise ValueError(f"expected numbers of at most {LARGEST_NUMBER}, got {constant}")
    return constant
