"""A lane that is held while something else happens."""

from __future__ import annotations

import asyncio

from doubles.llm import Step
from doubles.local_discord import Channel, Message, User
from tests.support.e2e.seen import mention, reached
from tests.support.e2e.town import Town


class Hold:
    """A run that holds its lane until `go`, and a message that waits behind it."""

    def __init__(self, waiting: Message, first: Message, gate: asyncio.Event) -> None:
        self.waiting = waiting
        self.first = first
        self.go = gate.set


async def hold(
    town: Town, channel: Channel | None = None, *, text: str = "", author: User | None = None
) -> Hold:
    """Let a message run without end in a channel, and another wait behind it."""
    place = channel or town.general
    gate, name = asyncio.Event(), f"hold {place.id}"
    town.llm.script(name, Step(gate=gate, text="held"))
    first = mention(town, name, place)
    await reached(town, first, "running")
    words = f"{town.mention} {text or '[[say:waited]]'}"
    waiting = town.discord.say(author or town.ada, place, words)
    await reached(town, waiting, "queued")
    return Hold(waiting, first, gate)
