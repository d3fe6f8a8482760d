"""What is sent for an event, and what of it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

ASIDE = ("notice", "progress")
"""By whom that is sent which is no answer, and forbids no other run."""
ASKED = "ask:"
"""How the key begins of a send by which the agent asks back."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A poll to be made: for how many `hours`, and whether one may choose several answers."""

    question: str = field(repr=False)
    answers: tuple[str, ...] = field(repr=False)
    hours: int
    multiple: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """What a send is to say, for as long as that is not all out.

    With a file its `name` and `content`, or its poll, or the `options` of a question. `room` is
    how many messages it may become.
    `voids` are the keys of the sends that need not get out any more if this one does: the agent
    made it knowing that they had not.
    """

    text: str = field(repr=False)
    name: str = field(default="", repr=False)
    content: str = field(default="", repr=False)
    ballot: Ballot | None = None
    room: int | None = None
    voids: tuple[str, ...] = ()
    options: tuple[str, ...] = field(default=(), repr=False)


class Send(NamedTuple):
    """One visible thing a run did: what was sent where, so that it is never done twice.

    `text_hash` keeps the text as it was sent (its first part, if it was split) recognisable
    without keeping it, as `chat/fingerprints.py` has it. `kind` is "message" or "reaction" (then
    the hash is of the emoji and `reply_to` the message reacted to), an "edit" of the message
    `reply_to`, or a "thread" that begins with it. `message_ids` is empty while
    the send is under way, and more than one when a long text was split. `by` tells the agent's
    send ("tool"; "mcp" if by a tool of its own, past Aurora) from Aurora's delivery of its text
    ("delivery"), and from what is no answer: a "notice" to the person, and a line that tells of
    "progress". An `interim` send is not meant for the answer; others are full ones. `length` is
    that of its text, in characters.
    """

    key: str
    kind: Literal["message", "reaction", "edit", "thread"]
    by: Literal["tool", "mcp", "delivery", "notice", "progress"]
    channel_id: int
    text_hash: str
    reply_to: int | None = None
    message_ids: tuple[int, ...] = ()
    interim: bool = False
    length: int = 0
    owed: Owed | None = None

    @property
    def aside(self) -> bool:
        """Tell whether it is Aurora's own word about the run, which counts nowhere."""
        return self.by in ASIDE

    @property
    def asks(self) -> bool:
        """Tell whether the agent asks back by it."""
        return self.key.startswith(ASKED)


class Said(NamedTuple):
    """What an agent wrote in a run and did not send: after its last send and what it read last.

    `earlier` is the last text before that, if nothing was sent where it was asked. `went_on` says
    that it wrote or called anything after its last send there.
    """

    texts: tuple[str, ...] = ()
    earlier: str = ""
    went_on: bool = False


class Offer(NamedTuple):
    """A text that is posted in another place if its asker, the `author_id`, presses a button.

    Until `expires_at`, in seconds since the epoch.
    """

    id: str
    event_id: str
    author_id: int
    channel_id: int
    text: str
    expires_at: float


class Sent(NamedTuple):
    """Where a message of the bot's comes from: the event and turn it was sent for, its part."""

    event_id: str
    turn_id: str | None
    part: int


class Trace(StrEnum):
    """What of a turn is to be seen in Discord; of several the first that applies."""

    ANSWER = "answer"
    QUESTION = "question"  # the agent has asked back, which is its answer
    LATER = "later"  # nobody can look now, or what is owed can't be sent now
    DOUBT = "doubt"  # something was sent, and whether it arrived can't be found out
    INTERIM = "interim"  # only what is no answer: a first word, a reaction, a message elsewhere
    END = "end"  # the person was told that there will be no answer
    NOTHING = "nothing"
