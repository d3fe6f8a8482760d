"""What the person got to read of a turn, and what follows from it: the table of delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from ..model import Send, Turn

_NARRATION_CHARS, _NARRATION_TIMES = 200, 2
"""Text after a full send tells of that send, unless it is longer than this, and so much longer."""


class Last(StrEnum):
    """What of the agent's came last where it was asked; a reaction only if nothing was written."""

    NOTHING = "nothing"
    REACTION = "reaction"
    INTERIM = "interim"
    FULL = "full send"
    QUESTION = "question"  # it ends the turn: nothing follows it either
    TEXT = "text"  # the rest, as Aurora delivered it: nothing follows that


class Rest(StrEnum):
    """How much the agent wrote after that and did not send."""

    NONE = "none"  # or the word by which an agent chooses to be silent
    SHORT = "short"
    LONG = "long"


class Act(StrEnum):
    """What is done at the end of a run."""

    DELIVER = "deliver"
    DROP = "drop"


TABLE: Mapping[tuple[Last, Rest], Act] = {
    (Last.NOTHING, Rest.NONE): Act.DROP,
    (Last.NOTHING, Rest.SHORT): Act.DELIVER,
    (Last.NOTHING, Rest.LONG): Act.DELIVER,
    (Last.REACTION, Rest.NONE): Act.DROP,
    (Last.REACTION, Rest.SHORT): Act.DELIVER,
    (Last.REACTION, Rest.LONG): Act.DELIVER,
    (Last.INTERIM, Rest.NONE): Act.DROP,
    (Last.INTERIM, Rest.SHORT): Act.DELIVER,
    (Last.INTERIM, Rest.LONG): Act.DELIVER,
    (Last.FULL, Rest.NONE): Act.DROP,
    (Last.FULL, Rest.SHORT): Act.DROP,
    (Last.FULL, Rest.LONG): Act.DELIVER,
    (Last.QUESTION, Rest.NONE): Act.DROP,
    (Last.QUESTION, Rest.SHORT): Act.DROP,
    (Last.QUESTION, Rest.LONG): Act.DROP,
    # It may have stopped halfway; what is all out is not sent again.
    (Last.TEXT, Rest.NONE): Act.DROP,
    (Last.TEXT, Rest.SHORT): Act.DELIVER,
    (Last.TEXT, Rest.LONG): Act.DELIVER,
}
"""What becomes of the rest when a run has come to its end."""


class Seen(NamedTuple):
    """What there is to be seen of a turn: `length` is that of the last text in its place.

    `elsewhere` tells of texts in other places, `acted` of anything at all.
    """

    last: Last = Last.NOTHING
    length: int = 0
    elsewhere: bool = False
    acted: bool = False

    @property
    def answered(self) -> bool:
        """Tell whether it is answered, whatever comes: for a run that does not come to its end."""
        return self.last in (Last.FULL, Last.QUESTION, Last.TEXT)

    def rest(self, text: str) -> Rest:
        """Tell what a text is after this."""
        if not text:
            return Rest.NONE
        # Of a send by an earlier Aurora, and of an agent's own tool, the length may not be known.
        long = self.length > 0 and len(text) > max(
            _NARRATION_CHARS, _NARRATION_TIMES * self.length
        )
        return Rest.LONG if long else Rest.SHORT


def read(sends: Iterable[Send], turn: Turn) -> Seen:
    """Read the record of a turn, oldest send first.

    What has not arrived counts only if it is owed: it will. What is aside counts nowhere.
    """
    seen = Seen()
    for send in sends:
        if send.aside or not (send.message_ids or send.owed):
            continue
        seen = seen._replace(acted=True)
        here = send.channel_id == turn.speaker.channel_id
        if send.kind == "message" and here:
            seen = seen._replace(last=_last(send), length=send.length)
        elif send.kind == "message":
            seen = seen._replace(elsewhere=True)
        elif here and seen.last is Last.NOTHING and _is_to(send, turn):
            seen = seen._replace(last=Last.REACTION)
    return seen


def _is_to(act: Send, turn: Turn) -> bool:
    """Tell whether an act is about what was asked; a reaction to anything else is not."""
    asked = any(act.reply_to == event.replies_to for event in turn.events)
    return asked or act.kind != "reaction"


def _last(send: Send) -> Last:
    if send.by == "delivery":
        return Last.TEXT
    if send.asks:
        return Last.QUESTION
    return Last.INTERIM if send.interim else Last.FULL
