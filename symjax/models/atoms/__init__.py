"""Models of atoms: a graph of atoms to irreps features on each of them, one paper a file."""

from symjax.models.atoms.allegro import Allegro as Allegro, allegro_atoms as allegro_atoms
from symjax.models.atoms.dimenet import DimeNetPP as DimeNetPP, dimenet_atoms as dimenet_atoms
from symjax.models.atoms.egnn import InvariantEGNN as InvariantEGNN
from symjax.models.atoms.equiformer import Equiformer as Equiformer
from symjax.models.atoms.equiformer_v2 import EquiformerV2 as EquiformerV2
from symjax.models.atoms.mace import MACE as MACE, mace_atoms as mace_atoms
from symjax.models.atoms.nequip import NequIP as NequIP, nequip_atoms as nequip_atoms
from symjax.models.atoms.painn import PaiNN as PaiNN
from symjax.models.atoms.parts import layered_atoms as layered_atoms
from symjax.models.atoms.schnet import SchNet as SchNet
