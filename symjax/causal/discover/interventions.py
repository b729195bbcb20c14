"""Graphs of categorical variables from interventions whose targets nobody noted (Ke et al. 2019, arXiv:1910.01075).

There are beliefs sigma(gamma[i, j]) that i causes j, and for each variable a network of its causes under a mask drawn
from the beliefs. In turns: the networks learn from undisturbed rows; the target of an intervention is the variable
whose own rows they predict so much worse; and masks that predict the other variables of disturbed rows better raise
the beliefs in them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

Rows = Int[Array, "n d"]
FIRST, ROUNDS, FITTED, SCORED = 1000, 40, 100, 50  # steps of networks before all rounds; rounds; steps of each in one
BATCH, MASKS = 256, 32  # rows and masks of one step
RATE, BELIEF_RATE = 1e-2, 0.1
ACYCLIC = 0.5  # nats against two edges of opposite direction


class Discovered(NamedTuple):
    """What interventions told.

    Attributes:
        edges: beliefs that i causes j.
        targets: of the interventions, as inferred.
        losses: nats a row that each intervention took from each variable; its target lost most.
    """

    edges: Float[Array, "d d"]
    targets: Int[Array, " k"]
    losses: Float[Array, "k d"]


class Conditionals(NamedTuple):
    """log p(x_j | masked causes): leaky units of a weight a value of each cause, and a softmax over the values of j."""

    first: Float[Array, "d c d h"]
    bias: Float[Array, "d h"]
    last: Float[Array, "d h c"]
    shift: Float[Array, "d c"]

    @classmethod
    def init(cls, key: Key[Array, ""], variables: int, values: int, width: int) -> "Conditionals":
        """Return random networks."""
        one, two = jax.random.split(key)
        d, c, h = variables, values, width
        first = jax.random.normal(one, (d, c, d, h)) / jnp.sqrt(1.0 * d)
        last = jax.random.normal(two, (d, h, c)) / jnp.sqrt(1.0 * h)
        return cls(first, jnp.zeros((d, h)), last, jnp.zeros((d, c)))

    def __call__(self, rows: Rows, masks: Float[Array, "m #n d d"]) -> Float[Array, "m n d"]:
        """Return log-probabilities by masks, one for all rows or one each."""
        seen = self.first[jnp.arange(rows.shape[1])[None], rows]  # [n, cause, effect, h]
        shared = masks.shape[1] == 1
        hidden = (
            jnp.einsum("mij,nijh->mnjh", masks[:, 0], seen) if shared else jnp.einsum("mnij,nijh->mnjh", masks, seen)
        )
        units = jax.nn.leaky_relu(hidden + self.bias[None, None], 0.1)
        logits = jax.nn.log_softmax(jnp.einsum("mnjh,jhc->mnjc", units, self.last) + self.shift[None, None])
        return jnp.take_along_axis(logits, rows[None, :, :, None], axis=-1)[..., 0]


def unknown_interventions(
    key: Key[Array, ""],
    observed: Rows,
    disturbed: Int[Array, "k m d"],
    values: int,
    *,
    sparsity: float | Float[Array, ""] = 0.02,
    width: int = 32,
    rounds: int = ROUNDS,
) -> Discovered:
    """Return beliefs in edges and the targets of interventions, each of which changed one variable's mechanism.

    The derivative of a belief is that of the paper, over masks c drawn from the beliefs and weighted by how well each
    predicts,

        d/d gamma_ij = sum_c (sigma_ij - c_ij) p_j(c) / sum_c p_j(c) + d/d gamma_ij (sparsity S + ACYCLIC A)

    with p_j the geometric mean over rows, S the sum of beliefs and A = sum_i<j cosh(sigma_ij sigma_ji); the column of
    the target is left out.

    Args:
        key: of networks, rows and masks.
        observed: rows without interventions, of codes 0 to values - 1.
        disturbed: rows of each intervention.
        values: how many each variable has.
        sparsity: nats a row that an edge must gain to be believed.
        width: of the networks.
        rounds: of learning, inferring and scoring.
    """
    start, first, key = jax.random.split(key, 3)
    d = observed.shape[1]
    networks, structure = optax.adam(RATE), optax.adam(BELIEF_RATE)
    model = Conditionals.init(start, d, values, width)
    gamma = jnp.zeros((d, d), model.bias.dtype)

    def turn(state: tuple[Any, ...], key: Array) -> tuple[tuple[Any, ...], None]:
        model, gamma, moments, beliefs = state
        learnt, inferred, scored = jax.random.split(key, 3)
        model, moments = _learn(learnt, model, moments, networks, gamma, observed, FITTED)
        targets = jnp.argmax(_losses(inferred, model, gamma, observed, disturbed), axis=1)
        gamma, beliefs = _score(scored, model, gamma, beliefs, structure, disturbed, targets, sparsity)
        return (model, gamma, moments, beliefs), None

    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to integer counts
        model, moments = _learn(first, model, networks.init(model), networks, gamma, observed, FIRST)
        state = (model, gamma, moments, structure.init(gamma))
        (model, gamma, *_), _ = jax.lax.scan(turn, state, jax.random.split(key, rounds))
        losses = _losses(key, model, gamma, observed, disturbed)
    return Discovered(_beliefs(gamma), jnp.argmax(losses, axis=1), losses)


def _beliefs(gamma: Array) -> Array:
    return jnp.where(jnp.eye(len(gamma), dtype=bool), 0, jax.nn.sigmoid(gamma))


def _masks(key: Array, gamma: Array, *shape: int) -> Array:
    beliefs = jnp.broadcast_to(_beliefs(gamma), (*shape, *gamma.shape))
    return jax.random.bernoulli(key, beliefs).astype(gamma.dtype)


def _learn(
    key: Array,
    model: Conditionals,
    moments: Any,
    optimiser: optax.GradientTransformation,
    gamma: Array,
    observed: Array,
    steps: int,
) -> tuple[Conditionals, Any]:
    """Maximise the likelihood of rows, each under its own mask."""

    def step(state: tuple[Conditionals, Any], key: Array) -> tuple[tuple[Conditionals, Any], None]:
        model, moments = state
        drawn, masked = jax.random.split(key)
        rows = observed[jax.random.randint(drawn, (BATCH,), 0, len(observed))]
        masks = _masks(masked, gamma, 1, BATCH)
        gradient = jax.grad(lambda m: -jnp.mean(jnp.sum(m(rows, masks), axis=2)))(model)
        moves, moments = optimiser.update(gradient, moments)
        return (jax.tree.map(jnp.add, model, moves), moments), None

    return jax.lax.scan(step, (model, moments), jax.random.split(key, steps))[0]


def _losses(key: Array, model: Conditionals, gamma: Array, observed: Array, disturbed: Array) -> Array:
    """Return how much worse each variable is predicted under each intervention, under the same masks."""
    masks = _masks(key, gamma, MASKS, 1)
    means = jax.lax.map(lambda rows: jnp.mean(model(rows, masks), axis=(0, 1)), disturbed)
    return jnp.mean(model(observed[: disturbed.shape[1]], masks), axis=(0, 1))[None] - means


def _score(
    key: Array,
    model: Conditionals,
    gamma: Array,
    moments: Any,
    optimiser: optax.GradientTransformation,
    disturbed: Array,
    targets: Array,
    sparsity: float | Array,
) -> tuple[Array, Any]:
    """Move beliefs to the masks that predict disturbed rows."""

    def prior(gamma: Array) -> Array:
        beliefs = _beliefs(gamma)
        return sparsity * jnp.sum(beliefs) + ACYCLIC / 2 * jnp.sum(jnp.cosh(beliefs * beliefs.T))

    def step(state: tuple[Array, Any], key: Array) -> tuple[tuple[Array, Any], None]:
        gamma, moments = state
        chosen, drawn, masked = jax.random.split(key, 3)
        k = jax.random.randint(chosen, (), 0, len(disturbed))
        rows = disturbed[k][jax.random.randint(drawn, (BATCH,), 0, disturbed.shape[1])]
        masks = _masks(masked, gamma, MASKS, 1)
        weights = jax.nn.softmax(jnp.mean(model(rows, masks), axis=1), axis=0)  # [masks, effect]
        others = (jnp.arange(len(gamma)) != targets[k]).astype(gamma.dtype)
        away = jnp.einsum("mij,mj->ij", _beliefs(gamma)[None] - masks[:, 0], weights * others[None])
        moves: Any
        moves, moments = optimiser.update(away + jax.grad(prior)(gamma), moments)
        return (jnp.add(gamma, moves), moments), None

    return jax.lax.scan(step, (gamma, moments), jax.random.split(key, SCORED))[0]
