"""Which effects a graph identifies, by which formula, and why not."""

from symjax.causal.identify.adjustment import (
    minimal_adjustment as minimal_adjustment,
    minimal_adjustments as minimal_adjustments,
    optimal_adjustment as optimal_adjustment,
    why_no_adjustment as why_no_adjustment,
)
from symjax.causal.identify.bounds import (
    Bounds as Bounds,
    instrument_bounds as instrument_bounds,
    manski_bounds as manski_bounds,
)
from symjax.causal.identify.estimand import (
    Estimand as Estimand,
    Fraction as Fraction,
    Joint as Joint,
    P as P,
    Product as Product,
    Sum as Sum,
)
from symjax.causal.identify.explain import Explanation as Explanation, explain as explain
from symjax.causal.identify.frontdoor import minimal_frontdoors as minimal_frontdoors
from symjax.causal.identify.general import Hedge as Hedge, Identification as Identification, identify as identify
from symjax.causal.identify.instruments import Instrument as Instrument, instruments as instruments
from symjax.causal.identify.mediation import Mediation as Mediation, mediation as mediation
