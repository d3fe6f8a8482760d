"""Routes: what a router has said of a message before its agent was asked."""

from __future__ import annotations

from typing import Literal, NamedTuple

Complexity = Literal["simple", "medium", "complex"]


class Route(NamedTuple):
    """By whom a turn is answered, how hard it is, and whether it is answered at all.

    The empty one is that of a turn that nobody has routed, or for which it was unclear.
    """

    role: str = ""
    complexity: Complexity | Literal[""] = ""
    silent: bool = False

    def __str__(self) -> str:
        """Write it as it is kept; nothing for the empty one."""
        words = [f"role={self.role}"] if self.role else []
        words += [self.complexity] if self.complexity else []
        return " ".join([*words, *(["silent"] if self.silent else [])])


NO_ROUTE = Route()
_HOW_HARD: tuple[Complexity, ...] = ("simple", "medium", "complex")


def read_route(kept: str) -> Route:
    """Read a route as it is kept."""
    said = dict(word.partition("=")[::2] for word in kept.split())
    route = Route(said.get("role", ""), silent="silent" in said)
    how_hard = [one for one in _HOW_HARD if one in said]
    return route._replace(complexity=how_hard[0]) if how_hard else route
