"""Cases of layers on sequences."""

from symjax.layers.sequence import CausalConvolution
from tests.cases.inputs import series

CASES = {
    "CausalConvolution": lambda: (CausalConvolution(3, width=2, dilation=2), series(7)),
}
