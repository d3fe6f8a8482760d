"""`/ask`, its typed forms and the menu of a message, through a real Red."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Message, Overwrite, permissions
from doubles.local_discord.interactions import Interaction
from doubles.quick_app_server import Plan
from tests.support.e2e.hands import register
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.town import FINAL

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, as each question has a channel of its own."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as opened:
        await register(opened)
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def room(town: QuickTown, request: pytest.FixtureRequest) -> Channel:
    """A channel of the test's own, and an agent that knows the answer."""
    town.quick.script = lambda _text: Plan("Forty-two.")
    made = town.discord.add_channel(town.guild, request.node.name[:30])
    await town.discord.wait_for(lambda: town.red.bot.get_channel(made.id))
    return made


def ask(town: QuickTown, room: Channel, **more: Any) -> Interaction:
    """Have Bo use `/ask`."""
    return town.discord.slash(town.bo, room, "ask", {"question": "What is it?", **more})


async def shown(town: QuickTown, asked: Interaction) -> Message:
    """Wait until the question stands in public, and return it."""
    found = await town.discord.wait_for(lambda: asked.response, 10.0)
    assert isinstance(found, Message)
    return found


async def ended(town: QuickTown, number: int) -> str:
    """Wait for the end of a question, and return its state."""

    def last() -> str | None:
        mine = [one.step for one in town.changes if one.message_id == number]
        return mine[-1] if mine and mine[-1] in FINAL else None

    return await town.discord.wait_for(last, 20.0)


async def test_a_question_stands_in_public_and_is_answered_there(
    town: QuickTown, room: Channel
) -> None:
    """The answer replies to it and calls who asked, once; pings in a question call nobody."""
    asked = ask(town, room, question="@everyone, what is it?")
    anchor = await shown(town, asked)
    assert anchor.content.startswith(f"<@{town.bo.id}> asks:\n> @everyone, what is it?\n-# ✓ Task")
    assert (anchor.mentions, anchor.mention_everyone) == ([], False)
    assert anchor.ephemeral_for is None
    assert await ended(town, asked.id) == "answered"
    (answer,) = town.answers(anchor, room)
    assert answer.content == f"<@{town.bo.id}> Forty-two."
    assert [one.id for one in answer.mentions] == [town.bo.id]


async def test_who_asks_is_answered_at_once_while_the_agent_is_away(
    town: QuickTown, room: Channel
) -> None:
    """The question is safe, and everybody sees that it was asked."""
    await town.quick.stop()
    try:
        # Others have the machine meanwhile; what counts is what is done before the answer.
        begun, computed = time.monotonic(), time.thread_time()
        asked = ask(town, room)
        await shown(town, asked)
        assert time.thread_time() - computed < 0.5
        assert time.monotonic() - begun < 3.0, "Discord waits no longer"
    finally:
        await town.quick.start()
        town.cog.services.breakers.reset()
        town.cog.services.queue.reconsider()
    assert await ended(town, asked.id) == "answered"


async def test_where_the_bot_may_not_write_nothing_is_kept(town: QuickTown, room: Channel) -> None:
    """Who asks there is told so, and nobody else."""
    mute = Overwrite.of(town.discord.bot_user, deny=permissions.SEND_MESSAGES)
    town.discord.world.set_overwrites(room, (mute,))
    channel: Any = town.red.bot.get_channel(room.id)
    await town.discord.wait_for(
        lambda: not channel.permissions_for(channel.guild.me).send_messages or None
    )
    asked = ask(town, room)
    said = await shown(town, asked)
    assert said.ephemeral_for == town.bo.id
    assert "can't answer here" in said.content
    assert await town.cog.services.store.find(asked.id) is None


async def test_who_may_not_ask_is_told_so_alone(town: QuickTown, room: Channel) -> None:
    """Rights are those of the person."""
    settings = town.cog.services.settings
    await settings.set_guild(town.guild.id, users_denied=[town.bo.id])
    asked = ask(town, room)
    said = await shown(town, asked)
    await settings.set_guild(town.guild.id, users_denied=[])
    assert said.ephemeral_for == town.bo.id
    assert town.bot_messages(room) == [said]


async def test_a_thread_of_its_own_has_a_conversation_of_its_own(
    town: QuickTown, room: Channel
) -> None:
    """Who asked is called there when it is done; it may take five minutes."""
    asked = ask(town, room, where="thread")
    anchor = await shown(town, asked)
    assert await ended(town, asked.id) == "answered"
    event = await town.cog.services.store.find(asked.id)
    assert event.channel_id != room.id
    assert f"<#{event.channel_id}>" in anchor.content
    thread = town.guild.threads[event.channel_id]
    question, answer = town.bot_messages(thread)
    assert "What is it?" in question.content
    assert (answer.reference, answer.content) == (question.id, f"<@{town.bo.id}> Forty-two.")
    assert thread.thread is not None
    assert town.bo.id in thread.thread.members


