"""What a law needs from a group: elements of every component, and a name that compares by content."""

import dataclasses
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Key


@runtime_checkable
class Group(Protocol):
    """A frozen, hashable description of a group, equal by content."""

    @property
    def components(self) -> int:
        """The number of parts that a path of small moves cannot leave: 2 where there are reflections, else 1."""
        ...

    def sample(self, key: Key[Array, ""], component: int = 0) -> Any:
        """Return a random element of one component; component 0 holds the identity."""
        ...


def positional_repr(self: Any) -> str:
    """Show a dataclass as the call that makes it, without the names of its fields: `O(3)`."""
    values = (repr(getattr(self, field.name)) for field in dataclasses.fields(self))
    return f"{type(self).__name__}({', '.join(values)})"
