"""Cases of counterfactuals, as files hold them: a model in words, what is known, what is done, and the exact answer."""

import ast
import operator
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np

from symjax.causal.graphs import ADMG
from symjax.causal.scm import SCM, FiniteModel, Functions, abduct, counterfactual, linear_gaussian, predict

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
WORDS = ("label", "answer", "answer_float")  # of a query: how it is called, and what it should give
FUNCTIONS = {name: getattr(jnp, name) for name in ("sin", "cos", "exp", "tanh", "log", "abs", "sqrt")}


def evaluate(text: str, values: dict[str, Any]) -> Any:
    """Return the value of an expression of numbers, names, operators and a few functions."""

    def of(node: ast.AST) -> Any:
        match node:
            case ast.Expression():
                return of(node.body)
            case ast.Constant():
                return node.value
            case ast.Name():
                return values[node.id]
            case ast.BinOp():
                return OPERATORS[type(node.op)](of(node.left), of(node.right))
            case ast.UnaryOp(op=ast.USub()):
                return -of(node.operand)
            case ast.UnaryOp(op=ast.Not()):
                return int(not of(node.operand))
            case ast.BoolOp():
                parts = [bool(of(part)) for part in node.values]
                return int(all(parts) if isinstance(node.op, ast.And) else any(parts))
            case ast.Call(func=ast.Name(id=name)):
                return FUNCTIONS[name](*map(of, node.args))
        raise ValueError(f"cannot read {ast.dump(node)} in {text!r}")

    return of(ast.parse(text, mode="eval"))


