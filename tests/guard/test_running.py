"""What an admin changes while an agent is at it binds its very next call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from aurora.model import Event, Turn
from aurora.reasons import REASONS, Reason
from aurora.tools.host import RunTools
from doubles.local_discord import Channel, Overwrite, permissions
from doubles.local_discord.message import SUPPRESS_EMBEDS
from tests.support.stage import ON_STAGE, Stage, react, send, together

Change = Callable[[Stage], Awaitable[object]]


async def bar(stage: Stage, reason: Reason) -> None:
    stage.barred = reason


async def leave(stage: Stage) -> None:
    stage.local.remove_member(stage.guild, stage.ada)


CHANGES: dict[str, tuple[Reason, Change]] = {
    "disabled": (
        Reason.NOT_ENABLED,
        lambda stage: stage.settings.set_guild(stage.guild.id, enabled=False),
    ),
    "another agent": (
        Reason.AGENT_CHANGED,
        lambda stage: stage.settings.set_guild(stage.guild.id, agent_id="agent-2"),
    ),
    "paused": (
        Reason.PAUSED,
        lambda stage: stage.settings.set_guild(stage.guild.id, paused_since=1.0),
    ),
    "paused everywhere": (
        Reason.PAUSED,
        lambda stage: stage.settings.set_world(paused_since=1.0),
    ),
    "on Red's blocklist": (Reason.INELIGIBLE, lambda stage: bar(stage, Reason.INELIGIBLE)),
    "cog disabled": (Reason.COG_DISABLED, lambda stage: bar(stage, Reason.COG_DISABLED)),
    "left": (Reason.AUTHOR_GONE, leave),
}
"""What may happen in mid-run, and by what reason a send is denied then."""

EVERY_CHANGE = pytest.mark.parametrize("change", list(CHANGES))


def turn_of(event: Event) -> Turn:
    """Return a turn that the agent on stage answers."""
    turn = together(event)
    turn.agent_id = ON_STAGE
    return turn


def slow(stage: Stage, seconds: int) -> Channel:
    """Add a channel with a slowmode."""
    channel = stage.local.add_channel(stage.guild, "slow")
    channel.slowmode = seconds
    stage.local.world.update_channel(channel)
    return channel


def restricted(stage: Stage, name: str = "adults") -> Channel:
    """Add an age-restricted channel."""
    channel = stage.local.add_channel(stage.guild, name)
    channel.nsfw = True
    stage.local.world.update_channel(channel)
    return channel


async def read(tools: RunTools, channel: Channel) -> bool:
    """Tell whether an agent may read a channel."""
    result = await tools.call("discord_read_messages", {"channelId": str(channel.id)})
    return not result.is_error


# -- switched off, paused, another agent, barred, left


@EVERY_CHANGE
async def test_every_tool_is_denied_at_once(stage: Stage, change: str) -> None:
    """Also those that only look."""
    event = await stage.ask()
    tools = stage.open(event)
    assert not (await send(tools, stage.channel, "First")).is_error
    await CHANGES[change][1](stage)
    for result in (
        await send(tools, stage.channel, "Second"),
        await react(tools, event, "👍"),
        await tools.call("discord_read_messages", {"channelId": str(stage.channel.id)}),
        await tools.call("discord_get_server_info", {"guildId": str(stage.guild.id)}),
    ):
        assert result.is_error, result.text
    assert [one.content for one in stage.answers()] == ["First"]
    assert stage.reactions(event) == []


@EVERY_CHANGE
async def test_the_text_is_not_delivered_either(stage: Stage, change: str) -> None:
    """An agent's words go no further than its tools."""
    reason, happens = CHANGES[change]
    event = await stage.ask()
    await happens(stage)
    ends_by = None if reason is Reason.PAUSED else reason
    assert await stage.settle(turn_of(event), "Text", fallback=True) is ends_by
    assert stage.answers() == []
    assert REASONS[reason].state is not None


