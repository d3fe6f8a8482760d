"""Settings, places and messages that change while people wait: every event still ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from doubles.llm import Step
from doubles.local_discord import (
    Channel,
    Overwrite,
    permissions,
)
from tests.support.e2e.holding import hold
from tests.support.e2e.seen import (
    end_of,
    mention,
    outcome_of,
    owner_reads,
    provoke,
    reached,
    said_since,
    thinking,
    works,
)
from tests.support.e2e.town import Town

# -- settings and tokens


async def test_a_new_ratelimit_frees_what_waits(town: Town) -> None:
    """Nobody waits out the old pace."""
    await town.command("aurora config ratelimit 10")
    await works(town)
    message = mention(town, "[[say:at last]]")
    await reached(town, message, "queued")
    await town.command("aurora config ratelimit 0.5")
    seen = await outcome_of(town, message)
    assert (seen.state, seen.said[-1]) == ("answered", ("general", True, "at last"))


async def test_a_new_timeout_counts_for_the_next_run(town: Town) -> None:
    """Without a reload."""
    await town.cog.services.settings.set_guild(town.guild.id, agent_timeout=1.5)
    gate = asyncio.Event()
    town.llm.script("for ever", Step(gate=gate, text="Never."))
    assert (await provoke(town, "for ever")).reason == "timeout"
    assert "30" in await town.command("aurora config timeout 30")
    settings = town.cog.services.settings.guild(town.guild.id)
    assert settings.agent_timeout == 30
    gate.set()
    assert (await provoke(town, "[[sleep:0.4]][[say:ok]]", quiet(town))).state == "answered"


def quiet(town: Town) -> Channel:
    """Make another channel."""
    return town.discord.add_channel(town.guild, "quiet")


async def test_typing_follows_its_setting(town: Town) -> None:
    """On by default; off means off."""
    await provoke(town, "[[say:one]]")
    shown = len(town.discord.typing)
    assert shown
    await town.command("aurora config typing off")
    shown = len(town.discord.typing)
    await provoke(town, "[[say:two]]")
    assert len(town.discord.typing) == shown


async def test_the_reply_chain_follows_its_setting(town: Town) -> None:
    """One parent instead of all."""
    one = town.discord.say(town.bo, town.general, "first words")
    two = town.discord.say(town.bo, town.general, "second words", reply_to=one)
    await town.ask("[[say:a]]", reply_to=two)
    assert "first words" in str(town.llm.requests[-1]["messages"][-1])
    await town.command("aurora config replydepth 1")
    await town.ask("[[say:b]]", reply_to=two)
    prompt = str(town.llm.requests[-1]["messages"][-1])
    assert "second words" in prompt
    assert "first words" not in prompt


async def test_a_wrong_token_is_named_and_the_right_one_used_at_once(bare_town: Town) -> None:
    """Set after load, mended without a reload."""
    town, bot = bare_town, bare_town.red.bot
    await bot.set_shared_api_tokens("letta", token="wrong")
    said = await town.command(f"aurora lettaurl {town.server.url}")
    assert "refused the token" in said
    agent_id = await town.server.create_agent("late")
    assert "token" in await town.command(f"aurora enable {agent_id}")
    await bot.set_shared_api_tokens("letta", token=town.server.token)
    assert "Done" in await town.command(f"aurora enable {agent_id}")
    assert (await provoke(town, "[[say:hello]]")).state == "answered"


async def test_a_token_that_goes_bad_is_told_and_mended_at_once(town: Town) -> None:
    """One notice for the person, one for the owner; the next message works."""
    bot = town.red.bot
    await bot.set_shared_api_tokens("letta", token="wrong")
    seen = await provoke(town, "hello")
    assert (seen.state, seen.reason) == ("failed", "config")
    assert any("not set up correctly" in text for _, _, text in seen.said)
    (to_owner,) = await owner_reads(town)
    assert "token" in to_owner
    assert "wrong" not in to_owner
    await bot.set_shared_api_tokens("letta", token=town.server.token)
    await works(town)


# -- places and rights that go away


async def test_leaving_a_guild_cancels_what_waits_there(town: Town) -> None:
    """And nobody else's."""
    guild = town.discord.add_guild("Away", owner=town.ada)
    away = town.discord.add_channel(guild, "away")
    await town.command(f"aurora enable {town.agent_id}", channel=away)
    gone, here = await hold(town, away), await hold(town)
    town.discord.remove_guild(guild)
    assert await end_of(town, gone.waiting) == ("cancelled", "guild_left")
    assert town.steps(here.waiting) == ["queued"]
    here.go()
    gone.go()
    assert await end_of(town, here.waiting) == ("answered", "delivered")
    await town.ended(gone.first)


