"""The training step of emlp's flax network: 384 channels, 3 layers, O(3), moments of inertia of five masses."""

from collections.abc import Callable

from benchmarks.peers.emlp_basis import revive
from benchmarks.timing import serve


def make(facts: dict) -> Callable[[], object]:
    """Return the step: squared error of a batch of 500, its gradient, Adam."""
    revive()
    import emlp.nn.flax
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    from emlp.groups import O
    from emlp.reps import Scalar, T, V

    np.random.seed(0)  # noqa: NPY002 - the network draws its layout from the global generator
    model = emlp.nn.flax.EMLP(5 * Scalar + 5 * V, T(2), O(3), ch=384, num_layers=3)
    normal, optimizer = np.random.default_rng(0).standard_normal, optax.adam(3e-3)
    x, y = (jnp.asarray(normal((500, size)), jnp.float32) for size in (20, 9))
    params = model.init(jax.random.key(0), x)
    facts["parameters"] = sum(leaf.size for leaf in jax.tree.leaves(params))
    state = params, optimizer.init(params)

    def loss(params):
        return jnp.mean((model.apply(params, x) - y) ** 2)

    @jax.jit
    def train(state):
        params, moments = state
        updates, moments = optimizer.update(jax.grad(loss)(params), moments)
        return optax.apply_updates(params, updates), moments

    def step():
        nonlocal state
        state = jax.block_until_ready(train(state))

    return step


if __name__ == "__main__":
    report: dict = {}
    serve(lambda: make(report), "emlp", "jax", "flax", facts=report)
