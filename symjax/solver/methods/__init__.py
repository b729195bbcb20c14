"""The methods that find a basis, or say why they do not apply."""

from symjax.solver.methods.constraints import moves as moves
from symjax.solver.methods.decompose import Irrep as Irrep
from symjax.solver.methods.invariant_theory import set_partitions as set_partitions
from symjax.solver.methods.isotypic import (
    SharedIrrep as SharedIrrep,
    irreps_of as irreps_of,
    shared_irreps as shared_irreps,
)
