"""Which message a person means, by its id or by a link to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from aurora.commands.messages import meant

HERE, THERE, GUILD, MESSAGE = (100000000000000000 + number for number in range(4))
LINK = f"discord.com/channels/{GUILD}/{THERE}/{MESSAGE}"


@pytest.fixture
def ctx() -> Any:
    """A command typed somewhere, of a bot whose caches are empty."""
    bot = discord.Client(intents=discord.Intents.none())
    return SimpleNamespace(bot=bot, guild=None, channel=bot.get_partial_messageable(HERE))


@pytest.mark.parametrize(
    ("text", "channel_id"),
    [
        (str(MESSAGE), HERE),
        (f"{THERE}-{MESSAGE}", THERE),
        (f"https://{LINK}", THERE),
        (f"<https://{LINK}>", THERE),
        (f"https://ptb.{LINK}/", THERE),
        (f"https://discord.com/channels/@me/{THERE}/{MESSAGE}", THERE),
    ],
)
async def test_a_message_is_known_by_id_and_link_though_no_cache_has_its_channel(
    ctx: Any, text: str, channel_id: int
) -> None:
    """As that of an archived thread, of an old direct message, or one that was deleted."""
    found = await meant(ctx, text)
    assert found is not None
    assert (found.id, found.channel.id) == (MESSAGE, channel_id)


@pytest.mark.parametrize("text", ["", "all", "123", "9" * 30, f"https://example.com/{MESSAGE}"])
async def test_what_names_no_message_is_none(ctx: Any, text: str) -> None:
    """An answer, not an error."""
    assert await meant(ctx, text) is None
