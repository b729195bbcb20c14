"""Bases of equivariant maps, each in the form that its solver finds, in tiles, and on disk."""

from symjax.solver.bases.basis import (
    Basis as Basis,
    DenseBasis as DenseBasis,
    Factored as Factored,
    FoldedBasis as FoldedBasis,
    OrbitBasis as OrbitBasis,
    Unsolved as Unsolved,
    cast as cast,
    in_full as in_full,
)
from symjax.solver.bases.irreps_basis import IsotypicBasis as IsotypicBasis, Split as Split
from symjax.solver.bases.store import load_basis as load_basis, save_basis as save_basis, stored_path as stored_path
from symjax.solver.bases.tiles import Tile as Tile, TiledBasis as TiledBasis
