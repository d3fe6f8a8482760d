"""What is told of: steps of events, changes of memory, what nobody looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Change(NamedTuple):
    """A step in an event's life, told to whoever watches (dispatched as `aurora_event`).

    `step` is "queued", "running", "tool", "retrying" or a final state; `detail` is a reason, a
    tool name or a count, never message content. `id` (`evt_` and a UUIDv7) is made once; `cause`
    is the id of the change before it in the same life. `attempt` counts the turn's attempts so
    far. It is a tuple because a busy bot makes thousands a second, and in the order of its row.
    """

    event_id: str
    message_id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    lane: str
    step: str
    at: float
    detail: str = ""
    id: str = ""
    cause: str | None = None
    agent_id: str | None = None
    turn_id: str | None = None
    attempt: int = 0


class Unread(NamedTuple):
    """Messages that nobody looked at: a channel, and from when to when (seconds since 1970)."""

    guild_id: int | None
    channel_id: int
    since: float
    until: float


class MemoryChange(NamedTuple):
    """One change of a file in an agent's memory, without a word of what stands in it.

    `channel_id` and `guild_id` say in which place it was written, None where that is not known.
    `version` is the server's name for the memory after the change, empty until that is known.
    `at` is in seconds since the epoch, `length` in characters.
    """

    agent_id: str
    path: str
    act: Literal["write", "delete", "undo"]
    author_id: int | None
    channel_id: int | None
    guild_id: int | None
    turn_id: str
    at: float
    length: int
    version: str = ""
    number: int = 0
