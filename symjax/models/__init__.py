"""One paper a file, composed of layers."""

from symjax.models.egnn import EGNN

__all__ = ["EGNN"]
