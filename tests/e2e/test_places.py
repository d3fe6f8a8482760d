"""Where and to whom Aurora answers, and where it keeps quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from doubles.local_discord import (
    FORUM,
    NEWS,
    STAGE,
    TEXT,
    VOICE,
    Channel,
    Message,
    Overwrite,
    permissions,
)
from doubles.local_discord.posting import event_payload
from tests.support.e2e.town import Town


def channel_of(kind: int) -> Callable[[Town], Channel]:
    """Return how to make a channel of a type."""
    return lambda town: town.discord.add_channel(town.guild, "place", type=kind)


def public_thread(town: Town) -> Channel:
    """Start a thread from a message."""
    starter = town.discord.say(town.bo, town.general, "let us talk of this")
    return town.discord.start_thread(town.general, "talk", owner=town.bo, message=starter)


def orphaned_thread(town: Town) -> Channel:
    """Start a thread whose message is then deleted."""
    thread = public_thread(town)
    town.discord.delete(town.general.messages[-1])
    return thread


def private_thread(town: Town) -> Channel:
    """Start a thread by invitation, and invite the bot."""
    thread = town.discord.start_thread(town.general, "guests", owner=town.ada, private=True)
    town.discord.join_thread(thread, town.discord.bot_user)
    return thread


def forum_post(town: Town) -> Channel:
    """Write a post."""
    forum = town.discord.add_channel(town.guild, "forum", type=FORUM)
    return town.discord.start_post(forum, "a question", "how does it go?", author=town.bo)


def revived_thread(town: Town) -> Channel:
    """Start a thread that was archived, and so is in no cache of the bot's."""
    thread = public_thread(town)
    town.discord.archive(thread)
    return thread


PLACES = {
    "text": channel_of(TEXT),
    "announcements": channel_of(NEWS),
    "voice": channel_of(VOICE),
    "stage": channel_of(STAGE),
    "thread": public_thread,
    "orphaned thread": orphaned_thread,
    "private thread": private_thread,
    "forum post": forum_post,
    "archived thread": revived_thread,
}


async def test_a_mention_is_answered_in_every_kind_of_place(town: Town) -> None:
    """The answer is a reply, in that very place."""
    for name, make in PLACES.items():
        channel = make(town)
        message, end = await town.ask("hello", channel=channel)
        assert (end.step, end.detail) == ("answered", "sent"), name
        assert len(town.answers(message, channel)) == 1, name


# -- direct messages


async def test_a_direct_message_is_answered_by_the_dm_agent(town: Town) -> None:
    """Without a mention."""
    await town.command(f"aurora config dm agent {town.agent_id}")
    dm = town.discord.open_dm(town.bo)
    message = town.discord.say(town.bo, dm, "hello")
    assert (await town.ended(message)).step == "answered"
    assert len(town.bot_messages(dm)) == 1


async def test_without_a_dm_agent_a_person_gets_one_explanation_a_day(town: Town) -> None:
    """And a guild's agent does not step in."""
    dm = town.discord.open_dm(town.bo)
    for text in ("hello", "hello?"):
        message = town.discord.say(town.bo, dm, text)
        assert await town.refusal(message) == "dm_no_agent"
    await town.discord.wait_for(lambda: town.bot_messages(dm))
    # Were there a second explanation, it would come before this answer.
    town.discord.say(town.ada, town.discord.open_dm(town.ada), "!aurora config dm show")
    await town.discord.wait_for(lambda: town.bot_messages(town.discord.open_dm(town.ada)))
    (explanation,) = town.bot_messages(dm)
    assert "no agent has been chosen" in explanation.content


async def test_with_dms_off_nothing_is_said(town: Town) -> None:
    """Silence, and a reason on record."""
    await town.command(f"aurora config dm agent {town.agent_id}")
    await town.command("aurora config dm off")
    dm = town.discord.open_dm(town.bo)
    message = town.discord.say(town.bo, dm, "hello")
    assert await town.refusal(message) == "dm_disabled"
    assert town.bot_messages(dm) == []


# -- where it keeps quiet


async def test_where_the_bot_cannot_send_it_does_not_try(town: Town) -> None:
    """Refused before the agent hears of it."""
    mute = Overwrite.of(town.discord.bot_user, deny=permissions.SEND_MESSAGES)
    silent = town.discord.add_channel(town.guild, "silent", overwrites=(mute,))
    message = town.discord.say(town.ada, silent, f"{town.mention} hello")
    assert await town.refusal(message) == "cannot_send"
    assert town.llm.requests == []


