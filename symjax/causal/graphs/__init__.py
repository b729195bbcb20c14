"""Graphs of causes with hidden common causes: their value, their formats, and what they imply of data."""

from symjax.causal.graphs.admg import ADMG as ADMG, Path as Path, nearest as nearest
from symjax.causal.graphs.draw import draw_graph as draw_graph
from symjax.causal.graphs.formats import (
    read_graph as read_graph,
    to_matrix as to_matrix,
    to_networkx as to_networkx,
    write_graph as write_graph,
)
from symjax.causal.graphs.implications import (
    Independence as Independence,
    Tested as Tested,
    implied_independencies as implied_independencies,
    test_independencies as test_independencies,
)
from symjax.causal.graphs.sketch import Drawn as Drawn
