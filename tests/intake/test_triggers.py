"""Who may ask, and where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aurora.intake.addressing import unresolved
from aurora.intake.triggers import Refusal, Trigger
from aurora.model import Event
from aurora.reasons import Reason
from tests.support.events import make_event
from tests.support.gates import Gatehouse
from tests.support.payloads import TeaHouse, direct, hello, rest, snowflake

Gate = Callable[[Gatehouse], Awaitable[None]]


def event_for(world: TeaHouse, **changes: Any) -> Event:
    """Return a waiting event of ann's in general."""
    values = {
        "guild_id": world.guild.id,
        "channel_id": world.ids["general"],
        "author_id": world.id("ann"),
    }
    return make_event(**(values | changes))


@pytest.mark.parametrize("channel", ["general", "thread", "private", "post", "voice", "stage"])
async def test_a_mention_triggers_in_every_kind_of_place(scene: Gatehouse, channel: str) -> None:
    """Private threads, forum posts and threads without a starter are places like any other."""
    message = hello(scene.world, channel=channel)
    assert await scene.check(message) == Trigger("mention")


async def test_a_direct_message_triggers(scene: Gatehouse) -> None:
    """Where the owner chose an agent for them."""
    assert await scene.check(direct(scene.world)) == Trigger("dm")


async def test_another_bot_is_refused(scene: Gatehouse) -> None:
    """Two bots could talk for ever."""
    message = hello(scene.world, author="robot")
    assert await scene.check(message) == Refusal(Reason.BOT)


async def test_a_webhook_is_refused(scene: Gatehouse) -> None:
    """Its author looks like a person."""
    message = hello(scene.world, webhook_id="5")
    assert await scene.check(message) == Refusal(Reason.BOT)


async def test_chatter_is_refused_as_not_addressed(scene: Gatehouse) -> None:
    """Most messages are not for the bot."""
    message = scene.world.message("hello")
    assert await scene.check(message) == Refusal(Reason.NOT_ADDRESSED)


async def test_a_reply_that_discord_did_not_resolve_is_looked_up(scene: Gatehouse) -> None:
    """A reply to the bot with the ping off must not be lost."""
    mine = scene.world.message("hi", author="aurora")
    message = scene.world.message("and then?", reply_to=mine, resolved="absent")
    assert unresolved(message)
    async with rest(scene.world) as served:
        assert await scene.check(message) == Trigger("reply")
        assert served.calls == [str(mine.id)]


async def test_a_guild_without_agent_asks_discord_for_nothing(scene: Gatehouse) -> None:
    """Where nobody would answer, an unresolved reply is left alone."""
    mine = scene.world.message("hi", author="aurora")
    message = scene.world.message("and then?", reply_to=mine, resolved="absent")
    await no_agent(scene)
    assert await scene.check(message) == Refusal(Reason.NOT_ADDRESSED)


async def no_url(scene: Gatehouse) -> None:
    """Forget the server."""
    await scene.settings.set_world(letta_base_url=None)


async def no_agent(scene: Gatehouse) -> None:
    """Take the agent away."""
    await scene.settings.set_guild(scene.world.guild.id, enabled=False)


async def cog_off(scene: Gatehouse) -> None:
    """Disable the cog as Red's `command disablecog` does."""
    await scene.red._disabled_cog_cache.disable_cog_in_guild("SomeCog", scene.world.guild.id)


async def blocked(scene: Gatehouse) -> None:
    """Put ann on the blocklist."""
    await scene.red.add_to_blacklist([scene.world.id("ann")])


async def denied(scene: Gatehouse) -> None:
    """Put ann on the server's own list."""
    await scene.settings.set_guild(scene.world.guild.id, users_denied=[scene.world.id("ann")])


async def elsewhere(scene: Gatehouse) -> None:
    """Let the agent answer in another channel only."""
    other = scene.world.ids["voice"]
    await scene.settings.set_guild(scene.world.guild.id, channels_allowed=[other])


async def ignored(scene: Gatehouse) -> None:
    """Let Red ignore the channel, as its `ignore` does."""
    await scene.red._ignored_cache.set_ignored_channel(scene.world.channel("general"), True)


async def ignored_guild(scene: Gatehouse) -> None:
    """Let Red ignore the server."""
    await scene.red._ignored_cache.set_ignored_guild(scene.world.guild, True)


async def mute(scene: Gatehouse) -> None:
    """Take the right to write from everybody."""
    scene.forbid("send_messages")


GATES: list[tuple[Gate, Reason]] = [
    (no_url, Reason.NOT_CONFIGURED),
    (no_agent, Reason.NOT_ENABLED),
    (cog_off, Reason.COG_DISABLED),
    (blocked, Reason.INELIGIBLE),
    (denied, Reason.KEPT_OUT),
    (elsewhere, Reason.OFF_LIMITS),
    (mute, Reason.CANNOT_SEND),
]


@pytest.mark.parametrize(("close", "reason"), GATES)
async def test_every_gate_has_its_reason(scene: Gatehouse, close: Gate, reason: Reason) -> None:
    """Whoever asks why nothing came finds out which gate it was."""
    await close(scene)
    assert await scene.check(hello(scene.world)) == Refusal(reason)


