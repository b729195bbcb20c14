"""Canonical orders: members are sorted before a module that knows no symmetry, by their channels or by learned scores.

No canonical order of vectors is continuous (Dym, Lawrence, Siegel 2024, arXiv:2402.16077): where two members tie in
what they are sorted by, they change places at once, and an output that tells places apart jumps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from symjax.groups import S
from symjax.laws import Causality, Equivariance, Law
from symjax.layers.sets.linear import present
from symjax.math import segment_mean
from symjax.reps import Axis, Trivial


class Canonical(NamedTuple):
    """Members in their canonical order.

    Attributes:
        members: x[order], zeros for padding.
        order: which member came to each place.
        runs: the same number for places with equal members, which follow one another.
    """

    members: Float[Array, "n c"]
    order: Int[Array, " n"]
    runs: Int[Array, " n"]


def canonicalise(
    x: Float[Array, "n c"],
    mask: Bool[Array, " n"] | None = None,
    *,
    key: Float[Array, " n"] | None = None,
) -> Canonical:
    """Return the members sorted by rising key, those of equal keys by their first channel, then the second, and so on.

    Members that tie in all of these are equal, so that their order means nothing and the sorted members are exactly
    invariant.

    Args:
        x: the members.
        mask: False at padding, which comes last, as zeros.
        key: a number for each member, the same for equal members; without it the channels decide.
    """
    x = present(x, mask)
    ranks = [*jax.lax.stop_gradient(x).T[::-1], *(() if key is None else (key,)), *(() if mask is None else (~mask,))]
    order = jnp.lexsort(ranks) if ranks else jnp.arange(x.shape[0])
    members, there = x[order], jnp.ones_like(order, bool) if mask is None else mask[order]
    is_new = (members[1:] != members[:-1]).any(axis=1) | (there[1:] != there[:-1])
    return Canonical(members, order, jnp.cumsum(jnp.pad(is_new, (min(1, len(x)), 0))))


def restore(y: Float[Array, "n ..."], canonical: Canonical) -> Float[Array, "n ..."]:
    """Return outputs for the sorted members in the order in which these came in, the inverse of sorting.

    Equal members share the mean of their outputs: an equivariant function cannot tell them apart.
    """
    shared = segment_mean(y, canonical.runs, y.shape[0], indices_are_sorted=True)[canonical.runs]
    return shared[jnp.argsort(canonical.order)]


def sinkhorn(logits: Float[Array, "n n"], *, steps: int = 20) -> Float[Array, "n n"]:
    """Return exp(logits) with columns and rows divided by their sums in turn: nearly doubly stochastic, rows exactly.

    Logits of minus infinity stay zeros. Source: Mena et al. 2018, arXiv:1802.08665, section 2.
    """

    def step(logits: Array, _: None) -> tuple[Array, None]:
        for axis in (0, 1):
            logits = logits - jax.nn.logsumexp(logits, axis=axis, keepdims=True)
        return logits, None

    return jnp.exp(jax.lax.scan(step, logits, length=steps)[0])


def soft_order(
    scores: Float[Array, " n"],
    order: Int[Array, " n"],
    mask: Bool[Array, " n"] | None = None,
    *,
    temperature: float = 1.0,
) -> Float[Array, "n n"]:
    """Return a relaxation of the permutation that sorts the scores, entry [place, member], by `sinkhorn`.

    The logits are -(score at the place - score of the member)^2 / temperature, after Prillo and Eisenschlos 2020
    (arXiv:2006.16038, eq. 4, where rows alone are divided); padding and members do not mix.
    """
    logits = -((scores[order][:, None] - scores[None]) ** 2) / temperature
    if mask is not None:
        logits = jnp.where(mask[order][:, None] == mask[None], logits, -jnp.inf)
    return sinkhorn(logits)


def sort_straight_through(
    x: Float[Array, "n c"],
    scores: Float[Array, " n"],
    mask: Bool[Array, " n"] | None = None,
    *,
    temperature: float = 1.0,
) -> Canonical:
    """Return `canonicalise` by the scores, whose gradient is that of the relaxed permutation in place of the sort.

    The values are exactly those of the hard sort; the gradient to x is exact, the one to the scores is biased, as that
    of every straight-through estimate.
    """
    hard = canonicalise(x, mask, key=jax.lax.stop_gradient(scores))
    soft = soft_order(scores, hard.order, mask, temperature=temperature) @ jax.lax.stop_gradient(present(x, mask))
    return hard._replace(members=hard.members + (soft - jax.lax.stop_gradient(soft)))


class MemberScores(nn.Module):
    """A perceptron of one hidden layer that gives every member, by itself, a number to be sorted by.

    Attributes:
        hidden: Width of the hidden layer.
    """

    hidden: int = 16

    def laws(self, x: Float[Any, "n c"]) -> tuple[Law, ...]:
        """The order of the members means nothing, and none sees another."""
        return Equivariance(S(x.shape[0]), Axis(0), Axis(0)), Causality(np.eye(x.shape[0]))

    @nn.compact
    def __call__(self, x: Float[Array, "n c"]) -> Float[Array, " n"]:
        """Return the scores."""
        rows = nn.tanh(nn.Dense(self.hidden, param_dtype=x.dtype, name="hidden")(x))
        return nn.Dense(1, param_dtype=x.dtype, name="score")(rows)[:, 0]


class Canonicalised(nn.Module):
    """Any module on members in order, made lawful: it sees them in their canonical order.

    Attributes:
        inner: Module of the sorted members, with zeros at the end for padding; where there is a mask it is called with
            the sorted mask besides.
        key: Members [n, c] to the numbers [n] by which they are sorted, each from its member alone: a function, or a
            module such as `MemberScores()`, which learns through `sort_straight_through`. Without it, and where these
            tie, the channels decide.
        rep_out: `Trivial()` for an invariant output, `Axis(0)` where there is one for each member.
        temperature: Of the relaxation through which the key learns.
    """

    inner: Callable[..., Array]
    key: Callable[[Array], Array] | None = None
    rep_out: Trivial | Axis = Trivial()
    temperature: float = 1.0

    def laws(self, x: Float[Any, "n c"]) -> tuple[Law, ...]:
        """The order of the members means nothing, even where they tie."""
        return (Equivariance(S(x.shape[0]), Axis(0), self.rep_out),)

    @nn.compact
    def __call__(self, x: Float[Array, "n c"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "..."]:
        """Return the output of the inner module, for each member where it came in if that is asked."""
        if self.key is None:
            canonical = canonicalise(x, mask)
        else:
            scores = self.key(jax.lax.stop_gradient(present(x, mask)))
            canonical = sort_straight_through(x, scores, mask, temperature=self.temperature)
        members, order, _ = canonical
        y = self.inner(members) if mask is None else self.inner(members, mask[order])
        return present(restore(y, canonical), mask) if self.rep_out == Axis(0) else y
