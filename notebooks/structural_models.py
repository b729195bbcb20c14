# %% [markdown]
# # A structural model, fitted, asked, and doubted
#
# A treatment T raises the mean of Y and its spread, and Z causes both. Mechanisms are fitted by maximum likelihood,
# asked what an intervention would do and what units would have been, and compared with the truth. Then the ways to
# find out that a model is wrong. Open this file as a notebook with
# `jupytext --to notebook notebooks/structural_models.py` (`pip install '.[notebooks]'`), or run it as it is.

# %%
import pathlib
import tempfile

import jax
import jax.numpy as jnp
import numpy as np

from symjax import Causality, check
from symjax.causal.graphs import ADMG
from symjax.causal.scm import (
    SCM,
    Additive,
    Flow,
    Functions,
    abduct,
    check_residuals,
    counterfactual,
    descendants,
    likelihood_task,
    predict,
    sample,
)
from symjax.laws import Identity
from symjax.training import Recipe, train

key = jax.random.key(0)
graph = ADMG.of([("Z", "T"), ("Z", "Y"), ("T", "Y")], nodes=["Z", "T", "Y"])

# %% [markdown]
# ## The truth
#
# One function a variable, of all values and of the variable's own noise, and its inverse in the noise.


# %%
def mean(x):
    return x[:, 0] + jnp.sin(x[:, 1])


def spread(x):
    return jnp.exp(0.5 * x[:, 1])


truth = SCM.of(
    graph,
    Functions(
        (lambda x, n: n, lambda x, n: 0.5 * x[:, 0] + n, lambda x, n: mean(x) + spread(x) * n),
        (lambda x, v: v, lambda x, v: v - 0.5 * x[:, 0], lambda x, v: (v - mean(x)) / spread(x)),
    ),
)
data = sample(truth, key, 2000)

# %% [markdown]
# ## Two models of it
#
# "Additive" moves its noise and never stretches it. "Flow" is a rising spline of the noise that depends on the causes.


# %%
def fitted(mechanisms):
    task = likelihood_task(SCM.of(graph, mechanisms), np.asarray(data))
    with tempfile.TemporaryDirectory() as folder:
        found = train(task, Recipe(epochs=30, learning_rate=1e-2), pathlib.Path(folder))
    return SCM.of(graph, jax.tree.map(jnp.asarray, found.best_params))


models = {"truth": truth, "additive": fitted(Additive.init(key, 3)), "flow": fitted(Flow.init(key, 3))}

# %% [markdown]
# ## What an intervention does, and what units would have been
#
# Both models know the mean of Y under do(T = 1). What each of 200 units would have been needs its noise, and there the
# additive model is wrong: it takes the spread of all for that of each.

# %%
factual = data[:200]
done = truth.do({"T": 1.0})
means = {name: float(sample(model, key, 20_000, done)[:, 2].mean()) for name, model in models.items()}
units = {name: counterfactual(model, factual, done)[:, 2] for name, model in models.items()}
errors = {name: float(jnp.sqrt(jnp.mean((found - units["truth"]) ** 2))) for name, found in units.items()}
for name in models:
    print(f"{name:10} E[Y | do(T = 1)] = {means[name]:.2f}   error of a unit {errors[name]:.2f}")
assert all(abs(value - means["truth"]) < 0.2 for value in means.values())
assert errors["flow"] < errors["additive"] / 2

# %% [markdown]
# The truth is not at hand outside a notebook, but the noise that a model finds is, and it must tell nothing of causes.

# %%
for name in ("additive", "flow"):
    print(name, [test.verdict for test in check_residuals(models[name], data, key)])
assert check_residuals(models["additive"], data, key)[-1].p < 0.05

# %% [markdown]
# ## Laws
#
# Whatever the mechanisms are, two things hold of a sound model: noise that was found makes the same values again, and
# an intervention moves descendants alone.


# %%
def again(model):
    return lambda x: predict(model, abduct(model, x))


def moved(model):
    """Return the function from the value that each variable is set to, to what all units become in sum."""

    def total(values):
        each = [counterfactual(model, factual[:8], model.do({v: values[k]})) for k, v in enumerate(model.names)]
        return jnp.stack(each).sum(axis=0).T

    return total


sees = np.stack([descendants(truth, [v]) for v in truth.names], axis=1)
for name in ("additive", "flow"):
    check(again(models[name]), factual, laws=[Identity()], key=key, atol=1e-3).raise_if_broken()
    check(moved(models[name]), jnp.array([0.3, -1.0, 2.0]), laws=[Causality(sees)], key=key).raise_if_broken()

# %% [markdown]
# A mechanism whose inverse forgets one of its causes still gives numbers. `check` does not let it pass.

# %%
forward, inverse = truth.mechanisms.forward, truth.mechanisms.inverse
wrong = SCM.of(graph, Functions(forward, (*inverse[:2], lambda x, v: (v - x[:, 0]) / spread(x))))
report = check(again(wrong), factual, laws=[Identity()], key=key, atol=1e-3)
print(report)
assert not report
