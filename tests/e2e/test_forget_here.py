"""`[p]aurora forget here`, through a real Red."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, User
from doubles.quick_app_server import Plan
from tests.support.e2e.pages import answer_question
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import mention

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


async def conversation(town: QuickTown, place: Channel) -> str | None:
    """Return which conversation a place has now."""
    store = town.cog.services.store
    known: str | None = await store.conversation(town.agent_id, f"channel:{place.id}")
    return known


async def forget_here(town: QuickTown, place: Channel, *, author: User | None = None) -> str:
    """Give the command there, say yes, and return what is said then."""
    return await answer_question(town, "aurora forget here", "Yes", author=author, channel=place)


async def test_the_next_message_begins_a_new_conversation(town: QuickTown) -> None:
    """The old one is put away at the agent's server."""
    room = town.discord.add_channel(town.guild, "room")
    await town.ended(mention(town, "hello", room))
    before, archived = await conversation(town, room), town.quick.archived
    said = await forget_here(town, room)
    assert "begins a new conversation" in said
    assert town.quick.archived == archived + 1
    await town.ended(mention(town, "hello again", room))
    assert await conversation(town, room) not in (None, before)


async def test_where_nothing_was_said_that_is_said(town: QuickTown) -> None:
    """Nothing is opened for it."""
    room = town.discord.add_channel(town.guild, "room")
    said = await forget_here(town, room)
    assert "nothing to forget" in said


async def test_a_message_that_is_being_answered_gets_its_answer(town: QuickTown) -> None:
    """In the old conversation, which goes when it is over."""
    room, archived = town.discord.add_channel(town.guild, "room"), town.quick.archived
    town.quick.script = lambda _text: Plan("Here you are.", delay=1.0)
    message = mention(town, "hello", room)
    await town.discord.wait_for(lambda: town.quick.busy)
    said = await forget_here(town, room)
    assert "being answered just now" in said
    assert (await town.ended(message)).step == "answered"
    town.quick.script = lambda _text: Plan("Hello.")
    await town.discord.wait_for(lambda: town.quick.archived > archived)
    assert await conversation(town, room) is None


async def test_in_direct_messages_it_is_anybodys_own(town: QuickTown) -> None:
    """In a server it is not."""
    await town.command(f"aurora config dm agent {town.agent_id}")
    dm = town.discord.open_dm(town.bo)
    await town.ended(town.discord.say(town.bo, dm, "hello"))
    assert await conversation(town, dm) is not None
    said = await forget_here(town, dm, author=town.bo)
    assert "begins a new conversation" in said
    assert await conversation(town, dm) is None
