"""Short ways to what a discord.py client sees of the town, and to what it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import discord
import pytest

from doubles.local_discord import Channel, Message


def text_channel(client: discord.Client, channel: Channel) -> discord.TextChannel:
    """Return a text channel from the client's cache."""
    found = client.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


def partial(client: discord.Client, message: Message) -> discord.PartialMessage:
    """Return a message as the client can act on it without fetching."""
    guild = message.channel.guild
    place = client.get_partial_messageable(
        message.channel.id, guild_id=None if guild is None else guild.id
    )
    return place.get_partial_message(message.id)


@contextmanager
def refused(
    code: int, kind: type[discord.HTTPException] = discord.HTTPException
) -> Iterator[None]:
    """Expect Discord's error code, raised as one of discord.py's exceptions."""
    with pytest.raises(kind) as caught:
        yield
    assert caught.value.code == code
