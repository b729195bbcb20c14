"""What a function promises, and the one checker that measures it."""

from symjax.laws.causality import Causality
from symjax.laws.check import check
from symjax.laws.equivariance import Equivariance, Word
from symjax.laws.expectation import Expectation
from symjax.laws.hops import Hops
from symjax.laws.identity import Identity
from symjax.laws.intertwining import Intertwining
from symjax.laws.law import Entry, Failure, Law, Point, Report
from symjax.laws.probe import random_params
from symjax.laws.proof import Proof, prove
from symjax.laws.stationarity import Stationarity

__all__ = [
    "Causality",
    "Entry",
    "Equivariance",
    "Expectation",
    "Failure",
    "Hops",
    "Identity",
    "Intertwining",
    "Law",
    "Point",
    "Proof",
    "Report",
    "Stationarity",
    "Word",
    "check",
    "prove",
    "random_params",
]
