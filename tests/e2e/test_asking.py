"""What is asked without a message, through a real Red: by a command, a button or a schedule."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from aurora.ids import wake_id
from doubles.local_discord import Channel, Message, User
from doubles.quick_app_server import Plan
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.town import FINAL

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, as each question has a channel of its own."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def room(town: QuickTown, request: pytest.FixtureRequest) -> Channel:
    """A channel of the test's own, and an agent that says hello."""
    town.quick.script = lambda _text: Plan("Hello.")
    made = town.discord.add_channel(town.guild, request.node.name[:30])
    await town.discord.wait_for(lambda: town.red.bot.get_channel(made.id))
    return made


def question(
    town: QuickTown, room: Channel, kind: str, number: int, *, by: User | None = None, **more: Any
) -> Any:
    """Return a question of Ada's, or of somebody else's."""
    asking: Any = sys.modules["aurora.intake.asking"]
    guild = town.red.bot.get_guild(town.guild.id)
    assert guild is not None
    member, channel = guild.get_member((by or town.ada).id), guild.get_channel(room.id)
    return asking.Question(kind, number, member, channel, "What is new?", **more)


def number(town: QuickTown) -> int:
    """Return the id of an interaction of this moment."""
    return town.discord.say(town.ada, town.general, "something").id


def anchor(town: QuickTown, room: Channel) -> Message:
    """Return a message of the bot's that stands for a question."""
    return town.discord.say(town.discord.bot_user, room, "Ada asks: What is new?")


async def submit(town: QuickTown, asked: Any) -> Any:
    """Hand a question in."""
    return await town.cog.services.intake.asking.submit(asked)


def steps(town: QuickTown, asked: int) -> list[str]:
    """Return the steps of a question."""
    return [one.step for one in town.changes if one.message_id == asked]


async def ended(town: QuickTown, asked: int) -> str:
    """Wait for the end of a question, and return its state."""

    def last() -> str | None:
        mine = steps(town, asked)
        return mine[-1] if mine and mine[-1] in FINAL else None

    return await town.discord.wait_for(last, 20.0)


def _always(plan: Plan, _text: str) -> Plan:
    return plan


async def test_the_answer_replies_to_the_anchor_and_calls_the_asker(
    town: QuickTown, room: Channel
) -> None:
    """To reply to a message of the bot's own would call nobody. The same question comes once."""
    stands, asked = anchor(town, room), number(town)
    one = question(town, room, "ask", asked, anchor_id=stands.id)
    event = await submit(town, one)
    assert await submit(town, one) == "duplicate"
    assert await ended(town, asked) == "answered"
    (answer,) = town.answers(stands, room)
    assert answer.content == f"<@{town.ada.id}> Hello."
    assert [one.id for one in answer.mentions] == [town.ada.id]
    assert (await town.cog.services.store.get(event.id)).anchor_id == stands.id


async def test_an_anchor_may_come_later(town: QuickTown, room: Channel) -> None:
    """It is known for what it stands, also to an Aurora after this one."""
    services = town.cog.services
    town.quick.script = lambda _text: Plan("Hello.", delay=0.5)
    asked = number(town)
    event = await submit(town, question(town, room, "ask", asked))
    stands = anchor(town, room)
    await services.intake.asking.anchor(event, stands.id)
    assert await ended(town, asked) == "answered"
    assert len(town.answers(stands, room)) == 1
    sent = await services.store.sent(stands.id)
    assert sent.event_id == event.id
    assert (await services.store.get(event.id)).anchor_id == stands.id


async def test_whose_anchor_is_deleted_is_called_off(town: QuickTown, room: Channel) -> None:
    """As if it were the question itself."""
    town.quick.script = lambda _text: Plan("Hello.", delay=5.0)
    stands, asked = anchor(town, room), number(town)
    await submit(town, question(town, room, "ask", asked, anchor_id=stands.id))
    await town.discord.wait_for(lambda: "running" in steps(town, asked) or None)
    town.discord.delete(stands)
    assert await ended(town, asked) == "cancelled"
    assert town.bot_messages(room) == []


async def test_a_failure_is_told_at_the_anchor(town: QuickTown, room: Channel) -> None:
    """Nobody waits in silence."""
    town.quick.script = lambda _text: Plan(error="500: {}")
    stands, asked = anchor(town, room), number(town)
    await submit(town, question(town, room, "ask", asked, anchor_id=stands.id))
    assert await ended(town, asked) == "failed"
    (notice,) = town.answers(stands, room)
    assert notice.content.startswith(f"<@{town.ada.id}> ")


async def test_nobody_may_ask_for_whom_the_gates_are_shut(town: QuickTown, room: Channel) -> None:
    """Rights are those of who asks, and of the bot."""
    services = town.cog.services
    await services.settings.set_guild(town.guild.id, users_denied=[town.bo.id])
    reason = await submit(town, question(town, room, "ask", number(town), by=town.bo))
    await services.settings.set_guild(town.guild.id, users_denied=[])
    assert reason == "kept_out"


async def test_a_schedule_posts_plainly_or_not_at_all(town: QuickTown, room: Channel) -> None:
    """It has a conversation of its own, replies to nobody and calls nobody."""
    services = town.cog.services
    woken = wake_id(3, time.time())
    await submit(town, question(town, room, "wake", woken))
    assert await ended(town, woken) == "answered"
    (post,) = town.bot_messages(room)
    assert (post.content, post.reference) == ("Hello.", None)
    lane = f"channel:{room.id}:user:schedules"
    assert await services.store.conversation(town.agent_id, lane) is not None
    for plan in (Plan("NO_REPLY"), Plan(error="500: {}")):
        town.quick.script = partial(_always, plan)
        woken += 1 << 22
        await submit(town, question(town, room, "wake", woken))
        assert await ended(town, woken) in ("declined", "failed")
    assert len(town.bot_messages(room)) == 1
