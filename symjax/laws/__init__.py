"""What a function promises, and the one checker that measures it."""

from symjax.laws.causality import Causality
from symjax.laws.equivariance import Equivariance
from symjax.laws.intertwining import Intertwining
from symjax.laws.law import Entry, Law, Report, check
from symjax.laws.probe import random_params

__all__ = ["Causality", "Entry", "Equivariance", "Intertwining", "Law", "Report", "check", "random_params"]