async def test_a_message_is_asked_about_by_its_menu(town: QuickTown, room: Channel) -> None:
    """With a question or without; the agent reads the message."""
    prompts: list[str] = []

    def listen(text: str) -> Plan:
        prompts.append(text)
        return Plan("Forty-two.")

    town.quick.script = listen
    about = town.discord.say(town.ada, room, "the answer to everything")
    for typed, question in (("How much?", "How much?"), ("", "What do you say to this?")):
        menu = town.discord.menu(town.bo, about, "Ask Aurora about this")
        await town.discord.wait_for(partial(getattr, menu, "modal"))
        sent = town.discord.submit_modal(town.bo, menu, {"Your question, if you have one": typed})
        anchor = await shown(town, sent)
        assert f"> {question}" in anchor.content
        assert await ended(town, sent.id) == "answered"
        assert question in prompts[-1]
        assert "the answer to everything" in prompts[-1]


@pytest.mark.parametrize(
    "form", ["aurora ask What is it?", "aurora run agent {agent} What is it?"]
)
async def test_a_question_can_be_typed(town: QuickTown, room: Channel, form: str) -> None:
    """The command's message is answered."""
    typed = town.discord.say(town.bo, room, "!" + form.format(agent=town.agent_id))
    assert await ended(town, typed.id) == "answered"
    started, answer = sorted(town.bot_messages(room), key=lambda one: "Forty" in one.content)
    assert started.content.startswith("✓ Task started: `task-")
    assert (answer.content, answer.reference) == ("Forty-two.", typed.id)


async def test_an_agent_of_another_name_is_refused(town: QuickTown, room: Channel) -> None:
    """Nobody else answers in its name."""
    said = await town.command("aurora run agent nobody What is it?", author=town.bo, channel=room)
    assert "`nobody` does not answer here" in said


async def test_a_retry_reads_the_question_where_it_stands(town: QuickTown, room: Channel) -> None:
    """The ledger has forgotten it with the end."""
    prompts: list[str] = []

    def answer(text: str) -> Plan:
        prompts.append(text)
        return Plan("Forty-two.")

    town.quick.script = lambda _text: Plan(error="500: {}")
    asked = ask(town, room, question="What is it?\nReally?")
    anchor = await shown(town, asked)
    assert await ended(town, asked.id) == "failed"
    before = len(town.changes)
    town.quick.script = answer
    event = await town.cog.services.store.find(asked.id)
    await town.cog.services.retries.retry(event)
    await town.discord.wait_for(lambda: prompts or None)
    await town.discord.wait_for(
        lambda: [one for one in town.changes[before:] if one.step == "answered"] or None
    )
    assert "What is it?\nReally?" in prompts[-1]
    assert any("Forty-two." in one.content for one in town.answers(anchor, room))


async def test_an_anchor_that_a_dead_process_left_is_found(town: QuickTown, room: Channel) -> None:
    """Killed between showing the question and keeping which message shows it."""
    services = town.cog.services
    town.quick.script = lambda _text: Plan("Forty-two.", delay=0.3)
    await services.pauses.begin(town.guild.id)
    asked = ask(town, room)
    anchor = await shown(town, asked)
    event = services.queue.find(asked.id)
    event.anchor_id = None
    services.intake.asking._anchored.clear()
    await services.asks.find_anchors()
    assert event.anchor_id == anchor.id
    await services.pauses.end(town.guild.id)
    assert await ended(town, asked.id) == "answered"
    assert len(town.answers(anchor, room)) == 1


async def test_who_is_chosen_answers_and_several_are_compared(
    town: QuickTown, room: Channel
) -> None:
    """By the names that are offered while one types; the glass is the owner's."""
    dba = await town.quick.create_agent("dba")
    await town.command(f"aurora agents role dba {dba} databases")
    typed = town.discord.autocomplete(
        town.bo, room, "ask", {"question": "What is it?", "agent": "default, d"}, focused="agent"
    )
    offered = await town.discord.wait_for(lambda: typed.choices)
    assert [one["value"] for one in offered] == ["default,dba"]
    asked = ask(town, room, agent="dba")
    await shown(town, asked)
    assert await ended(town, asked.id) == "answered"
    event = await town.cog.services.store.find(asked.id)
    assert (await town.cog.services.store.turn(event.turn_id)).agent_id == dba
    said = town.bot_messages(room)[-1]
    replied = town.discord.say(town.bo, room, "Are you sure?", reply_to=said)
    await town.ended(replied)
    event = await town.cog.services.store.find(replied.id)
    assert (await town.cog.services.store.turn(event.turn_id)).agent_id == dba
    inputs = town.quick.inputs
    compared = ask(town, room, agent="dba, default", mode="compare")
    await shown(town, compared)
    assert await ended(town, compared.id) == "answered"
    assert town.quick.inputs == inputs + 3
    for wrong, words in (
        ({"agent": "pastry"}, "There is no agent pastry here"),
        ({"breakglass": True}, "Only the bot's owner"),
        ({"mode": "compare", "agent": "dba"}, "nothing to compare"),
    ):
        refused = ask(town, room, **wrong)
        assert words in await town.discord.wait_for(partial(getattr, refused, "content"))
