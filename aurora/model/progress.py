"""Progress: what people may see of a run while it lasts; ids and names of tools, no content."""

from __future__ import annotations

from typing import Literal, NamedTuple

THINKING, WRITING, UNKNOWN_TOOL = "thinking", "writing", "tool"
"""What an agent does when it uses no tool, and when it uses one that was not on offer."""


class Doing(NamedTuple):
    """One thing an agent does: a tool's name or one of those above, and which channel it is about.

    `end` says how it ended; it goes on while that is empty.
    """

    what: str
    channel_id: int | None = None
    end: Literal["", "done", "error"] = ""


class Progress(NamedTuple):
    """What a progress line tells: `since` when (seconds since the epoch), and what is done now.

    Nothing is done yet while `doing` is None. `calls` are the tools that were called, oldest
    first; `turn` of at most `most` turns of the model. Of who waits it tells how many are `ahead`.
    """

    since: float
    doing: Doing | None = None
    calls: tuple[Doing, ...] = ()
    turn: int = 0
    most: int = 0
    ahead: int | None = None