@EVERY_CHANGE
async def test_an_agent_that_was_stopped_and_wrote_nothing_ends_by_that(
    stage: Stage, change: str
) -> None:
    """Its person sees a mark."""
    reason, happens = CHANGES[change]
    turn = turn_of(await stage.ask())
    tools = stage.toolbox.open(turn, ON_STAGE)
    await happens(stage)
    assert (await send(tools, stage.channel, "Hello")).is_error
    assert await stage.settle(turn, "", fallback=True) is reason
    assert stage.reactions(turn.speaker) == [REASONS[reason].mark]


async def test_a_text_that_a_pause_holds_back_is_shown_as_nothing(stage: Stage) -> None:
    """It comes when the pause has ended; a mark would say that it never does."""
    event = await stage.ask()
    await stage.settings.set_guild(stage.guild.id, paused_since=1.0)
    turn = turn_of(event)
    assert await stage.settle(turn, "Text", fallback=True) is None
    assert stage.reactions(event) == []
    await stage.settings.set_guild(stage.guild.id, paused_since=None)
    assert await stage.settle(turn, "Text", fallback=True) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["Text"]


async def test_auroras_own_notices_need_no_permit(stage: Stage) -> None:
    """Who is told why nothing comes is told by Aurora, not by the agent."""
    event = await stage.ask()
    await stage.settings.set_guild(stage.guild.id, enabled=False)
    await stage.delivery.show_end(event, Reason.FAILED)
    assert len(stage.answers()) == 1


@pytest.mark.parametrize("setting", [{"enable_dm_responses": False}, {"dm_agent_id": "agent-2"}])
async def test_direct_messages_are_switched_off_in_mid_run(
    stage: Stage, setting: dict[str, object]
) -> None:
    """The owner's switch for them binds like a server's."""
    own = stage.local.open_dm(stage.ada)
    tools = stage.open(await stage.ask(own))
    await stage.settings.set_world(**setting)
    assert (await send(tools, own, "Hello")).is_error
    assert stage.answers(own) == []


# -- before each part, and each retry


def mute_after(stage: Stage, count: int) -> None:
    """Take the right to write from Ada once so many messages of the bot's are out."""
    deny = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)

    async def lag() -> None:
        if len(stage.answers()) >= count:
            stage.local.set_overwrites(stage.channel, (deny,))

    stage.port.lag = lag


LONG = "\n\n".join(f"{number} " + "word " * 380 for number in range(1, 6))


async def test_parts_after_a_lost_right_do_not_go_out(stage: Stage) -> None:
    """And the agent is told what did, and why the rest did not."""
    tools = stage.open(await stage.ask())
    mute_after(stage, 2)
    result = await send(tools, stage.channel, LONG)
    # The right is taken while Discord is at the third part.
    out = stage.answers()
    assert 2 <= len(out) <= 3
    assert result.is_error
    assert f"Only the first {len(out)} parts were sent" in result.text
    assert str(out[-1].id) in result.text
    assert "may not write there" in result.text
    assert "Call again" not in result.text


async def test_parts_of_a_delivered_text_stop_as_well(stage: Stage) -> None:
    """Whoever sends is asked."""
    turn = turn_of(await stage.ask())
    mute_after(stage, 2)
    assert await stage.settle(turn, LONG, fallback=True) is Reason.MAY_NOT_SEND
    assert 2 <= len(stage.answers()) <= 3


async def test_a_retry_is_asked_for_again(stage: Stage) -> None:
    """Discord was in trouble, and meanwhile the right was taken."""
    tools = stage.open(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=503)
    deny = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    asked = 0

    async def lag() -> None:
        nonlocal asked
        asked += 1
        stage.local.set_overwrites(stage.channel, (deny,))

    stage.port.lag = lag
    result = await send(tools, stage.channel, "Hello")
    assert result.is_error
    assert "may not write there" in result.text
    assert (asked, stage.answers()) == (1, [])


