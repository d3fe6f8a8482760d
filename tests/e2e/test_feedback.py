"""👍 and 👎 at answers, through a real Red: what they change, and what the agent reads of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Message
from doubles.quick_app_server import Plan
from tests.support.e2e.pages import page
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import mention

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


async def confidence(town: QuickTown, room: Channel) -> int:
    """Return the confidence in the agent there."""
    found: int = await town.cog.services.feedback.confidence(town.agent_id, f"channel:{room.id}")
    return found


async def becomes(town: QuickTown, room: Channel, wanted: int) -> None:
    """Wait until the confidence in the agent is so high."""
    async with asyncio.timeout(20):
        # The ledger tells nobody of its changes.
        while await confidence(town, room) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_who_asked_judges_and_the_agent_reads_it_once(town: QuickTown) -> None:
    """In words, no number; others are shown apart, and what is no answer is not judged."""
    room, prompts = town.discord.add_channel(town.guild, "room"), list[str]()

    def listen(text: str) -> Plan:
        prompts.append(text)
        return Plan("Hello.")

    town.quick.script = listen
    asked = await _ask(town, room)
    (answer,) = town.answers(asked, room)
    town.discord.react(town.ada, answer, "👎")
    town.discord.react(town.bo, answer, "👍")
    town.discord.react(town.ada, asked, "👍")
    await becomes(town, room, 60)
    shown = await page(town, f"aurora runs show {asked.id}", channel=room)
    assert "👎 from who asked" in shown
    assert "others: 👍 1, 👎 0" in shown
    for number in range(2):
        await _ask(town, room)
        told = "did not like your last answer here" in prompts[-1]
        assert told == (number == 0)
    town.discord.unreact(town.ada, answer, "👎")
    await becomes(town, room, 80)


async def _ask(town: QuickTown, room: Channel) -> Message:
    asked = mention(town, "hello", room)
    await town.ended(asked)
    return asked
