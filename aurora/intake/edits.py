"""Edits: a message that its author has completed still counts, one from long ago does not."""

from __future__ import annotations

import discord

from ..ids import written_at
from .bot_turns import is_person

EDITED_SECONDS = 120.0
"""How long after it was written a message can begin to address the bot."""
_OLD_SECONDS = 600.0


def is_completed(message: discord.Message, now: float) -> bool:
    """Tell whether a person has just edited what they had just written.

    `now` is in seconds since 1970. To pin a message from long ago is an edit, too, and leaves the
    time of the last real one; that machines' clocks differ must not let it pass.
    """
    if message.edited_at is None or not is_person(message):
        return False
    written = written_at(message.id)
    took = message.edited_at.timestamp() - written
    return took <= EDITED_SECONDS and now - written <= _OLD_SECONDS
