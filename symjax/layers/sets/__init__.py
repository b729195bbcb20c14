"""Sets: the order of the members means nothing, and padding is not seen."""

from symjax.layers.sets.linear import (
    DeepSetsLinear as DeepSetsLinear,
    DeepSetsPool as DeepSetsPool,
    ExchangeableLinear as ExchangeableLinear,
    deepsets_linear as deepsets_linear,
    deepsets_pool as deepsets_pool,
    exchangeable_linear as exchangeable_linear,
    present as present,
    set_mean as set_mean,
)
