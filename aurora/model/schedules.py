"""Schedules: when an agent is woken, and what for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Paused = Literal["", "by hand", "fails", "not allowed"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task that an agent is given in a channel at times that nobody asks anew.

    Times are seconds since the epoch. `when` is written as `runs/times.py` keeps it, `due` the
    next time, None if there is none. With `always` the agent is woken though nobody wrote in the
    channel since it was woken last, at `woken_at`; `unsettled` until it is known what came of
    that. `failures` counts those in a row. `paused` says why it is paused, and is empty if it is
    not. `posted` counts what came of it on `posted_on`, a day by the clocks of the guild.
    """

    guild_id: int
    channel_id: int
    author_id: int
    when: str
    # Left out of tracebacks and logs: it is what somebody wrote.
    prompt: str = field(repr=False)
    due: float | None
    always: bool = False
    id: int = 0
    woken_at: float | None = None
    unsettled: bool = False
    failures: int = 0
    paused: Paused = ""
    posted: int = 0
    posted_on: str = ""
