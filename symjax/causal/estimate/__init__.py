"""Effects from arrays: averages, instruments, and effects that differ between units."""

from symjax.causal.estimate.average import (
    aipw as aipw,
    difference_in_means as difference_in_means,
    gformula as gformula,
    ipw as ipw,
    partially_linear as partially_linear,
    regression_effect as regression_effect,
    tmle as tmle,
)
from symjax.causal.estimate.crossfit import (
    LEAST_PROPENSITY as LEAST_PROPENSITY,
    Nuisances as Nuisances,
    crossfit as crossfit,
    fitted_nuisances as fitted_nuisances,
    linear_nuisances as linear_nuisances,
)
from symjax.causal.estimate.dose import DoseCurve as DoseCurve, dose_curve as dose_curve, dose_knots as dose_knots
from symjax.causal.estimate.forest import (
    Forest as Forest,
    Heterogeneous as Heterogeneous,
    forest_average as forest_average,
    forest_effects as forest_effects,
    grow_forest as grow_forest,
)
from symjax.causal.estimate.frontdoor import frontdoor_effect as frontdoor_effect
from symjax.causal.estimate.heterogeneous import (
    LinearEffect as LinearEffect,
    doubly_robust_scores as doubly_robust_scores,
    linear_dr_learner as linear_dr_learner,
)
from symjax.causal.estimate.inference import (
    Effect as Effect,
    bootstrap_weights as bootstrap_weights,
    folds_by_arm as folds_by_arm,
    influences as influences,
    interval as interval,
    standard_error as standard_error,
)
from symjax.causal.estimate.instrument import (
    first_stage as first_stage,
    two_stage_least_squares as two_stage_least_squares,
    wald as wald,
)
from symjax.causal.estimate.longitudinal import (
    longitudinal_gformula as longitudinal_gformula,
    marginal_structural as marginal_structural,
    stabilised_weights as stabilised_weights,
)
from symjax.causal.estimate.metalearners import (
    causal_forest as causal_forest,
    dr_learner as dr_learner,
    linear_dml as linear_dml,
    ortho_iv as ortho_iv,
    r_learner as r_learner,
    residuals as residuals,
    s_learner as s_learner,
    t_learner as t_learner,
    x_learner as x_learner,
)
from symjax.causal.estimate.plugin import codes as codes, empirical as empirical, plugin_effect as plugin_effect
from symjax.causal.estimate.regression import (
    Fit as Fit,
    covariance as covariance,
    least_squares as least_squares,
    logistic as logistic,
    random_features as random_features,
    solve_symmetric as solve_symmetric,
    with_constant as with_constant,
)
from symjax.causal.estimate.score import (
    Curve as Curve,
    calibration as calibration,
    dr_score as dr_score,
    qini_curve as qini_curve,
    r_score as r_score,
    toc_curve as toc_curve,
    uplift_curve as uplift_curve,
)
from symjax.causal.estimate.smooth import Smooth as Smooth, smooth as smooth, smooth_groups as smooth_groups
