"""Each guild is caught up by itself, within bounds, and is waited for no longer than that."""

from __future__ import annotations

import asyncio
import json
import logging

import discord
import pytest

from doubles.local_discord import Channel, Message
from tests.support.orders import Harbour, sail


def ask(harbour: Harbour, channel: Channel) -> Message:
    """Let Ada ask something."""
    return harbour.local.say(harbour.ada, channel, f"{harbour.mention} hello")


def test_a_live_message_waits_a_minute_at_most(caplog: pytest.LogCaptureFixture) -> None:
    """Then live messages go on, the log says so, and admins are told what was not read."""

    async def story(harbour: Harbour) -> None:
        assert harbour.bot is not None
        channel = harbour.channels[0]
        harbour.bot.catchup.bounds = harbour.bot.catchup.bounds._replace(channel=1000.0)
        harbour.wire.drop()
        await asyncio.sleep(1)
        missed = ask(harbour, channel)
        harbour.wire.delay = 500.0
        harbour.wire.identify()
        await asyncio.sleep(1)
        late = ask(harbour, channel)
        await asyncio.sleep(58)
        assert harbour.taken_in(channel) == []
        await asyncio.sleep(2)
        assert harbour.taken_in(channel) == [late.id]
        assert f"{channel.id} can't be read: Discord is too slow; live messages" in caplog.text
        (unread,) = harbour.unread
        at = discord.utils.snowflake_time(missed.id).timestamp()
        assert unread.channel_id == channel.id
        assert unread.since <= at <= unread.until

    sail(story)


def test_an_absent_guild_holds_back_no_other() -> None:
    """Its own place in time is kept beside that of all others, which moves on."""

    async def story(harbour: Harbour) -> None:
        east = harbour.guilds[0]
        harbour.local.gateway.withdraw(east)
        await asyncio.sleep(1)
        missed = ask(harbour, harbour.channels[0])
        heard = ask(harbour, harbour.channels[2])
        await asyncio.sleep(30)
        assert harbour.taken_in(harbour.channels[2]) == [heard.id]
        assert int(await harbour.store.noted("listening") or 0) == heard.id
        behind = json.loads(await harbour.store.noted("behind") or "")
        assert behind.keys() == {str(east.id)}
        assert int(behind[str(east.id)]) < missed.id
        harbour.local.gateway.bring(east)
        await asyncio.sleep(30)
        assert harbour.taken_in(harbour.channels[0]) == [missed.id]
        assert not await harbour.store.noted("behind")

    sail(story)


def test_what_waits_follows_its_message() -> None:
    """Edited it is asked anew, without its mention or deleted it is not asked at all."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        missed = ask(harbour, channel)
        harbour.wire.delay = 5.0
        harbour.wire.identify()
        await asyncio.sleep(1)
        reworded, taken_back, deleted = (ask(harbour, channel) for _ in range(3))
        await asyncio.sleep(1)
        harbour.local.edit(reworded, f"{harbour.mention} in other words")
        harbour.local.edit(taken_back, "never mind")
        harbour.local.delete(deleted)
        await asyncio.sleep(30)
        assert harbour.taken_in(channel) == [missed.id, reworded.id]
        assert "in other words" in str(harbour.store.accepted[-1].context)

    sail(story)


def test_what_waits_survives_a_kill() -> None:
    """Nothing counts as heard that is in no ledger."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        missed = ask(harbour, channel)
        harbour.wire.delay = 8.0
        harbour.wire.identify()
        await asyncio.sleep(1)
        waiting = ask(harbour, channel)
        await asyncio.sleep(1)
        await harbour.die()
        harbour.wire.delay = 0.0
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(channel) == [missed.id, waiting.id]

    sail(story)


