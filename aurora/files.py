"""What is attached to messages: facts of it, and what was opened of it for one turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NotRequired, TypedDict

_KILO = 1000


class File(TypedDict):
    """A file as Discord tells of it; its bytes are fetched when a turn needs them, never kept.

    `message_id` is of the message that it hangs on, or of the one that forwards it. Name and
    `type` are what somebody wrote: what it is shows when it is opened. `seconds` is the length of
    a voice message.
    """

    id: str
    channel_id: str
    message_id: str
    name: str
    size: int
    type: str
    seconds: NotRequired[float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a model gets to see."""

    media_type: str
    # Left out of tracebacks and logs.
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of one file.

    `about` says in words what it is, and what is missing of it. A text file has a `text`; a
    `picture` is there if the model gets to see it. `unseen` is a picture that only the model's
    blindness keeps from it.
    """

    about: str
    text: str | None = field(default=None, repr=False)
    picture: Picture | None = None
    unseen: bool = False


class Attachment(NamedTuple):
    """A file of a turn, opened: its name, which message it hangs on, and what came of it."""

    file: File
    whose: Literal["current", "earlier", "chain"]
    opened: Opened


def in_units(size: float) -> str:
    """Write a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if size < _KILO:
            return f"{size:.0f} {unit}"
        size /= _KILO
    return f"{size:.1f} GB"
