"""Bots that may ask: how often they were answered since a person wrote, so that no loop lasts."""

from __future__ import annotations

import discord


class BotTurns:
    """Counts, by channel, what bots and webhooks were given since the last message of a person."""

    def __init__(self) -> None:
        self._given: dict[int, int] = {}

    def heard(self, message: discord.Message) -> None:
        """Begin anew where a person writes; this is called for every message of every guild."""
        if self._given and is_person(message):
            self._given.pop(message.channel.id, None)

    def took(self, message: discord.Message) -> None:
        """Count a message that was accepted."""
        if not is_person(message):
            self._given[message.channel.id] = self.given(message.channel.id) + 1

    def given(self, channel_id: int) -> int:
        """Return how often bots were answered in a channel since a person wrote."""
        return self._given.get(channel_id, 0)


def is_person(message: discord.Message) -> bool:
    """Tell whether a person wrote a message."""
    author = message.author
    # A webhook's user is no bot to discord.py unless Discord says so.
    return not (author.bot or author.system or message.webhook_id is not None)
