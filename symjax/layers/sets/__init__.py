"""Sets: the order of the members means nothing, and padding is not seen."""

from symjax.layers.sets.linear import (
    DeepSetsLinear as DeepSetsLinear,
    deepsets_linear as deepsets_linear,
    set_mean as set_mean,
)
