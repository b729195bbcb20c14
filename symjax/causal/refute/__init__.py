"""How an estimate could be wrong: simulations, sensitivity to hidden causes, overlap."""

from symjax.causal.refute.debiased import (
    Bounds as Bounds,
    DebiasedSensitivity as DebiasedSensitivity,
    average_sensitivity as average_sensitivity,
    gained_strength as gained_strength,
    partially_linear_sensitivity as partially_linear_sensitivity,
    riesz_sensitivity as riesz_sensitivity,
)
from symjax.causal.refute.evaluate import Change as Change, Sample as Sample
from symjax.causal.refute.linear import Regression as Regression, regression as regression
from symjax.causal.refute.overlap import Arm as Arm, Overlap as Overlap, measure_overlap as measure_overlap
from symjax.causal.refute.refitted import (
    DoublyRobust as DoublyRobust,
    PartiallyLinear as PartiallyLinear,
    doubly_robust as doubly_robust,
    partially_linear as partially_linear,
)
from symjax.causal.refute.refutation import Refutation as Refutation
from symjax.causal.refute.sensitivity import (
    Benchmark as Benchmark,
    EValue as EValue,
    Sensitivity as Sensitivity,
    adjusted as adjusted,
    e_value as e_value,
    e_value_of_difference as e_value_of_difference,
    linear_sensitivity as linear_sensitivity,
    robustness_value as robustness_value,
)
from symjax.causal.refute.simulate import (
    bootstrap as bootstrap,
    dummy_outcome as dummy_outcome,
    hidden_causes as hidden_causes,
    placebo as placebo,
    random_common_cause as random_common_cause,
    subset as subset,
)