async def test_deleting_a_channel_cancels_what_waits_there_and_in_its_threads(town: Town) -> None:
    """Neither can be answered any more."""
    channel = town.discord.add_channel(town.guild, "doomed")
    thread = town.discord.start_thread(channel, "doomed too", owner=town.ada)
    gone, below, here = await hold(town, channel), await hold(town, thread), await hold(town)
    town.discord.delete_channel(channel)
    assert await end_of(town, gone.waiting) == ("cancelled", "channel_deleted")
    assert await end_of(town, below.waiting) == ("cancelled", "channel_deleted")
    assert town.steps(here.waiting) == ["queued"]
    for one in (gone, below, here):
        one.go()
        await town.ended(one.first)
    assert await end_of(town, here.waiting) == ("answered", "delivered")


async def test_deleting_a_thread_cancels_what_waits_there_alone(town: Town) -> None:
    """Its channel goes on."""
    thread = town.discord.start_thread(town.general, "doomed", owner=town.ada)
    gone, here = await hold(town, thread), await hold(town)
    town.discord.delete_channel(thread)
    assert await end_of(town, gone.waiting) == ("cancelled", "thread_deleted")
    here.go()
    gone.go()
    assert await end_of(town, here.waiting) == ("answered", "delivered")
    await town.ended(gone.first)


@pytest.mark.parametrize("right", ["VIEW_CHANNEL", "SEND_MESSAGES"])
async def test_lost_access_cancels_what_waits_there(town: Town, right: str) -> None:
    """Found out when its turn comes, before the agent is troubled."""
    held = await hold(town)
    deny = Overwrite.of(town.discord.bot_user, deny=getattr(permissions, right))
    town.discord.set_overwrites(town.general, (deny,))
    held.go()
    state, reason = await end_of(town, held.waiting)
    assert (state, reason) in (("cancelled", "cannot_send"), ("cancelled", "no_access"))
    assert len(town.llm.requests) == 1


async def test_disable_cancels_what_waits_and_shows_it(town: Town) -> None:
    """The person sees that nothing will come; another guild is not touched."""
    away = town.discord.add_channel(town.discord.add_guild("Away", owner=town.ada), "away")
    await town.command(f"aurora enable {town.agent_id}", channel=away)
    await town.command("aurora config ratelimit 0.5", channel=away)
    here, there = await hold(town), await hold(town, away)
    assert "cancelled: 1" in await town.command("aurora disable")
    assert await end_of(town, here.waiting) == ("cancelled", "disabled")
    await town.discord.wait_for(lambda: town.marks(here.waiting) == ["⏹️"])
    assert town.steps(there.waiting) == ["queued"]
    here.go()
    there.go()
    assert await end_of(town, there.waiting) == ("answered", "delivered")


# -- edits and deletions


async def test_an_edit_that_adds_a_mention_at_once_asks(town: Town) -> None:
    """Who forgot it mends the message, and is answered once."""
    message = town.discord.say(town.ada, town.general, "just talking")
    await works(town)  # by now it has been ignored
    town.discord.edit(message, f"{town.mention} just talking")
    assert (await end_of(town, message))[0] == "answered"
    town.discord.edit(message, f"{town.mention} just talking to you")
    await works(town)
    assert len(town.answers(message)) == 1


async def test_an_edit_that_removes_the_mention_cancels(town: Town) -> None:
    """Nothing is said to somebody who changed their mind."""
    held = await hold(town)
    town.discord.edit(held.waiting, "never mind")
    assert await end_of(town, held.waiting) == ("cancelled", "mention_removed")
    held.go()
    await town.ended(held.first)
    assert town.answers(held.waiting) == []


