"""Rules that look for what holds in every environment: risks, slopes, gradients and features that should not differ.

Each is an `Objective` of global means, which a loss returns by environment (see `environments`). With R the mean over
the environments e of their risks R_e, P the penalty and w its weight, they minimise

    (R + w P + sum_name weight_name mean_name) / max(w, 1).

The weight is a number or a schedule, such as `piecewise_linear({189: 1, 190: 1e4})`. The division keeps the size of
the gradient where a large weight sets in (so Arjovsky et al. 2019, arXiv:1907.02893, for coloured digits). Environments
of which a batch holds nothing are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from symjax.training import Objective, Weight, weight_at

Arrays = Mapping[str, Array]
Penalty = Callable[[Arrays, Bool[Array, " e"], PyTree], tuple[Float[Array, ""], PyTree]]
NOTHING: Mapping[str, Weight] = {}


def erm(*, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return the mean risk of all examples, whatever their environments: sum_e share_e R_e."""

    def value(means: Arrays, carry: PyTree, step: Array) -> tuple[Array, PyTree]:
        return (means["share"] * means["risk"]).sum() + _others(others, means, step), carry

    return Objective({"risk", "share", *others}, value)


def irm(weight: Weight, *, unbiased: bool = False, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return IRMv1: P = mean_e (d/ds R_e(s z) at s = 1)^2 (Arjovsky et al. 2019, arXiv:1907.02893, eq. IRMv1).

    Args:
        weight: w.
        unbiased: the slopes are of `Environments.halved`, and the product of an environment's two halves stands for the
            square, whose mean over batches it has; it may be negative.
        others: weights of other names of the loss, such as the norm of the parameters.
    """

    def penalty(means: Arrays, present: Array, carry: PyTree) -> tuple[Array, PyTree]:
        first, second = (means["slope"][0::2], means["slope"][1::2]) if unbiased else (means["slope"], means["slope"])
        return _mean(first * second, present), carry

    return _penalised({"slope"}, penalty, weight, others)


def vrex(weight: Weight, *, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return V-REx: P = mean_e (R_e - R)^2 (Krueger et al. 2021, arXiv:2003.00688; the sum of R_e is R here)."""

    def penalty(means: Arrays, present: Array, carry: PyTree) -> tuple[Array, PyTree]:
        return _spread(means["risk"], present), carry

    return _penalised(set(), penalty, weight, others)


def fishr(
    weight: Weight, environments: int, size: int, *, decay: float = 0.95, others: Mapping[str, Weight] = NOTHING
) -> Objective:
    """Return Fishr: P = mean_e |v_e - v|^2 of variances of gradients (Rame et al. 2022, arXiv:2109.02934).

    v_e [p] is the variance, by parameter, of the gradients of single examples in environment e, and v the mean of the
    v_e. It is averaged over steps, a <- decay a + (1 - decay) v_e, and divided by 1 - decay^updates.

    Args:
        weight: w.
        environments: how many there are.
        size: p, the number of parameters of the last layer, whose `gradient_moments` the loss returns.
        decay: of the average; 0 for none, as befits steps that see all the data.
        others: weights of other names of the loss.
    """

    def penalty(means: Arrays, present: Array, carry: Mapping[str, Array]) -> tuple[Array, PyTree]:
        variance, average = means["square"] - means["gradient"] ** 2, carry["variance"].astype(means["square"].dtype)
        average = jnp.where(present[:, None], decay * average + (1 - decay) * variance, average)
        updates = carry["updates"] + present.astype(carry["updates"].dtype)
        scale = 1 - decay ** jnp.maximum(updates, 1).astype(average.dtype)
        after = {"variance": jax.lax.stop_gradient(average), "updates": updates}
        return _spread(average / scale[:, None], present), after

    init = {"variance": jnp.zeros((environments, size)), "updates": jnp.zeros(environments, jnp.int32)}
    return _penalised({"gradient", "square"}, penalty, weight, others, init)


def coral(weight: Weight, *, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return CORAL: P = mean_{e<f} |C_e - C_f|^2 / 4 d^2 + |m_e - m_f|^2 / d, of features h [d].

    m_e is their mean, C_e = mean h h^T - m_e m_e^T. Sun & Saenko 2016 (arXiv:1607.01719, eq. 1) for the covariances;
    the means as well, as usual where no environment is the target (Gulrajani & Lopez-Paz 2021, arXiv:2007.01434).
    """

    def penalty(means: Arrays, present: Array, carry: PyTree) -> tuple[Array, PyTree]:
        m = means["feature"]
        covariance = means["product"] - m[:, :, None] * m[:, None, :]
        d = m.shape[1]
        return _between(covariance, present) / (4 * d**2) + _between(m, present) / d, carry

    return _penalised({"feature", "product"}, penalty, weight, others)


def mmd(weight: Weight, *, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return MMD: P = mean_{e<f} |mean_e phi - mean_f phi|^2 of a `kernel_embedding` phi of features.

    The squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13; as a penalty Li et al. 2018, CVPR), in its
    biased form and of the kernel that the embedding stands for.
    """

    def penalty(means: Arrays, present: Array, carry: PyTree) -> tuple[Array, PyTree]:
        return _between(means["embedding"], present), carry

    return _penalised({"embedding"}, penalty, weight, others)


def group_dro(environments: int, *, rate: float = 0.01, others: Mapping[str, Weight] = NOTHING) -> Objective:
    """Return GroupDRO: sum_e q_e R_e with q_e <- q_e exp(rate R_e) / normalisation.

    Sagawa et al. 2020 (arXiv:1911.08731, alg. 1). The weights q are uniform at first, and are carried as logarithms.
    """

    def value(means: Arrays, carry: Array, step: Array) -> tuple[Array, PyTree]:
        _require_several(means["risk"])
        risk = means["risk"]
        q = jax.nn.log_softmax(carry.astype(risk.dtype) + rate * jax.lax.stop_gradient(risk))
        return (jnp.exp(q) * risk).sum() + _others(others, means, step), q

    return Objective({"risk", "share", *others}, value, jnp.zeros(environments))


def _penalised(
    names: set[str], penalty: Penalty, weight: Weight, others: Mapping[str, Weight], init: PyTree = ()
) -> Objective:
    def value(means: Arrays, carry: PyTree, step: Array) -> tuple[Array, PyTree]:
        _require_several(means["risk"])
        present = means["share"] > 0
        risk, (extra, after) = _mean(means["risk"], present), penalty(means, present, carry)
        w = weight_at(weight, step, risk)
        return (risk + w * extra + _others(others, means, step)) / jnp.maximum(w, 1), after

    return Objective({"risk", "share", *names, *others}, value, init)


def _others(others: Mapping[str, Weight], means: Arrays, step: Array) -> Array:
    terms = [weight_at(weight, step, means[name]) * means[name] for name, weight in others.items()]
    return sum(terms, jnp.zeros_like(means["risk"][0]))


def _mean(values: Float[Array, "e ..."], present: Bool[Array, " e"]) -> Float[Array, ...]:
    """Return the mean over the environments that are present."""
    there = present.reshape(-1, *(1 for _ in values.shape[1:]))
    return jnp.where(there, values, 0).sum(0) / jnp.maximum(present.sum(), 1).astype(values.dtype)


def _spread(values: Float[Array, "e ..."], present: Bool[Array, " e"]) -> Float[Array, ""]:
    """Return mean_e |x_e - mean_f x_f|^2."""
    deviations = (values - _mean(values, present)[None]) ** 2
    return _mean(deviations.reshape(len(values), -1).sum(1), present)


def _between(values: Float[Array, "e ..."], present: Bool[Array, " e"]) -> Float[Array, ""]:
    """Return the mean over pairs of |x_e - x_f|^2, which is 2 n / (n - 1) times the spread of n."""
    n = present.sum().astype(values.dtype)
    return _spread(values, present) * 2 * n / jnp.maximum(n - 1, 1)


def _require_several(risk: Float[Array, " e"]) -> None:
    if len(risk) < 2:
        raise ValueError(
            "expected several environments, got 1: nothing differs within one, so that every rule of invariance is the "
            "plain mean of the risk; use erm(), or say which examples are of which environment"
        )
