"""Layers on any representations of any matrix group."""

from symjax.layers.matrix.bilinear import (
    Bilinear as Bilinear,
    bilinear as bilinear,
    bilinear_maps as bilinear_maps,
    bilinear_paths as bilinear_paths,
    initial_deviations as initial_deviations,
)
from symjax.layers.matrix.equivariant import (
    EquivariantLinear as EquivariantLinear,
    equivariant_linear as equivariant_linear,
    require_maps as require_maps,
)
from symjax.layers.matrix.gated import (
    Gated as Gated,
    Pointwise as Pointwise,
    gate_places as gate_places,
    gated as gated,
    gated_rep as gated_rep,
)
from symjax.layers.matrix.restriction import induce_linear as induce_linear, restrict_linear as restrict_linear
from symjax.layers.matrix.standardise import (
    Standard as Standard,
    Standardise as Standardise,
    fit_standard as fit_standard,
    restore as restore,
    standardise as standardise,
)