@pytest.mark.parametrize("first", range(4))
async def test_the_gates_stand_in_order(scene: Gatehouse, first: int) -> None:
    """The cheapest that is shut names the reason; who can't write is told apart last."""
    later = [gate for gate in GATES[first:] if gate[1] is not Reason.CANNOT_SEND]
    for close, _ in later:
        await close(scene)
    assert await scene.check(hello(scene.world)) == Refusal(GATES[first][1])


async def test_direct_messages_can_be_off(scene: Gatehouse) -> None:
    """The owner decides."""
    await scene.settings.set_world(enable_dm_responses=False)
    assert await scene.check(direct(scene.world)) == Refusal(Reason.DM_DISABLED)


async def test_a_direct_message_without_an_agent_has_its_own_reason(scene: Gatehouse) -> None:
    """The person is told, so it must be known apart."""
    await scene.settings.set_world(dm_agent_id=None)
    assert await scene.check(direct(scene.world)) == Refusal(Reason.DM_NO_AGENT)


async def test_an_ignored_person_is_not_told_about_configuration(scene: Gatehouse) -> None:
    """Whoever is on the blocklist gets no explanation either."""
    await scene.settings.set_world(dm_agent_id=None)
    await blocked(scene)
    assert await scene.check(direct(scene.world)) == Refusal(Reason.INELIGIBLE)


async def test_an_ignored_channel_is_respected(scene: Gatehouse) -> None:
    """Red's `ignore` counts for a bot that talks, too."""
    await ignored(scene)
    assert await scene.check(hello(scene.world)) == Refusal(Reason.INELIGIBLE)


@pytest.mark.parametrize("channel", ["quiet", "locked"])
async def test_where_the_bot_cannot_write_it_does_not_listen(
    scene: Gatehouse, channel: str
) -> None:
    """No right to send, or a locked thread."""
    message = hello(scene.world, channel=channel)
    assert await scene.check(message) == Refusal(Reason.CANNOT_SEND)


async def test_a_voice_channel_needs_the_right_to_connect(scene: Gatehouse) -> None:
    """Discord hides its chat from those who may not join."""
    scene.forbid("connect")
    message = hello(scene.world, channel="voice")
    assert await scene.check(message) == Refusal(Reason.CANNOT_SEND)


async def test_a_thread_whose_parent_is_unknown_is_refused_not_a_crash(scene: Gatehouse) -> None:
    """Its permissions can't be worked out."""
    scene.world.thread("orphan", parent_id=str(snowflake()))
    message = hello(scene.world, channel="orphan")
    assert await scene.check(message) == Refusal(Reason.CANNOT_SEND)


async def test_a_channel_that_is_not_cached_is_refused_not_a_crash(scene: Gatehouse) -> None:
    """Red counts what it can't check as ineligible."""
    message = hello(scene.world, channel=snowflake())
    decision = await scene.check(message)
    assert isinstance(decision, Refusal)


async def test_a_waiting_event_is_still_welcome(scene: Gatehouse) -> None:
    """As long as nothing changed."""
    scene.connect()
    assert await scene.still_welcome(event_for(scene.world)) is None


@pytest.mark.parametrize(
    ("close", "reason"),
    [*GATES, (ignored, Reason.INELIGIBLE), (ignored_guild, Reason.INELIGIBLE)],
)
async def test_what_changed_while_an_event_waited_cancels_it(
    scene: Gatehouse, close: Gate, reason: Reason
) -> None:
    """`disable`, a blocklist or lost permissions apply at once, not from the next message on."""
    scene.connect()
    await close(scene)
    assert await scene.still_welcome(event_for(scene.world)) is reason


async def test_an_event_of_a_guild_that_was_left_is_cancelled(scene: Gatehouse) -> None:
    """There is nowhere to answer."""
    scene.connect()
    scene.world.state._remove_guild(scene.world.guild)
    assert await scene.still_welcome(event_for(scene.world)) is Reason.GUILD_LEFT


async def test_an_outage_of_a_guild_cancels_nothing(scene: Gatehouse) -> None:
    """Discord takes guilds away and brings them back."""
    scene.connect()
    scene.world.guild.unavailable = True
    scene.world.guild._channels.clear()
    assert await scene.still_welcome(event_for(scene.world)) is None


async def test_before_the_connection_nothing_is_known_and_nothing_cancelled(
    scene: Gatehouse,
) -> None:
    """After a restart the guilds come later than the kept events."""
    event = event_for(scene.world, guild_id=snowflake())
    await scene.settings.set_guild(event.guild_id or 0, agent_id="agent-1", enabled=True)
    assert await scene.still_welcome(event) is None


async def test_an_event_of_a_deleted_channel_is_cancelled(scene: Gatehouse) -> None:
    """Discord is asked first: caches forget archived threads."""
    event = event_for(scene.world, channel_id=snowflake())
    async with rest(scene.world):
        scene.connect()
        assert await scene.still_welcome(event) is Reason.NO_ACCESS
