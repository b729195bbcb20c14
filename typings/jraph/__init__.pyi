"""What a type checker should believe of jraph: the fields of a graph are any pytrees, in numpy or jax."""

from typing import Any, NamedTuple

class GraphsTuple(NamedTuple):
    nodes: Any
    edges: Any
    receivers: Any
    senders: Any
    globals: Any
    n_node: Any
    n_edge: Any

def __getattr__(name: str) -> Any: ...
