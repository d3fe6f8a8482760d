"""Bots and webhooks ask nothing, but for those that the owner trusts; and these not for ever."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from aurora.guard.policy import Act, Actor, Allowed, Denied, Found, Here, Target, may
from aurora.intake.triggers import Refusal, Trigger
from aurora.reasons import Reason
from tests.support.events import make_event
from tests.support.gates import Gatehouse
from tests.support.payloads import hello, snowflake, user_payload

MENTION = Trigger("mention")
BOT = Refusal(Reason.BOT)
ALONE = Refusal(Reason.BOTS_ALONE)
HOOK = snowflake()


@pytest.fixture
async def trusting(scene: Gatehouse) -> Gatehouse:
    """Return a scene whose owner trusts the robot and a webhook."""
    await scene.set(bots_trusted=[scene.world.id("robot")], webhooks_trusted=[HOOK])
    return scene


def by_webhook(
    scene: Gatehouse, hook_id: int = HOOK, *, username: str = "ann", bot: bool = True, **more: Any
) -> discord.Message:
    """Return a mention by a webhook that goes by a person's name."""
    people = scene.world.people
    people["hook"] = user_payload(username, id=str(hook_id), bot=bot, discriminator="0000")
    message = hello(scene.world, author="hook", webhook_id=str(hook_id), **more)
    del people["hook"]
    return message


async def _took(scene: Gatehouse, message: discord.Message) -> Trigger | Refusal:
    """Let a message through the gates, and count it if it was let in, as intake does."""
    scene.triggers.turns.heard(message)
    decision = await scene.check(message)
    if isinstance(decision, Trigger):
        scene.triggers.turns.took(message)
    return decision


async def test_a_trusted_bot_asks(trusting: Gatehouse) -> None:
    """In the server in which it is trusted."""
    assert await trusting.check(hello(trusting.world, author="robot")) == MENTION


@pytest.mark.parametrize("bot", [True, False])
async def test_a_trusted_webhook_asks(trusting: Gatehouse, bot: bool) -> None:
    """Whether Discord calls its user a bot or not."""
    assert await trusting.check(by_webhook(trusting, bot=bot)) == MENTION


async def test_a_bot_that_nobody_named_asks_nothing(trusting: Gatehouse) -> None:
    """Nor a webhook, whatever name it goes by."""
    await trusting.set(bots_trusted=[snowflake()])
    assert await trusting.check(hello(trusting.world, author="robot")) == BOT
    for name in ("ann", "robot", "Aurora"):
        assert await trusting.check(by_webhook(trusting, snowflake(), username=name)) == BOT


async def test_a_bot_is_trusted_in_one_server_alone(scene: Gatehouse) -> None:
    """Another server's trust is none of this one's."""
    await scene.settings.set_guild(snowflake(), bots_trusted=[scene.world.id("robot")])
    assert await scene.check(hello(scene.world, author="robot")) == BOT


@pytest.mark.parametrize("close", ["blocked", "denied", "elsewhere", "mute", "ignored"])
async def test_a_trusted_bot_passes_the_other_gates(trusting: Gatehouse, close: str) -> None:
    """Lists, places and the bot's own rights hold for it as for people."""
    world = trusting.world
    robot = world.id("robot")
    match close:
        case "blocked":
            await trusting.red.add_to_blacklist([robot])
        case "denied":
            await trusting.set(users_denied=[robot])
        case "elsewhere":
            await trusting.set(channels_allowed=[world.ids["voice"]])
        case "mute":
            trusting.forbid("send_messages")
        case "ignored":
            await trusting.red._ignored_cache.set_ignored_channel(world.channel("general"), True)
    decision = await trusting.check(hello(world, author="robot"))
    assert isinstance(decision, Refusal)
    assert decision.reason is not Reason.BOT


async def test_a_trusted_bots_command_is_none_of_the_agents(trusting: Gatehouse) -> None:
    """The gates about messages hold, too."""
    message = trusting.world.message(f"?hug <@{trusting.world.me.id}>", author="robot")
    assert await trusting.check(message) == Refusal(Reason.OTHER_BOTS_COMMAND)


