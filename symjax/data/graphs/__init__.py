"""Graphs with labels on their nodes or on themselves: from files, from molecules, from models with known answers."""

from symjax.data.graphs.block_models import BlockModel as BlockModel
from symjax.data.graphs.edge_lists import read_edge_list as read_edge_list
from symjax.data.graphs.graphs import (
    GraphData as GraphData,
    both_ways as both_ways,
    label_graphs as label_graphs,
    make_graphs as make_graphs,
    read_graphs as read_graphs,
    rows_to_one as rows_to_one,
    sparse_features as sparse_features,
    warn_one_way as warn_one_way,
)
from symjax.data.graphs.known_graphs import (
    SKIPS as SKIPS,
    circulant as circulant,
    from_networkx as from_networkx,
    hexagon as hexagon,
    karate_club as karate_club,
    laplacian_features as laplacian_features,
    rook as rook,
    shrikhande as shrikhande,
    two_triangles as two_triangles,
    walk_features as walk_features,
)