async def test_a_reaction_is_asked_for_again_too(stage: Stage) -> None:
    """As a message is."""
    event = await stage.ask()
    tools = stage.open(event)
    stage.local.faults.add("PUT", r"/reactions/", status=503)

    async def lag() -> None:
        stage.barred = Reason.INELIGIBLE

    stage.port.lag = lag
    assert (await react(tools, event, "👍")).is_error
    assert stage.reactions(event) == []


# -- age restriction


async def test_an_age_restricted_channel_is_closed_from_elsewhere(stage: Stage) -> None:
    """Who is asked in a place for everybody brings nothing from there, and takes nothing there."""
    adults = restricted(stage)
    tools = stage.open(await stage.ask())
    assert not await read(tools, adults)
    result = await send(tools, adults, "Hello")
    assert result.is_error
    assert "age-restricted" in result.text
    assert stage.answers(adults) == []


async def test_a_thread_in_an_age_restricted_channel_is_one(stage: Stage) -> None:
    """Its parent says so."""
    adults = restricted(stage)
    thread = stage.local.start_thread(adults, "talk", owner=stage.ada)
    assert not await read(stage.open(await stage.ask()), thread)


async def test_from_one_age_restricted_channel_another_is_open(stage: Stage) -> None:
    """And so is every other place."""
    adults, others = restricted(stage), restricted(stage, "others")
    tools = stage.open(await stage.ask(adults))
    assert await read(tools, adults)
    assert await read(tools, others)
    assert await read(tools, stage.channel)


# -- slowmode


async def test_slowmode_never_binds_the_events_own_place(stage: Stage) -> None:
    """The message that asked has used its author's slot."""
    channel = slow(stage, 30)
    tools = stage.open(await stage.ask(channel))
    for text in ("One", "Two"):
        assert not (await send(tools, channel, text)).is_error
    assert len(stage.answers(channel)) == 2


async def test_elsewhere_one_send_goes_out_in_each_interval(stage: Stage) -> None:
    """Also of another run that the same person asked for."""
    channel = slow(stage, 30)
    assert not (await send(stage.open(await stage.ask()), channel, "One")).is_error
    tools = stage.open(await stage.ask())
    result = await send(tools, channel, "Two")
    assert result.is_error
    assert "slowmode" in result.text
    assert "30 seconds" in result.text
    await stage.clock.advance(30)
    assert not (await send(tools, channel, "Two")).is_error
    assert [one.content for one in stage.answers(channel)] == ["One", "Two"]


async def test_the_parts_of_one_text_are_one_send(stage: Stage) -> None:
    """Nobody gets half a text."""
    channel = slow(stage, 30)
    assert not (await send(stage.open(await stage.ask()), channel, LONG)).is_error
    assert len(stage.answers(channel)) == 5


async def test_who_may_bypass_slowmode_is_not_held_back(stage: Stage) -> None:
    """By the right of that name."""
    channel = slow(stage, 30)
    stage.local.set_overwrites(channel, (Overwrite.of(stage.ada, allow=1 << 52),))
    for text in ("One", "Two"):
        assert not (await send(stage.open(await stage.ask()), channel, text)).is_error


# -- embeds


@pytest.mark.parametrize("delivered", [False, True])
async def test_links_show_no_preview_where_the_asker_may_not_embed(
    stage: Stage, delivered: bool
) -> None:
    """The bot may, and acts for somebody who may not."""
    deny = Overwrite.of(stage.ada, deny=permissions.EMBED_LINKS)
    stage.local.set_overwrites(stage.channel, (deny,))
    event = await stage.ask()
    if delivered:
        await stage.settle(event, "See https://example.org")
    else:
        await send(stage.open(event), stage.channel, "See https://example.org")
    (answer,) = stage.answers()
    assert answer.flags & SUPPRESS_EMBEDS


async def test_links_show_a_preview_where_the_asker_may_embed(stage: Stage) -> None:
    """In a server, and in a direct message, where there is nobody to ask."""
    own = stage.local.open_dm(stage.ada)
    for channel in (stage.channel, own):
        await send(stage.open(await stage.ask(channel)), channel, "See https://example.org")
        assert not stage.answers(channel)[0].flags & SUPPRESS_EMBEDS
