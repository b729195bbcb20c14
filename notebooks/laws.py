# %% [markdown]
# # Laws
#
# A law says what a function promises. Declare it, measure it, compose it. Open this file as a notebook with
# `jupytext --to notebook notebooks/laws.py` (`pip install '.[notebooks]'`), or run it as it is.

# %%
import jax
import jax.numpy as jnp
import numpy as np

from symjax import Causality, Equivariance, check
from symjax.groups import E, O, S
from symjax.reps import Axis, Points, Pseudovectors, Trivial, Vectors

key = jax.random.key(0)
points = jax.random.normal(key, (6, 3))

# %% [markdown]
# ## Declare and check
#
# The energy of points on springs is invariant under rigid motions E(3), and under the order S(6) of the points. Its
# gradient is a function like any other: motions move the points that come in and turn the vectors that go out.


# %%
def energy(x):
    apart = x[:, None] - x[None]
    return jnp.sum((jnp.sum(apart**2, axis=-1) - 1) ** 2)


motions = Equivariance(E(3), Points(), Vectors())
order = Equivariance(S(6), Axis(0), Axis(0))
report = check(jax.grad(energy), points, key=key, laws=[motions, order])
print(report)
report.raise_if_broken()

# %% [markdown]
# ## Catch what is broken
#
# A relu on components knows where the axes point. A cross product keeps its sign in a mirror: rotations alone would
# not notice that it is declared a vector, a reflection does. A constant obeys every invariance, and says nothing.


# %%
def torque(x):
    return jnp.cross(x, jnp.roll(x, 1, axis=0))


turned = Equivariance(O(3), Vectors(), Vectors())
for broken in (jax.nn.relu, torque):
    report = check(broken, points, key=key, laws=[turned])
    print(report)
    assert report.entries[0].verdict == "BROKEN"

assert check(torque, points, key=key, laws=[Equivariance(O(3), Vectors(), Pseudovectors())])
report = check(lambda x: jnp.ones(2), points, key=key, laws=[Equivariance(E(3), Points(), Trivial())])
print(report)
assert report.entries[0].verdict == "VACUOUS"

# %% [markdown]
# ## Compose
#
# Two arrows compose where the representations in the middle agree; else the laws refuse, and say why.

# %%
lengths = Equivariance(E(3), Vectors(), Trivial())
print(motions.then(lengths))
try:
    lengths.then(motions)
except TypeError as refusal:
    print(refusal)

# %% [markdown]
# ## Causality
#
# The other kind of law: which rows of the output may see which rows of the input; the others may not move it by one
# bit. A running mean sees the past. What looks one step back, applied twice, looks two steps back.


# %%
def running_mean(x):
    return jnp.cumsum(x, axis=0) / jnp.arange(1.0, len(x) + 1)[:, None]


past = Causality(np.tri(6))
print(check(running_mean, points, key=key, laws=[past]))
print(check(lambda x: (jnp.roll(x, -1, axis=0) + x) / 2, points, key=key, laws=[past]))
one_back = Causality(np.tri(6) - np.tri(6, k=-2))
print(one_back.then(one_back))
assert one_back.then(one_back) == Causality(np.tri(6) - np.tri(6, k=-3))
