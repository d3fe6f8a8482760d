"""Progress in real time, with a real Red."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.e2e.town import Town


@pytest.mark.long
async def test_a_real_run_of_twelve_seconds_shows_one_line_and_a_short_one_none(
    town: Town,
) -> None:
    """In real time, with a real Red."""
    room = town.discord.add_channel(town.guild, "seconds")
    seen: list[str] = []
    me = str(town.discord.bot_user.id)

    def hear(news: Any) -> None:
        if news.name == "MESSAGE_CREATE" and news.data["author"]["id"] == me:
            seen.append(news.data["content"])

    town.discord.world.listeners.append(hear)
    short = town.discord.say(town.ada, room, f"{town.mention} [[sleep:4]][[say:short]]")
    await town.ended(short)
    assert seen == ["short"]
    seen.clear()
    slow = town.discord.say(town.ada, room, f"{town.mention} [[sleep:12]][[say:long]]")
    await town.ended(slow)
    town.discord.world.listeners.remove(hear)
    first, last = seen
    assert first.startswith("🚀 Starting work... (react 🛑 to stop)")
    assert last == "long"
    await town.discord.wait_for(
        lambda: [one.content for one in town.bot_messages(room)] == ["short", "long"] or None
    )