async def test_an_edit_of_a_waiting_message_is_what_the_agent_reads(town: Town) -> None:
    """The typo was mended before anybody looked."""
    held = await hold(town, text="[[say:old]]")
    town.discord.edit(held.waiting, f"{town.mention} [[say:new]]")
    await works(town, quiet(town))  # by now the edit has arrived as well
    held.go()
    assert await end_of(town, held.waiting) == ("answered", "delivered")
    assert [one.content for one in town.answers(held.waiting)] == ["new"]


@pytest.mark.parametrize("bulk", [False, True], ids=["one", "bulk"])
async def test_deleting_a_waiting_message_cancels_it(town: Town, bulk: bool) -> None:
    """Nothing is said to a message that is gone."""
    held = await hold(town)
    if bulk:
        town.discord.bulk_delete(town.general, [held.waiting])
    else:
        town.discord.delete(held.waiting)
    assert await end_of(town, held.waiting) == ("cancelled", "message_deleted")
    held.go()
    await town.ended(held.first)
    assert town.answers(held.waiting) == []


async def test_deleting_a_running_message_withholds_the_output(town: Town) -> None:
    """Whatever the agent still says stays unsaid, and the channel goes on."""
    held = await hold(town)
    await thinking(town)
    town.discord.delete(held.first)
    assert await end_of(town, held.first) == ("cancelled", "message_deleted")
    held.go()
    assert await end_of(town, held.waiting) == ("answered", "delivered")
    assert "held" not in [one.content for one in town.bot_messages(town.general)]


# -- the gateway, and being forgotten


async def _drop(town: Town) -> None:
    await town.discord.drop_gateway()


async def _invalidate(town: Town) -> None:
    await town.discord.invalidate_session()


@pytest.mark.parametrize("trouble", [_drop, _invalidate], ids=["dropped", "op 9"])
async def test_a_reconnect_answers_nothing_twice(
    town: Town, trouble: Callable[[Town], Awaitable[None]]
) -> None:
    """What is replayed is known; what comes afterwards is answered."""
    first = await provoke(town, "[[say:before]]")
    message = mention(town, "[[sleep:0.2]][[say:meanwhile]]")
    await thinking(town, 2)
    old = set(town.discord.gateway.connections)
    await trouble(town)
    await town.discord.wait_for(
        lambda: any(
            one not in old and one.session is not None for one in town.discord.gateway.connections
        ),
        15,
    )
    assert await end_of(town, message) == ("answered", "delivered")
    await works(town)
    said = [one.content for one in town.bot_messages(town.general)]
    assert [said.count(text) for text in ("before", "meanwhile", "still here")] == [1, 1, 1]
    assert first.state == "answered"


async def test_somebody_who_wants_to_be_forgotten_is(town: Town) -> None:
    """What waits and what runs for them ends, others' go on, and nothing of them is kept."""
    side = town.discord.add_channel(town.guild, "side")
    held, other = await hold(town, author=town.bo), await hold(town, side)
    hers = [held.first, other.first, other.waiting]
    store = town.cog.services.store
    kept = [town.cog.services.queue.find(one.id).id for one in hers]
    await town.cog.red_delete_data_for_user(requester="user", user_id=town.ada.id)
    for message in hers:
        assert await end_of(town, message) == ("cancelled", "forgotten")
    assert [await store.get(event_id) for event_id in kept] == [None, None, None]
    held.go()
    other.go()
    assert await end_of(town, held.waiting) == ("answered", "delivered")
    assert said_since(town, held.waiting)[-1] == ("general", True, "waited")


async def test_a_message_deleted_at_once_is_not_answered(town: Town) -> None:
    """Word of the deletion comes before Red has handed the message on."""
    messages = [mention(town, "[[say:too late]]") for _ in range(3)]
    for message in messages:
        town.discord.delete(message)
    await works(town, quiet(town))
    assert [town.answers(message) for message in messages] == [[], [], []]
    assert {step for message in messages for step in town.steps(message)} <= {
        "queued",
        "cancelled",
    }
