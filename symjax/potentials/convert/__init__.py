"""Weights that others trained, as potentials of the table."""

from symjax.potentials.convert.checkpoint import read_sevennet as read_sevennet
from symjax.potentials.convert.sevennet import Converted as Converted, convert_sevennet as convert_sevennet
