"""One paper a file, composed of layers."""

from symjax.models.egnn import EGNN
from symjax.models.nequip import NequIP

__all__ = ["EGNN", "NequIP"]
