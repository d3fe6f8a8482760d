"""Questions that an agent asks back, and the buttons under them."""

from __future__ import annotations

import discord

from ..model import ASKED

MOST_OPTIONS, OPTION_CHARS = 4, 80
"""How many answers a question offers, and how long each may be: a button takes no more."""


def question_key(fingerprint: str) -> str:
    """Return under which key a question is recorded; a turn has one."""
    return f"{ASKED}{fingerprint}"


def options_of(message: discord.Message) -> list[str]:
    """Return what the buttons under a message say, in order."""
    rows = [one for one in message.components if isinstance(one, discord.ActionRow)]
    buttons = [one for row in rows for one in row.children if isinstance(one, discord.Button)]
    return [one.label or "" for one in buttons]