async def test_reds_own_switches_are_obeyed(town: Town) -> None:
    """Each in a server of its own; the last one is everywhere."""
    for command, reason in {
        "ignore channel": "ineligible",
        "ignore server": "ineligible",
        "localblocklist add {bo}": "ineligible",
        "command disablecog Aurora": "cog_disabled",
        "blocklist add {bo}": "ineligible",
    }.items():
        guild = town.discord.add_guild(command, owner=town.ada)
        town.discord.add_member(guild, town.bo)
        channel = town.discord.add_channel(guild, "general")
        await town.command(f"aurora enable {town.agent_id}", channel=channel)
        await town.command(command.format(bo=town.bo.id), channel=channel)
        message = town.discord.say(town.bo, channel, f"{town.mention} hello")
        assert await town.refusal(message) == reason, command
    assert town.llm.requests == []


async def test_other_bots_are_not_answered(town: Town) -> None:
    """Two bots that answer each other never stop."""
    other = town.discord.add_user("other", bot=True)
    town.discord.add_member(town.guild, other)
    message = town.discord.say(other, town.general, f"{town.mention} hello")
    assert await town.refusal(message) == "bot"


async def test_webhooks_are_not_answered(town: Town) -> None:
    """Their user looks like a person's."""
    message = town.discord.say(town.bo, town.general, f"{town.mention} hello")
    await town.ended(message)
    hook = town.discord.world.ids.new()
    body = event_payload(town.discord.world, message) | {"id": str(hook), "webhook_id": str(hook)}
    body.pop("member")
    town.discord.world.emit("MESSAGE_CREATE", body, guild=town.guild, channel=town.general)
    assert await town.refusal(replace(message, id=hook)) == "bot"


async def test_what_names_the_bot_without_mentioning_it_is_left_alone(town: Town) -> None:
    """Everybody is not the bot in particular, nor is its name in plain letters."""
    texts = ("@everyone hello", "@here hello", "hello Aurora", "@Aurora hi", "\\<@1> hi")
    messages = [town.discord.say(town.ada, town.general, text) for text in texts]
    # Messages are heard in order.
    await town.ask("hello")
    assert [town.steps(message) for message in messages] == [[]] * len(texts)


async def test_a_command_that_mentions_the_bot_is_a_command(town: Town) -> None:
    """It gets the command's answer alone."""
    told = await town.command(f"aurora config dm show {town.mention}")
    assert "Direct messages" in told
    asked = town.general.messages[-2]
    assert town.steps(asked) == []
    assert await town.cog.services.store.refusal(asked.id) is None


async def test_a_reply_to_somebody_else_is_left_alone(town: Town) -> None:
    """People may talk to each other below the bot's nose."""
    first = town.discord.say(town.bo, town.general, "what a day")
    reply = town.discord.say(town.ada, town.general, "indeed", reply_to=first)
    await town.ask("hello")
    assert town.steps(reply) == []


# -- what the agent is told


async def test_a_reply_chain_arrives_in_order(town: Town) -> None:
    """Three messages, oldest first, above the question."""
    above: Message | None = None
    for number, author in enumerate([town.bo, town.ada, town.bo], start=1):
        words = f"thought number {number}"
        above = town.discord.say(author, town.general, words, reply_to=above)
    message, end = await town.ask("what do you make of it?", reply_to=above)
    prompt = town.prompt(message)
    where = [prompt.index(f"thought number {number}") for number in (1, 2, 3)]
    assert where == sorted(where)
    assert where[-1] < prompt.index("what do you make of it?")
    assert end.step == "answered"


async def test_two_servers_with_agents_of_their_own_do_not_mix(town: Town) -> None:
    """Each is answered by its own, with its own settings."""
    abroad = town.discord.add_guild("Abroad", owner=town.ada)
    there = town.discord.add_channel(abroad, "general")
    other = await town.server.create_agent("other agent")
    await town.command(f"aurora enable {other}", channel=there)
    await town.command("aurora config mcpguidance off", channel=there)
    here = town.discord.say(town.ada, town.general, f"{town.mention} here")
    away = town.discord.say(town.ada, there, f"{town.mention} away")
    ends = [await town.ended(here), await town.ended(away)]
    events = [await town.cog.services.store.get(end.event_id) for end in ends]
    turns = [await town.cog.services.store.turn(event.turn_id) for event in events]
    assert [turn.agent_id for turn in turns] == [town.agent_id, other]
    assert ["discord_send(" in town.prompt(one) for one in (here, away)] == [True, False]
    assert len(town.answers(away, there)) == 1
