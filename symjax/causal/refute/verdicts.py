"""How simulations are judged: against zero, against the estimate, against its standard error, by the sign."""

import numpy as np
from jaxtyping import Float

from symjax.causal.refute.refutation import Refutation, moments, untold

SLACK = 0.1  # of the standard deviation, by which the mean of what should be zero may miss it
NEAR = 0.25  # of the standard error, by which the mean of resamples may miss the estimate


def judge_destroyed(name: str, by: str, value: float, simulated: Float[np.ndarray, " s"]) -> Refutation:
    """Judge simulations in which there is no effect: their mean should be zero."""
    expected = f"{by} have no effect"
    reason = untold(value, np.append(simulated, value) if np.ptp(simulated) else simulated)
    if reason:
        return Refutation(name, expected, value, simulated, f"The {name} {reason}.", None)
    mean, spread = moments(simulated)
    allowed = (3 / len(simulated) ** 0.5 + SLACK) * spread
    beyond = float(np.mean(abs(simulated) >= abs(value)))
    passed = bool(abs(mean) <= allowed)
    if passed:
        said = f"as it should be; {beyond:.1%} of them are as large as the estimate {value:.4g}"
    else:
        said = f"not zero within {allowed:.3g}: the method finds effects where there are none"
    verdict = f"With {by} the effect is {mean:.3g} on average (standard deviation {spread:.3g}), {said}."
    return Refutation(name, expected, value, simulated, verdict, passed, {"as_large": beyond, "allowed": allowed})


def judge_unmoved(name: str, value: float, simulated: Float[np.ndarray, " s"], error: float | None) -> Refutation:
    """Judge simulations that should leave the estimate, within half of its error, or a tenth of it without one."""
    expected = "a covariate of noise leaves the estimate as it is"
    reason = untold(value, np.append(simulated, value))
    if reason:
        return Refutation(name, expected, value, simulated, f"The {name} {reason}.", None)
    allowed = error / 2 if error else abs(value) / 10
    moved = float(np.sqrt(np.mean((simulated - value) ** 2)))
    passed = moved <= allowed
    said = "which is little" if passed else f"more than {allowed:.3g}: it does not rest on the data alone"
    verdict = f"With a covariate of noise the estimate {value:.4g} moves by {moved:.3g}, {said}."
    return Refutation(name, expected, value, simulated, verdict, passed, {"moved": moved, "allowed": allowed})


def judge_resampled(
    name: str, expected: str, value: float, simulated: Float[np.ndarray, " s"], ratio: float, error: float | None
) -> Refutation:
    """Judge simulations that should scatter around the estimate by `ratio` of its standard error."""
    reason = untold(value, simulated)
    if reason:
        return Refutation(name, expected, value, simulated, f"The {name} {reason}.", None)
    mean, spread = moments(simulated)
    implied = spread / ratio
    near = abs(mean - value) <= (error or implied) * (NEAR + 3 * ratio / len(simulated) ** 0.5)
    steady = not error or 0.5 <= implied / error <= 2
    if not near:
        said = "so a few rows decide the estimate"
    else:
        said = "as expected" if steady else "so the interval of the estimate is not to be trusted"
    beside = f" beside the {error:.3g} that was given" if error else ""
    verdict = (
        f"The {name} gives {mean:.4g} on average beside {value:.4g} and a standard error of {implied:.3g}{beside}, "
        f"{said}."
    )
    return Refutation(name, expected, value, simulated, verdict, bool(near and steady), {"standard_error": implied})


def judge_grid(
    value: float,
    simulated: Float[np.ndarray, "a b"],
    treatment: Float[np.ndarray, " a"],
    outcome: Float[np.ndarray, " b"],
) -> Refutation:
    """Judge estimates under hidden causes of each strength: they should keep their sign."""
    name = "hidden common causes"
    expected = "a hidden cause as strong as can be believed leaves the sign of the estimate"
    facts = {"treatment": treatment, "outcome": outcome, "kept": np.sign(simulated) == np.sign(value)}
    reason = untold(value, np.append(simulated, value))
    if reason:
        return Refutation(name, expected, value, simulated, f"Simulated hidden causes: {reason}.", None, facts)
    cells = [(float(max(a, b)), float(a), float(b)) for a in treatment for b in outcome]
    lost = [cell for cell, kept in zip(cells, facts["kept"].ravel(), strict=True) if not kept]
    if lost:
        _, a, b = min(lost)
        verdict = (
            f"A hidden cause that explains {a:.0%} of what is left of the treatment and {b:.0%} of the outcome would "
            f"bring the estimate {value:.4g} to zero or beyond."
        )
    else:
        weakest = simulated.flat[np.argmin(abs(simulated))]
        verdict = (
            f"No hidden cause up to {treatment.max():.0%} of the treatment and {outcome.max():.0%} of the outcome "
            f"brings the estimate {value:.4g} to zero; the strongest leaves {weakest:.4g}."
        )
    return Refutation(name, expected, value, simulated, verdict, not lost, facts)
