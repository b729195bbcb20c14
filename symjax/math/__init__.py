"""Arrays in, arrays out: numerically safe building blocks without parameters."""

from symjax.math.host import double_precision
from symjax.math.memory import require_memory
from symjax.math.radial import bessel_basis, cosine_envelope, exp_normal_basis, gaussian_basis, poly_envelope
from symjax.math.safe import safe_divide, safe_norm, safe_sinc, safe_sqrt
from symjax.math.segment import segment_max, segment_mean, segment_softmax, segment_sum

__all__ = [
    "bessel_basis",
    "cosine_envelope",
    "double_precision",
    "exp_normal_basis",
    "gaussian_basis",
    "poly_envelope",
    "require_memory",
    "safe_divide",
    "safe_norm",
    "safe_sinc",
    "safe_sqrt",
    "segment_max",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
]
