"""What every store keeps of what a run shows: its steps, and the line that tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..model import Event, Send, Step


class Line(NamedTuple):
    """A progress line that may be in Discord, and the event that it tells of."""

    event: Event
    send: Send


class RunLog(Protocol):
    """The steps of turns, and what was shown of them and is not known to be gone."""

    async def note_step(self, step: Step) -> None:
        """Note a step, which is kept with what is asked for next; of no turn that is not known.

        Nobody waits for it, and it takes no commit: a kill may lose the last ones.
        """
        ...

    async def steps(self, turn_id: str) -> Sequence[Step]:
        """Return the steps of a turn, in their order, with those that were only noted."""
        ...

    async def lines(self) -> Sequence[Line]:
        """Return all progress lines that are recorded, with their events and no contexts."""
        ...

    async def drop_line(
        self, event: Event, key: str, notice: Send | None = None, *, lazily: bool = False
    ) -> None:
        """Forget a progress line that is gone, or has become the notice that is given."""
        ...