def test_what_red_hands_on_in_the_middle_of_its_pass_is_not_lost() -> None:
    """It is read as one that came live, and then waits in the line that the reading ends."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        harbour.wire.delay, harbour.store.delay = 5.0, 1.0
        harbour.wire.identify()
        first, second = ask(harbour, channel), ask(harbour, channel)
        # After the reading, and while the ledger is asked for the other one.
        harbour.slow[first.id] = 5.5
        await asyncio.sleep(60)
        assert sorted(harbour.taken_in(channel)) == [first.id, second.id]

    sail(story)


@pytest.mark.parametrize("cached", [1000, None], ids=["", "without a cache"])
@pytest.mark.parametrize("seconds", [0.5, 9.0, 35.0])
def test_what_red_has_not_handed_on_survives_a_kill(seconds: float, cached: int | None) -> None:
    """However long Red takes over it, as where a machine is loaded or stood still."""

    async def story(harbour: Harbour) -> None:
        channel, other = harbour.channels[0], harbour.channels[2]
        await harbour.die()
        harbour.cached = cached
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(15 - seconds % 10)
        slow, private = ask(harbour, channel), ask(harbour, harbour.dm)
        harbour.slow |= {slow.id: 2 * seconds + 10, private.id: 2 * seconds + 10}
        later = ask(harbour, other)
        await asyncio.sleep(seconds + 5)
        assert harbour.taken_in(other) == [later.id]
        await harbour.die()
        harbour.slow.clear()
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(channel) == [slow.id]

    sail(story)


def test_what_red_keeps_for_itself_is_not_waited_for_for_ever() -> None:
    """Or each later start would read all that came since."""

    async def story(harbour: Harbour) -> None:
        kept = ask(harbour, harbour.channels[0])
        harbour.slow[kept.id] = 1e9
        later = ask(harbour, harbour.channels[2])
        await asyncio.sleep(30)
        assert int(await harbour.store.noted("listening") or 0) < kept.id
        await asyncio.sleep(60)
        assert int(await harbour.store.noted("listening") or 0) == later.id

    sail(story)


@pytest.mark.parametrize("seconds", [3.0, 300.0], ids=["in time", "too late"])
def test_what_is_on_its_way_in_when_aurora_stops_survives_a_kill(seconds: float) -> None:
    """It counts as heard when something has come of it, and a stop does not wait for ever."""

    async def story(harbour: Harbour) -> None:
        assert harbour.bot is not None
        channel = harbour.channels[0]
        await _be_busy(harbour, channel, seconds)
        asked = [ask(harbour, channel), ask(harbour, channel)]
        await asyncio.sleep(0.5)
        stop = asyncio.create_task(harbour.bot.catchup.stop())
        await asyncio.sleep(1 if seconds == 3.0 else 20)
        assert stop.done() == (seconds != 3.0)
        await harbour.die()
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(channel) == [one.id for one in asked]

    sail(story)


def test_what_was_turned_away_as_aurora_stopped_is_not_read_again() -> None:
    """Its author has seen that, before its place in time is kept."""

    async def story(harbour: Harbour) -> None:
        assert harbour.bot is not None
        channel = harbour.channels[0]
        await _be_busy(harbour, channel, 3.0)
        asked = ask(harbour, channel)
        await asyncio.sleep(0.5)
        await harbour.bot.catchup.stop()
        assert list(asked.reactions) == ["⏹️"]
        assert int(await harbour.store.noted("listening") or 0) == asked.id

    sail(story)


async def _be_busy(harbour: Harbour, channel: Channel, seconds: float) -> None:
    """Let a message that is slow to look up be before all others of a channel."""

    async def look_up() -> None:
        assert harbour.bot is not None
        async with harbour.bot.intake.in_order(channel.id):
            await asyncio.sleep(seconds)

    harbour.busy.add(asyncio.create_task(look_up()))
    await asyncio.sleep(0)


def test_a_new_session_in_the_middle_begins_the_pass_anew() -> None:
    """What was missed between the two is in its place too."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        asked = [ask(harbour, channel)]
        harbour.wire.delay = 5.0
        harbour.wire.identify()
        await asyncio.sleep(1)
        asked.append(ask(harbour, channel))
        await asyncio.sleep(1)
        harbour.wire.drop()
        await asyncio.sleep(1)
        asked.append(ask(harbour, channel))
        harbour.wire.identify()
        await asyncio.sleep(1)
        asked.append(ask(harbour, channel))
        await asyncio.sleep(60)
        assert harbour.taken_in(channel) == [one.id for one in asked]

    sail(story)