def names_in(text: str) -> set[str]:
    """Return the names of an expression."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)} - set(FUNCTIONS)


def check_case(case: dict[str, Any]) -> tuple[bool, float, str]:
    """Return whether the answers of a case are found, the largest error, and what was found.

    Raises:
        ValueError: the case says what cannot be read.
    """
    if case["kind"] not in KINDS:
        raise ValueError(f"cannot read a case of kind {case['kind']!r}; expected {', '.join(KINDS)}")
    error, words = KINDS[case["kind"]](case)
    return error <= 1e-9, error, words


def _linear(case: dict[str, Any]) -> tuple[float, str]:
    names = case["variables"]
    found = linear_gaussian(
        np.array(case["B"]).T,
        np.array(case["intercept"]),
        np.array(case["noise_std"]),
        {names.index(name): value for name, value in case["evidence"].items()},
        {names.index(name): value for name, value in case["do"].items()},
    )
    errors = [0.0]
    for name, wanted in case["answer"].items():
        k = names.index(name)
        errors += [abs(found.mean[k] - wanted["mean"]), abs(found.covariance[k, k] - wanted["var"])]
    for name, wanted in case.get("noise_posterior_mean", {}).items():
        errors.append(abs(found.noise_mean[names.index(name)] - wanted))
    return float(max(errors)), "mean, variance and noise by the posterior"


def as_model(case: dict[str, Any]) -> SCM:
    """Return the model of mechanisms in words."""
    names = list(case["mechanisms"])

    def forward(name: str, text: str):
        return lambda x, noise: _row(text, names, x, {f"N_{name}": noise}, noise)

    def inverse(name: str, text: str):
        return lambda x, value: _row(text, names, x, {name: value}, value)

    edges = [(c, name) for name, text in case["mechanisms"].items() for c in sorted(names_in(text) & set(names))]
    functions = Functions(
        tuple(forward(name, text) for name, text in case["mechanisms"].items()),
        tuple(inverse(name, case["noise_inverse"][name]) for name in names),
    )
    return SCM.of(ADMG.of(edges, nodes=names), functions)


def _row(text: str, names: list[str], x: Any, more: dict[str, Any], like: Any) -> Any:
    values = {name: x[:, k] for k, name in enumerate(names)} | more
    return jnp.broadcast_to(jnp.asarray(evaluate(text, values), like.dtype), like.shape)


def _functions(case: dict[str, Any]) -> tuple[float, str]:
    model = as_model(case)
    factual = jnp.array([[float(case["evidence"][name]) for name in model.names]])
    noise = abduct(model, factual)
    found = counterfactual(model, factual, model.do(case["do"]))[0]
    errors = [abs(float(found[model.names.index(name)]) - wanted) for name, wanted in case["answer"].items()]
    errors += [abs(float(noise[0, model.names.index(name)]) - v) for name, v in case.get("noise", {}).items()]
    errors.append(float(jnp.abs(predict(model, noise) - factual).max()))
    return max(errors), str(dict(zip(model.names, found.tolist(), strict=True)))


def _discrete(case: dict[str, Any]) -> tuple[float, str]:
    exogenous = {
        name: {int(value): Fraction(chance) for value, chance in table.items()}
        for name, table in case["exogenous"].items()
    }
    mechanisms = {name: _mechanism(case["mechanisms"][name]) for name in case["order"]}
    model, errors, told = FiniteModel(exogenous, mechanisms), [0.0], []
    for query in case["queries"]:
        found = _answer(model, query)
        wanted = Fraction(query["answer"])
        errors.append(0.0 if found == wanted else max(1e-6, abs(float(found - wanted))))
        told.append(str(found))
    return max(errors), ", ".join(told)


def _answer(model: FiniteModel, query: dict[str, Any]) -> Fraction:
    """Return the probability of what is asked, or the mean of a variable, among units that fit what is known.

    Raises:
        ValueError: what is asked is neither.
    """
    given = [(_done(model, g.get("do", {})), g["event"]) for g in query.get("given", [])]
    given.append(({}, query.get("evidence", {})))
    if unknown := set(query) - {"type", "evidence", "given", "targets", "outcome", "do", *WORDS}:
        raise ValueError(f"cannot read {', '.join(sorted(unknown))} of a query; expected evidence, given and targets")
    if query["type"] == "cf":
        asked = [(_done(model, t.get("do", {})), t["event"]) for t in query["targets"]]
        return Fraction(model.probability([*asked, *given])) / Fraction(model.probability(given))
    if query["type"] == "mean":
        do, name = _done(model, query.get("do", {})), query["outcome"]
        values = {model.solve(noise, do)[name] for noise, _ in model.worlds()}
        together = [v * model.probability([(do, {name: v}), *given]) for v in values]
        return Fraction(sum(together)) / Fraction(model.probability(given))
    raise ValueError(f"cannot read a query of type {query['type']!r}; expected cf or mean")


def _done(model: FiniteModel, do: dict[str, Any]) -> dict[str, Any]:
    """Return what is done; {"do": ...} in place of a value sets a variable to what it is under another intervention."""
    return {k: model.nested(k, _done(model, v["do"])) if isinstance(v, dict) else v for k, v in do.items()}


def _mechanism(text: str):
    return lambda values: int(evaluate(text, values))


def _mediation(case: dict[str, Any]) -> tuple[float, str]:
    """Total, direct and indirect effects of a linear model, by nested counterfactuals of a unit without noise."""
    names = ["X", *case["equations"]]
    low, high = map(float, case["contrast"])
    params = case["params"]

    def solve(x: float, mediator: float | None = None) -> dict[str, float]:
        values: dict[str, Any] = {"X": x, **params, **{f"N_{name}": 0.0 for name in names}}
        for name, text in case["equations"].items():
            values[name] = mediator if name == "M" and mediator is not None else evaluate(text, values)
        return values

    base = solve(low)
    found = {
        "TE": solve(high)["Y"] - base["Y"],
        "NDE": solve(high, base["M"])["Y"] - base["Y"],
        "NIE": solve(low, solve(high)["M"])["Y"] - base["Y"],
    }
    if unknown := set(case["answer"]) - set(found):
        raise ValueError(f"cannot read the answer {', '.join(sorted(unknown))}; expected {', '.join(found)}")
    return max(abs(found[name] - v) for name, v in case["answer"].items()), str(found)


KINDS = {
    "linear_gaussian": _linear,
    "anm": _functions,
    "monotone": _functions,
    "discrete": _discrete,
    "mediation_linear": _mediation,
}
