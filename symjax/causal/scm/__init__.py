"""Structural causal models: mechanisms in an order, interventions and counterfactuals."""

from symjax.causal.scm.categorical import Categorical as Categorical
from symjax.causal.scm.exact import (
    FiniteModel as FiniteModel,
    GaussianAnswer as GaussianAnswer,
    causation as causation,
    causation_bounds as causation_bounds,
    linear_gaussian as linear_gaussian,
)
from symjax.causal.scm.fit import (
    ResidualTest as ResidualTest,
    check_residuals as check_residuals,
    fit_linear as fit_linear,
    likelihood_task as likelihood_task,
)
from symjax.causal.scm.mechanisms import (
    Additive as Additive,
    Flow as Flow,
    Functions as Functions,
    Linear as Linear,
    LocationScale as LocationScale,
    Networks as Networks,
)
from symjax.causal.scm.model import (
    SCM as SCM,
    Intervention as Intervention,
    abduct as abduct,
    counterfactual as counterfactual,
    descendants as descendants,
    predict as predict,
    sample as sample,
)
