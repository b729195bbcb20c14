# %% [markdown]
# # The arrow of time
#
# A forecaster looks better than it is where its hidden features have seen the future. Here two usual layers leak;
# `check` measures it, `prove` reads it off the program and names the line, and both are mended. Open this file as a
# notebook with `jupytext --to notebook notebooks/arrow_of_time.py` (`pip install '.[notebooks]'`), or run it as it is.

# %%
import flax.linen as nn
import jax
import jax.numpy as jnp

from symjax import Causality, check, prove
from symjax.layers.sequence import CausalAttention, DilatedBlock, PrefixNorm, causal_average

key = jax.random.key(0)
x = 20 + jax.random.normal(key, (12, 2)).cumsum(axis=0)  # 12 hours of two channels
past = Causality.past(12)

# %% [markdown]
# ## A window norm
#
# Instance norm takes mean and deviation over the whole window: hour 3 is divided by what happens in hour 10. For a
# forecast of what comes after the window that is fine. For features of every hour it is not.


# %%
class Leaky(nn.Module):
    """Norm, convolutions, attention, and a mean of three hours."""

    def normalise(self, x):
        return (x - x.mean(axis=0, keepdims=True)) / (x.std(axis=0, keepdims=True) + 1e-5)

    def pool(self, h):
        return jnp.stack([h[jnp.arange(t - 1, t + 2).clip(0, len(h) - 1)].mean(axis=0) for t in range(len(h))])

    @nn.compact
    def __call__(self, x):
        h = DilatedBlock(layers=2)(nn.Dense(8)(self.normalise(x)))
        return self.pool(h + CausalAttention(heads=2)(h))


report = check(Leaky(), x, key=key, laws=[past])
print(report)
assert report.entries[0].verdict == "BROKEN"

# %% [markdown]
# `check` has moved one hour after the other, and earlier outputs moved. Where does it come in? `prove` follows, for
# every number of the traced program, which hours may reach it, and names the first equation that lets the future in.

# %%
proof = prove(Leaky(), x, key=key, laws=[past])
print(proof)
assert not proof

# %% [markdown]
# ## Mend it
#
# Statistics of the hours so far, and a mean that ends with the hour it is for. The norm first: there is another leak.


# %%
class LessLeaky(Leaky):
    """The norm of prefixes."""

    def normalise(self, x):
        return PrefixNorm()(x)


proof = prove(LessLeaky(), x, key=key, laws=[past])
print(proof)
assert not proof

# %% [markdown]
# A mean centred on its hour sees the next one. The causal one looks back, and divides by the hours that there are.


# %%
class Causal(LessLeaky):
    """The mean of the last three hours."""

    def pool(self, h):
        return causal_average(h, 3)


proof, report = (judge(Causal(), x, key=key, laws=[past]) for judge in (prove, check))
print(proof)
print(report)
assert proof
report.raise_if_broken()

# %% [markdown]
# A proof holds for all inputs of this shape and all parameters; a check for those it tried. What `prove` cannot see
# through, such as a Fourier transform, it calls open and measures.
