"""What every store tells of the runs of one person, and of those that have a short name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..model import Event, State

if TYPE_CHECKING:
    from . import Listed, Where

LOOKED_BACK = 5000
"""How many ended events of a person are looked at; who asked more is told of these."""


class OfAuthor(NamedTuple):
    """What a person asked: the latest, newest first, and how much there is, by state.

    `more` says that they asked more than was looked at, which is not counted.
    """

    latest: Sequence[Listed]
    counts: Mapping[State, int]
    more: bool = False


class RunLists(Protocol):
    """What runs are found by, but for their messages."""

    async def beginning(self, prefix: str) -> Sequence[Event]:
        """Return two at most of the events whose ids begin so, without their contexts."""
        ...

    async def of_author(
        self, author_id: int, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> OfAuthor:
        """Return what a person asked somewhere; the counts are of all states."""
        ...
