"""What a law needs from a representation: the action of a group element on data."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Rep(Protocol):
    """A frozen, hashable description of an action, equal by content."""

    def act(self, g: Any, x: Any) -> Any:
        """Return x moved by g, with the same structure, shapes and dtypes."""
        ...
