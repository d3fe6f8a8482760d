"""A model's provider that limits its agent: people, owner and status say so, and all are answered.

The waits are the real ones: what a test shortens there it can not show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.errors import LIMITED
from doubles.local_discord import Message
from doubles.quick_app_server import Plan
from tests.support.e2e.ledgers import ANSWER, Blame, ask_in_room, blame
from tests.support.e2e.pages import page
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import end_of, owner_reads
from tests.support.house import ROOT


@pytest.fixture
async def limited_town(tmp_path: Path) -> AsyncIterator[QuickTown]:
    """A town whose model's provider asks for patience, for ever, and is given it."""
    async with open_quick_town(tmp_path) as town:
        town.cog.services.breakers.limited_pauses = LIMITED
        town.quick.script = lambda _text: Plan(error="429: {}")
        yield town


def notices(town: QuickTown, message: Message) -> list[str]:
    """Return what the bot wrote in the channel of a message, but for the answer."""
    said = [one.content for one in town.bot_messages(message.channel)]
    return [text for text in said if text != ANSWER]


async def test_a_provider_that_limits_is_told_once_and_all_are_answered(
    limited_town: QuickTown,
) -> None:
    """After fifteen seconds, in each channel; the breakers of server and agent know nothing."""
    town = limited_town
    asked = [ask_in_room(town) for _ in range(4)]
    await town.discord.wait_for(lambda: all(notices(town, one) for one in asked) or None, 40)
    tried = town.quick.inputs
    assert tried <= 8
    assert blame(town) == Blame(0, 0)
    late = ask_in_room(town)
    await town.discord.wait_for(lambda: notices(town, late) or None)
    assert town.quick.inputs <= tried + 1
    assert "provider limits it" in await page(town, "aurora events status")
    (alert,) = await owner_reads(town)
    assert f"The model's provider limits the agent `{town.agent_id}`" in alert
    town.quick.script = lambda _text: Plan(ANSWER)
    for message in (*asked, late):
        await town.ended(message, 60)
        assert (await end_of(town, message))[0] == "answered"
    assert [len(notices(town, one)) for one in (*asked, late)] == [1] * 5
    assert all("asked for too much" in notices(town, one)[0] for one in (*asked, late))


async def test_an_unload_in_an_outage_ends_at_once_and_leaves_nothing(
    limited_town: QuickTown,
) -> None:
    """Whatever was waited for: a ping, the end of a limit, the moment to tell of it."""
    town = limited_town
    ask_in_room(town)
    breakers = town.cog.services.breakers
    await town.discord.wait_for(lambda: breakers.is_limited(town.agent_id), 20)
    for _ in range(5):
        breakers.server.acquire().failure()
    await asyncio.sleep(0)  # both waits have begun
    # Work that is given its grace would take longer.
    town.cog.services.grace = 60.0
    assert "unloaded" in await town.command("unload aurora")
    code = str(ROOT / "aurora")
    assert [one for one in asyncio.all_tasks() if code in str(one.get_coro())] == []
