"""Arrays in, arrays out: numerically safe building blocks without parameters."""

from symjax.math.arrays import (
    Monomial,
    along_last,
    block_diagonal,
    namespace,
    pick,
    promoted,
    signed_permutation,
    unit_like,
)
from symjax.math.attention import attention, masked_softmax
from symjax.math.dropout import dropout, require_rates
from symjax.math.entropy import cross_entropy
from symjax.math.fourier import excluded, fourier_basis, frequency_shares, of_sum, restricted
from symjax.math.host import double_precision
from symjax.math.memory import require_memory
from symjax.math.odeint import integration_matrix, runge_kutta
from symjax.math.radial import (
    bessel_basis,
    bessel_roots,
    cosine_envelope,
    exp_normal_basis,
    gaussian_basis,
    poly_envelope,
    xplor_envelope,
)
from symjax.math.relations import transitive_closure
from symjax.math.safe import safe_divide, safe_norm, safe_sinc, safe_sqrt
from symjax.math.segment import segment_max, segment_mean, segment_softmax, segment_sum
from symjax.math.spherical import bessel_zeros, spherical_bessel, spherical_bessel_basis
from symjax.math.waiting import patience
from symjax.math.wigner import by_order, frames, require_order, wigner_matrices

__all__ = [
    "Monomial",
    "along_last",
    "attention",
    "bessel_basis",
    "bessel_roots",
    "bessel_zeros",
    "block_diagonal",
    "by_order",
    "cosine_envelope",
    "cross_entropy",
    "double_precision",
    "dropout",
    "excluded",
    "exp_normal_basis",
    "fourier_basis",
    "frames",
    "frequency_shares",
    "gaussian_basis",
    "integration_matrix",
    "masked_softmax",
    "namespace",
    "of_sum",
    "patience",
    "pick",
    "poly_envelope",
    "promoted",
    "require_memory",
    "require_order",
    "require_rates",
    "restricted",
    "runge_kutta",
    "safe_divide",
    "safe_norm",
    "safe_sinc",
    "safe_sqrt",
    "segment_max",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
    "signed_permutation",
    "spherical_bessel",
    "spherical_bessel_basis",
    "transitive_closure",
    "unit_like",
    "wigner_matrices",
    "xplor_envelope",
]
