"""Groups of matrices by name: orthogonal, classical, Lorentz and finite ones, and motions of space."""

from symjax.groups.matrices.classical import GL as GL, SL as SL, SU as SU, Scaling as Scaling, Sp as Sp, U as U
from symjax.groups.matrices.embed import DkeR3 as DkeR3, Embed as Embed, O2eR3 as O2eR3, SO2eR3 as SO2eR3
from symjax.groups.matrices.euclidean import (
    SE as SE,
    SO as SO,
    E as E,
    Motion as Motion,
    O as O,
    Translations as Translations,
)
from symjax.groups.matrices.finite import (
    C as C,
    D as D,
    Parity as Parity,
    TimeReversal as TimeReversal,
    Trivial as Trivial,
)
from symjax.groups.matrices.lorentz import (
    O11 as O11,
    O13 as O13,
    SL2C as SL2C,
    SO11 as SO11,
    SO13 as SO13,
    SO11p as SO11p,
    SO13p as SO13p,
)
