# %% [markdown]
# # A group that nobody has coded
#
# From the generators of a group to a trained network, in one page. The group is the symmetry of an error-correcting
# code, and the network learns to decode it from 200 transmissions. Open this file as a notebook with
# `jupytext --to notebook notebooks/new_group.py` (`pip install '.[notebooks]'`), or run it as it is.

# %%
import itertools

import jax
import numpy as np
import optax

import symjax
from symjax.groups import GeneratedGroup, PermutationGroup
from symjax.models import EMLP, MLP
from symjax.reps import V, quotient
from symjax.solver import equivariant_maps

# %% [markdown]
# ## The code and its symmetries
#
# Hamming's code sends 4 bits as words of 7, such that one wrong bit can be put right. Its words are the sums modulo 2
# of the seven lines {i, i + 1, i + 3} of the smallest projective plane, the Fano plane: 16 of the 128 words.
# A bit is sent as +1 or -1 and arrives as a real number, with noise. The decoder says for each of the seven numbers
# what was sent.
#
# Two permutations of the seven places map lines to lines, and generate all 168 that do. The third generator adds a line
# to a word: it changes three signs. Together they are 2688 signed permutations that map the code to itself. Whatever
# the best decoder is, it commutes with all of them.

# %%
lines = np.array([[i, (i + 1) % 7, (i + 3) % 7] for i in range(7)])
incidence = np.eye(7, dtype=int)[lines].sum(axis=1)
words = np.unique([c @ incidence % 2 for c in itertools.product((0, 1), repeat=7)], axis=0)

shift, swap = np.roll(np.arange(7), 1), np.array([0, 1, 4, 3, 2, 6, 5])
add_line = np.diag(1.0 - 2 * incidence[0])
group = GeneratedGroup(generators=(shift, swap, add_line), name="Hamming")
places = GeneratedGroup(generators=(np.eye(7)[shift], np.eye(7)[swap]), name="Fano")
print(f"{len(words)} words, {PermutationGroup((shift, swap)).order} permutations of the places")

# %% [markdown]
# ## Representations and their maps
#
# V are seven numbers that change places and signs. The 16 words change places as the cosets of those symmetries that
# leave the zero word alone: a representation that only permutes, on which any function of single numbers is lawful.
# The solver finds every linear map that commutes with the group. From numbers to words there is one, up to a factor:
# how well does each word agree with what arrived? Among words there are four, one for each distance: 0, 3, 4 and 7.

# %%
by_word = quotient(group, places)
for rep_in, rep_out in [(V(group), by_word), (by_word, by_word), (by_word, V(group)), (V(group), V(group))]:
    print(equivariant_maps(rep_in, rep_out))

# %% [markdown]
# ## Transmissions and a network
#
# Two hidden layers of eight numbers a word. Between V and V there is only the identity: without a good hidden
# representation there would be nothing to learn. The network is lawful before it has seen anything.

# %%
NOISE, TRAIN, TEST, STEPS = 0.8, 200, 20_000, 400


def transmit(rng, count):
    sent = words[rng.integers(len(words), size=count)]
    arrived = 1 - 2 * sent + NOISE * rng.standard_normal(sent.shape)
    return arrived.astype(np.float32), sent.astype(np.float32)


rng = np.random.default_rng(0)
arrived, sent = transmit(rng, TRAIN)
decoder = EMLP(V(group), V(group), channels=8 * by_word, layers=2)
print(symjax.check(decoder, arrived[:4], key=jax.random.key(0)))

# %% [markdown]
# ## Training
#
# Logistic loss and Adam: nothing here knows of the group. The baseline is a plain network of the same depth.


# %%
def train(model):
    def loss(params):
        return optax.sigmoid_binary_cross_entropy(-model.apply(params, arrived), sent).mean()

    def step(state, _):
        params, memory = state
        updates, memory = optimizer.update(jax.grad(loss)(params), memory)
        return (optax.apply_updates(params, updates), memory), None

    optimizer = optax.adam(optax.cosine_decay_schedule(1e-2, STEPS))
    params = jax.jit(model.init)(jax.random.key(0), arrived)
    state = params, optimizer.init(params)
    return jax.jit(lambda state: jax.lax.scan(step, state, length=STEPS)[0][0])(state)


baseline = MLP(7, channels=128, layers=2)
trained, plain = train(decoder), train(baseline)

# %% [markdown]
# ## The outcome
#
# The share of wrong bits among 20,000 new words, beside that of the best decoder there is: it weighs all 16 words by
# their probability. With 288 parameters the network comes within a few per cent of it; 200 words teach the
# plain one, with 18,439 parameters, hardly more than to look at each number by itself. What was learnt is lawful too.

# %%
arrived_new, sent_new = transmit(rng, TEST)
likelihood = jax.nn.softmax(arrived_new @ (1 - 2 * words.T) / NOISE**2)
answers = {
    "each number by itself": arrived_new,
    "MLP": jax.jit(baseline.apply)(plain, arrived_new),
    "EMLP": jax.jit(decoder.apply)(trained, arrived_new),
    "the best possible": likelihood @ (1 - 2 * words),
}
wrong = {name: float(np.mean((answer < 0) != sent_new)) for name, answer in answers.items()}
for name, share in wrong.items():
    print(f"{name:22} {share:.2%} of the bits are wrong")
report = symjax.check(decoder, arrived_new[:4], key=jax.random.key(1), params=trained)
print(report)
report.raise_if_broken()
assert wrong["EMLP"] < 1.1 * wrong["the best possible"] < wrong["MLP"] / 2