def test_a_resume_in_the_middle_lets_the_pass_go_on() -> None:
    """Discord itself has filled that gap."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        asked = [ask(harbour, channel)]
        harbour.wire.delay = 5.0
        harbour.wire.identify()
        await asyncio.sleep(1)
        harbour.wire.drop()
        asked.append(ask(harbour, channel))
        await asyncio.sleep(1)
        harbour.wire.resume()
        await asyncio.sleep(4)
        assert harbour.taken_in(channel) == [one.id for one in asked]

    sail(story)


def test_what_was_too_much_or_too_long_ago_is_told() -> None:
    """By channel, and from when to when; where nothing was missed nothing is told."""

    async def story(harbour: Harbour) -> None:
        quay, market, *_ = harbour.channels
        harbour.wire.drop()
        old = ask(harbour, market)
        await asyncio.sleep(11 * 60)
        asked = [ask(harbour, quay) for _ in range(53)]
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(quay) == [one.id for one in asked[3:]]
        assert harbour.taken_in(market) == []
        told = {one.channel_id: one for one in harbour.unread}
        assert told.keys() == {quay.id, market.id}
        for message in (old, asked[2]):
            span = told[message.channel.id]
            at = discord.utils.snowflake_time(message.id).timestamp()
            assert span.since <= at <= span.until

    sail(story)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86400.0, -86400.0])
@pytest.mark.parametrize("spoken", [True, False], ids=["after a message", "in silence"])
def test_what_was_missed_is_read_whatever_this_machines_clock_says(
    jump: float, spoken: bool
) -> None:
    """Ids tell Discord's time; a clock that was set must not make them look old."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        if spoken:
            harbour.local.say(harbour.ada, harbour.channels[2], "just talking")
            await asyncio.sleep(15)
        harbour.clock.ahead = jump
        await asyncio.sleep(15)
        harbour.wire.drop()
        missed = ask(harbour, channel)
        private = ask(harbour, harbour.dm)
        await asyncio.sleep(30)
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(channel) == [missed.id]
        assert harbour.unread == []
        assert private.id not in harbour.taken_in(channel)

    sail(story)


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_a_clock_that_was_always_wrong_is_corrected_by_what_is_heard(ahead: float) -> None:
    """A machine that never knew the time learns it from the first message that comes live."""

    async def story(harbour: Harbour) -> None:
        harbour.clock.ahead = ahead
        await harbour.stop()
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(15)
        harbour.local.say(harbour.ada, harbour.channels[2], "just talking")
        await asyncio.sleep(15)
        harbour.wire.drop()
        missed = ask(harbour, harbour.channels[0])
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert harbour.taken_in(harbour.channels[0]) == [missed.id]
        assert harbour.unread == []

    sail(story)


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 0.0])
def test_what_is_too_old_stays_too_old_whatever_the_clock_says(ahead: float) -> None:
    """Eleven minutes are too long by Discord's time."""

    async def story(harbour: Harbour) -> None:
        quay, market, *_ = harbour.channels
        harbour.clock.ahead = ahead
        harbour.wire.drop()
        old = ask(harbour, quay)
        await asyncio.sleep(11 * 60)
        young = ask(harbour, market)
        harbour.wire.identify()
        await asyncio.sleep(30)
        assert (harbour.taken_in(quay), harbour.taken_in(market)) == ([], [young.id])
        assert [one.channel_id for one in harbour.unread] == [old.channel.id]

    sail(story)


@pytest.mark.parametrize("seconds", [5.0, 50.0, 600.0])
def test_what_could_not_be_looked_up_on_a_full_disk_is_read_again(seconds: float) -> None:
    """However long it is full: nobody is told that nobody will look, nothing counts as read."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        missed = [ask(harbour, channel), ask(harbour, channel)]
        harbour.store.full = True
        harbour.wire.identify()
        await asyncio.sleep(seconds)
        assert harbour.taken_in(channel) == []
        harbour.store.full = False
        await asyncio.sleep(40)
        assert harbour.taken_in(channel) == [one.id for one in missed]
        assert harbour.unread == []
        assert int(await harbour.store.noted("listening") or 0) >= missed[-1].id

    sail(story)


def test_on_a_full_disk_who_asks_now_sees_after_a_minute_that_nobody_answers() -> None:
    """What waits behind what was missed is marked then, as all else is on a full disk."""

    async def story(harbour: Harbour) -> None:
        channel = harbour.channels[0]
        harbour.wire.drop()
        missed = ask(harbour, channel)
        harbour.store.full = True
        harbour.wire.identify()
        await asyncio.sleep(1)
        waiting = ask(harbour, channel)
        await asyncio.sleep(120)
        assert "⚠️" in waiting.reactions
        later = ask(harbour, channel)
        await asyncio.sleep(5)
        assert "⚠️" in later.reactions
        harbour.store.full = False
        await asyncio.sleep(40)
        assert harbour.taken_in(channel) == [missed.id]

    sail(story)


def test_after_a_quiet_day_nothing_is_told() -> None:
    """Nobody was let down: what is older was heard."""

    async def story(harbour: Harbour) -> None:
        ask(harbour, harbour.channels[0])
        ask(harbour, harbour.dm)
        await asyncio.sleep(24 * 3600)
        await harbour.stop()
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(60)
        assert harbour.unread == []

    sail(story)


def test_caught_up_is_logged_with_counts(caplog: pytest.LogCaptureFixture) -> None:
    """For the admin who wonders what became of the time without a connection."""
    caplog.set_level(logging.INFO, "red.aurora")

    async def story(harbour: Harbour) -> None:
        harbour.wire.drop()
        ask(harbour, harbour.channels[0])
        harbour.wire.identify()
        await asyncio.sleep(5)
        assert "Caught up in 1 channels: 1 missed messages" in caplog.text

    sail(story)
