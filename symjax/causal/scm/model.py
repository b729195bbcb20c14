"""Structural causal models: sampling, interventions and counterfactuals in one pass over an order of causes."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from symjax.causal.graphs import ADMG
from symjax.math import transitive_closure

Policy = Callable[[Float[Array, "n d"]], Float[Array, " n"]]


@dataclasses.dataclass(frozen=True)
class Intervention:
    """What is done: V_k is set, moved, or given by a policy.

    Attributes:
        fixed: which variables are set.
        value: to what, for all units or each.
        shift: what is added to a variable after its own mechanism.
        policies: variables and functions of the values before them, instead of a value.
    """

    fixed: Bool[Array, " d"]
    value: Float[Array, " d"] | Float[Array, "n d"]
    shift: Float[Array, " d"]
    policies: tuple[tuple[int, Policy], ...] = ()


jax.tree_util.register_dataclass(Intervention, data_fields=["fixed", "value", "shift"], meta_fields=["policies"])


@dataclasses.dataclass(frozen=True)
class SCM:
    """A structural causal model.

    Attributes:
        names: of the variables.
        order: their numbers, causes first.
        edges: parents[k][j]: j is a cause of k.
        mechanisms: of all variables; see `mechanisms`.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    edges: tuple[tuple[bool, ...], ...]
    mechanisms: Any

    @classmethod
    def of(cls, graph: ADMG, mechanisms: Any) -> "SCM":
        """Return the model of a graph, its variables in the order of the graph's nodes.

        Raises:
            ValueError: the graph has hidden causes; name them as variables.
        """
        if graph.bidirected:
            a, b = min(graph.bidirected)
            raise ValueError(f"expected a graph without hidden causes, got {a} <-> {b}; make the cause a variable")
        names = graph.nodes
        edges = tuple(tuple(cause in graph.parents(name) for cause in names) for name in names)
        return cls(names, tuple(names.index(name) for name in graph.order()), edges, mechanisms)

    @property
    def parents(self) -> Bool[np.ndarray, "d d"]:
        """The mask of causes: parents[k, j]."""
        return np.array(self.edges)

    def do(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        shift: Mapping[str, Any] | None = None,
        policy: Mapping[str, Policy] | None = None,
    ) -> Intervention:
        """Return an intervention by names; values and shifts may be traced, or a number a unit.

        Raises:
            ValueError: a name is no variable.
        """
        values, shift, policy = values or {}, shift or {}, policy or {}
        for name in (*values, *shift, *policy):
            if name not in self.names:
                raise ValueError(f"{name!r} is no variable of the model; choose among {', '.join(self.names)}")
        fixed = jnp.array([name in values for name in self.names])
        numbers = jnp.broadcast_arrays(*(jnp.asarray(values.get(name, 0.0), float) for name in self.names))
        moves = jnp.stack([jnp.asarray(shift.get(name, 0.0), float) for name in self.names])
        chosen = tuple((self.names.index(name), function) for name, function in policy.items())
        return Intervention(fixed, jnp.stack(numbers, axis=-1), moves, chosen)


jax.tree_util.register_dataclass(SCM, data_fields=["mechanisms"], meta_fields=["names", "order", "edges"])


def sample(model: SCM, key: Key[Array, ""], n: int, do: Intervention | None = None) -> Float[Array, "n d"]:
    """Return the values of n units, under an intervention where there is one."""
    return predict(model, model.mechanisms.draw(key, n), do)


def predict(model: SCM, noise: Float[Array, "n d ..."], do: Intervention | None = None) -> Float[Array, "n d"]:
    """Return the values that noise makes, variable by variable, causes first."""
    return _pass(model, noise, jnp.zeros(noise.shape[:2], noise.dtype), do, keep=False)


def abduct(model: SCM, factual: Float[Array, "n d"], key: Key[Array, ""] | None = None) -> Float[Array, "n d ..."]:
    """Return the noise that the values of units came from; where many could have, one drawn from its posterior.

    Raises:
        ValueError: a mechanism is not invertible and has no posterior, or has one and there is no key.
    """
    mechanisms, parents, every = model.mechanisms, jnp.asarray(model.parents), jnp.arange(len(model.names))
    if mechanisms.invertible:

        def noise(k: Array) -> Array:
            return mechanisms.abduct(k, parents[k], factual, factual[:, k])

        return jnp.moveaxis(jax.lax.map(noise, every), 0, 1)
    if not hasattr(mechanisms, "posterior"):
        raise ValueError(
            "a counterfactual needs the noise of each unit, and these mechanisms cannot be inverted; give their "
            "inverse, or ask for interventions on new units (sample)"
        )
    if key is None:
        raise ValueError(f"many noises give one value under the {mechanisms.coupling} coupling; give a key to draw one")

    def drawn(k: Array) -> Array:
        return mechanisms.posterior(jax.random.fold_in(key, k), k, parents[k], factual, factual[:, k])

    return jnp.moveaxis(jax.lax.map(drawn, every), 0, 1)


def counterfactual(
    model: SCM, factual: Float[Array, "n d"], do: Intervention, key: Key[Array, ""] | None = None
) -> Float[Array, "n d"]:
    """Return what the units would have been: their noise is found, the intervention made, and the rest follows.

    A variable none of whose causes changed keeps its value to the last bit. The intervention is traced: vmap over many
    of them is one program.
    """
    return _pass(model, abduct(model, factual, key), factual, do, keep=True)


def _pass(
    model: SCM, noise: Float[Array, "n d ..."], before: Float[Array, "n d"], do: Intervention | None, *, keep: bool
) -> Float[Array, "n d"]:
    parents = jnp.asarray(model.parents)

    def step(state: tuple[Array, Array], k: Array) -> tuple[tuple[Array, Array], None]:
        x, changed = state
        value = model.mechanisms.predict(k, parents[k], x, noise[:, k])
        if keep:
            value = jnp.where(jnp.any(parents[k][:, None] & changed, axis=0), value, before[:, k])
        value = value if do is None else _done(do, k, x, value)
        return (x.at[:, k].set(value), changed.at[k].set(value != before[:, k])), None

    still = jnp.zeros(before.shape[::-1], bool)
    return jax.lax.scan(step, (before, still), jnp.asarray(model.order))[0][0]


def _done(do: Intervention, k: Array, x: Float[Array, "n d"], value: Float[Array, " n"]) -> Float[Array, " n"]:
    value = jnp.where(do.fixed[k], jnp.broadcast_to(do.value[..., k], value.shape), value)
    for place, policy in do.policies:
        value = jnp.where(k == place, policy(x), value)
    return value + do.shift[k]


def descendants(model: SCM, names: Sequence[str]) -> Bool[np.ndarray, " d"]:
    """Return which variables an intervention on some can move, these included."""
    reach = np.eye(len(model.names), dtype=bool) | transitive_closure(model.parents)
    return np.asarray(reach[:, [model.names.index(name) for name in names]].any(axis=1))