@pytest.mark.parametrize("most", [1, 3, 5])
async def test_two_bots_in_a_loop_come_to_an_end(trusting: Gatehouse, most: int) -> None:
    """Until a person writes there; what happens elsewhere is another matter."""
    world = trusting.world
    await trusting.set(bot_turns=most)
    for _ in range(most):
        assert await _took(trusting, hello(world, author="robot")) == MENTION
    assert await _took(trusting, hello(world, author="robot")) == ALONE
    assert await _took(trusting, by_webhook(trusting)) == ALONE
    await _took(trusting, world.message("over here", channel="voice"))
    assert await _took(trusting, hello(world, author="robot")) == ALONE
    assert await _took(trusting, hello(world, author="robot", channel="voice")) == MENTION
    await _took(trusting, world.message("I am still here"))
    assert await _took(trusting, hello(world, author="robot")) == MENTION


async def test_people_are_not_counted(trusting: Gatehouse) -> None:
    """However long they talk with it."""
    for _ in range(10):
        assert await _took(trusting, hello(trusting.world)) == MENTION


async def test_what_waits_ends_when_the_trust_does(trusting: Gatehouse) -> None:
    """It is asked again when its turn comes."""
    trusting.connect()
    event = make_event(
        guild_id=trusting.world.guild.id,
        channel_id=trusting.world.ids["general"],
        author_id=trusting.world.id("robot"),
    )
    assert await trusting.still_welcome(event) is None
    await trusting.set(bots_trusted=[])
    assert await trusting.still_welcome(event) is Reason.BOT


# -- a webhook has everybody's rights, in its own place


async def test_where_not_everybody_may_write_a_webhook_asks_nothing(trusting: Gatehouse) -> None:
    """Who can have it write there may be allowed to; the agent's answer would be for all."""
    world = trusting.world
    world.guild.me._roles.add(world.roles["mods"])
    for channel in ("staff", "quiet"):
        decision = await trusting.check(by_webhook(trusting, channel=channel))
        assert decision == Refusal(Reason.MAY_NOT_SEND)
        assert await trusting.check(hello(world, author="robot", channel=channel)) == MENTION


@pytest.mark.parametrize("act", [Act.READ, Act.SEND, Act.REACT])
async def test_a_webhooks_agent_acts_in_its_own_place_alone(trusting: Gatehouse, act: Act) -> None:
    """Not even where everybody may."""
    assert isinstance(_asked(trusting, act, "general"), Allowed)
    for elsewhere in ("thread", "voice", "staff"):
        answer = _asked(trusting, act, elsewhere)
        assert isinstance(answer, Denied)
        assert "webhook" in answer.text


async def test_a_webhooks_agent_does_not_look_around(trusting: Gatehouse) -> None:
    """The list of channels is a person's view."""
    world = trusting.world
    actor = Actor(HOOK, world.guild.default_role, agent_id="a")
    here = Here(world.guild.id, world.guild, world.channel("general"), "a")
    found = Found(Target(guild_id=world.guild.id))
    assert isinstance(may(actor, Act.LOOK, found, here), Denied)


@pytest.mark.parametrize(
    ("act", "right"),
    [
        (Act.READ, "read_message_history"),
        (Act.SEND, "send_messages"),
        (Act.REACT, "add_reactions"),
    ],
)
async def test_a_webhooks_rights_are_everybodys(trusting: Gatehouse, act: Act, right: str) -> None:
    """What @everyone may not do there, it may not have done."""
    trusting.forbid(right)
    assert isinstance(_asked(trusting, act, "general"), Denied)


def _asked(scene: Gatehouse, act: Act, name: str) -> Allowed | Denied:
    """Ask the policy for a webhook in general."""
    world = scene.world
    actor = Actor(HOOK, world.guild.default_role, agent_id="a")
    here = Here(world.guild.id, world.guild, world.channel("general"), "a")
    return may(actor, act, Found(Target(world.ids[name]), world.channel(name)), here)
