"""What people ask while the bot is away: answered afterwards, once, if it is not too late."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from aurora.ledger import LedgerError
from aurora.model import Change, Event, Unread
from aurora.queue.limits import WorkRules
from aurora.words import phrase
from doubles.local_discord import Message, Overwrite, permissions
from tests.support.e2e.away import Comings, session_lost
from tests.support.e2e.seen import end_of, mention, works
from tests.support.e2e.town import Town


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Comings]:
    """A Discord where the bot may come and go."""
    async with Comings(tmp_path).open() as place:
        yield place


@pytest.fixture
async def awake(place: Comings) -> AsyncIterator[Comings]:
    """The bot is there, and has agents."""
    async with place.started():
        await place.settle()
        yield place


# -- a new session of the gateway


async def test_a_mention_missed_between_two_sessions_is_taken_in(awake: Comings) -> None:
    """And what was not meant for the bot is not."""
    async with awake.session_lost():
        awake.say("good morning")
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert awake.taken_in == [missed.id]
    assert awake.reads == [awake.general.id]


async def test_missed_messages_are_taken_in_in_their_order(awake: Comings) -> None:
    """The lane answers in the order of acceptance."""
    async with awake.session_lost():
        missed = [awake.ask(str(number)) for number in range(5)]
    await awake.accepted(missed[-1])
    assert awake.taken_in == [one.id for one in missed]


async def test_after_a_resume_nothing_is_read(awake: Comings) -> None:
    """Discord itself repeats what was missed."""
    resumed = asyncio.create_task(awake.red.bot.wait_for("shard_resumed", timeout=20))
    await asyncio.sleep(0)  # it listens from its first step on
    await awake.discord.drop_gateway()
    missed = awake.ask("are you there?")
    await resumed
    await awake.accepted(missed)
    later = awake.ask("and now?")
    await awake.accepted(later)
    assert awake.taken_in == [missed.id, later.id]
    assert awake.reads == []


async def test_an_edit_that_adds_a_mention_to_what_was_heard_before_creates_nothing(
    awake: Comings,
) -> None:
    """It was seen, and was not for the bot."""
    heard = awake.say("just talking")
    await awake.accepted(awake.ask("hello"))
    awake.red.bot._connection._messages.clear()  # type: ignore[union-attr]  # as on a busy day
    async with awake.session_lost():
        awake.discord.edit(heard, f"<@{awake.discord.bot_user.id}> just talking")
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert heard.id not in awake.taken_in


async def test_a_mention_added_while_a_channel_waits_is_taken_in_its_place(
    awake: Comings,
) -> None:
    """Between its guilds and its readiness a session hears already, and edits too."""
    known = set(awake.discord.gateway.sessions)
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=0.5)

    async def speak() -> Message:
        await awake.discord.wait_for(lambda: set(awake.discord.gateway.sessions) - known)
        return awake.say("just talking")

    speaking = asyncio.create_task(speak())
    async with awake.session_lost():
        missed = awake.ask("first")
    heard = await speaking
    await awake.discord.wait_for(lambda: awake.reads)
    awake.discord.edit(heard, f"<@{awake.discord.bot_user.id}> just talking")
    last = awake.ask("last")
    await awake.accepted(last)
    assert awake.taken_in == [missed.id, heard.id, last.id]


async def test_a_live_message_waits_for_the_missed_ones_of_its_channel(awake: Comings) -> None:
    """Or the answers would come in the wrong order."""
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=0.5)
    async with awake.session_lost():
        missed = awake.ask("first")
    await awake.discord.wait_for(lambda: awake.reads)
    live = awake.ask("second")
    await awake.accepted(live)
    assert awake.taken_in == [missed.id, live.id]


async def test_live_messages_do_not_crowd_the_missed_ones_out(awake: Comings) -> None:
    """What is read ends where the new session began."""
    awake.bound(messages=5)
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=0.5)
    async with awake.session_lost():
        missed = awake.ask("are you there?")
    await awake.discord.wait_for(lambda: awake.reads)
    for number in range(10):
        awake.say(str(number))
    await awake.accepted(missed)


async def test_a_message_deleted_while_those_before_it_are_taken_in_ends(awake: Comings) -> None:
    """It was on its way in, like a live one."""
    first = awake.say("the beginning", author=awake.bo)
    second = awake.discord.say(awake.bo, awake.general, "and then", reply_to=first)
    await awake.accepted(awake.ask("hello"))
    awake.red.bot._connection._messages.clear()  # type: ignore[union-attr]  # as after a restart
    awake.discord.faults.rate_limit("GET", rf"/messages/{first.id}$", retry_after=0.5)
    async with awake.session_lost():
        text = f"<@{awake.discord.bot_user.id}> so?"
        awake.discord.say(awake.ada, awake.general, text, reply_to=second)
        doomed = awake.ask("never mind")
    looked_up = f"/messages/{first.id}"
    await awake.discord.wait_for(
        lambda: any(call.path.endswith(looked_up) for call in awake.discord.calls)
    )
    awake.discord.delete(doomed)
    await awake.discord.wait_for(
        lambda: [one for one in awake.changes if one.message_id == doomed.id][1:], 5
    )
    assert (awake.changes[-1].step, awake.changes[-1].detail) == ("cancelled", "message_deleted")


async def test_a_message_deleted_while_it_is_looked_at_is_not_taken_in(
    awake: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read, and was not on its way in yet."""
    store, looking, gate = awake.services.store, asyncio.Event(), asyncio.Event()
    refusal = store.refusal

    async def slowly(message_id: int) -> object:
        looking.set()
        await gate.wait()
        return await refusal(message_id)

    monkeypatch.setattr(store, "refusal", slowly)
    async with awake.session_lost():
        doomed = awake.ask("never mind")
        missed = awake.ask("are you there?")
    await looking.wait()
    gone = asyncio.create_task(awake.red.bot.wait_for("raw_message_delete", timeout=20))
    await asyncio.sleep(0)  # it listens from its first step on
    awake.discord.delete(doomed)
    await gone
    gate.set()
    await awake.accepted(missed)
    assert awake.taken_in == [missed.id]


async def test_one_message_that_can_not_be_taken_in_leaves_the_others(
    awake: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if Discord does not take the mark that says so."""
    store, unlucky = awake.services.store, []
    add = store.add

    async def fail(event: Event, change: Change) -> bool:
        if event.message_id in unlucky:
            raise LedgerError(phrase("disk full"))
        return bool(await add(event, change))

    monkeypatch.setattr(store, "add", fail)
    awake.discord.faults.add("PUT", "/reactions/", status=0, times=99)
    async with awake.session_lost():
        unlucky.append(awake.ask("hello").id)
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert awake.taken_in == [missed.id]


async def test_a_missed_command_is_neither_run_nor_asked(awake: Comings) -> None:
    """The listener would not have got it either."""
    async with awake.session_lost():
        command = awake.say(f"!ping <@{awake.discord.bot_user.id}>")
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert command.id not in awake.taken_in


async def test_who_left_meanwhile_gets_no_answer(awake: Comings) -> None:
    """Nobody is there to read it."""
    async with awake.session_lost():
        farewell = awake.ask("bye", author=awake.bo)
        awake.discord.remove_member(awake.guild, awake.bo)
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert awake.taken_in == [missed.id]
    assert await awake.services.store.refusal(farewell.id) is None
    assert farewell.reactions == {}


async def test_threads_are_read_too(awake: Comings) -> None:
    """Also one that was started meanwhile."""
    old = awake.discord.start_thread(awake.general, "old", owner=awake.ada)
    await awake.accepted(awake.ask("hello", old))
    async with awake.session_lost():
        new = awake.discord.start_thread(awake.general, "new", owner=awake.ada)
        missed = [awake.ask("here", old), awake.ask("and here", new)]
    for one in missed:
        await awake.accepted(one)


# -- what is not read, and what goes wrong


async def test_only_places_with_an_agent_that_the_bot_may_read_are_read(awake: Comings) -> None:
    """Nobody else's messages are looked at."""
    elsewhere = awake.discord.add_guild("Elsewhere", owner=awake.ada)
    other = awake.discord.add_channel(elsewhere, "other")
    closed = awake.discord.add_channel(awake.guild, "closed")
    deny = Overwrite.of(awake.discord.bot_user, deny=permissions.READ_MESSAGE_HISTORY)
    awake.discord.set_overwrites(closed, (deny,))
    async with awake.session_lost():
        awake.ask("hello", other)
        awake.ask("hello", closed)
        missed = awake.ask("hello")
    await awake.accepted(missed)
    assert awake.reads == [awake.general.id]


@pytest.mark.parametrize("status", [403, 404, 400])
async def test_a_channel_that_can_not_be_read_is_skipped(
    awake: Comings, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The others are read, and the log says which was not."""
    broken = awake.discord.add_channel(awake.guild, "broken")
    awake.discord.faults.add("GET", f"/channels/{broken.id}/messages$", status=status)
    async with awake.session_lost():
        awake.ask("hello", broken)
        missed = awake.ask("hello")
    await awake.accepted(missed)
    await awake.discord.wait_for(lambda: str(broken.id) in caplog.text or None)
    assert awake.taken_in == [missed.id]
    live = awake.ask("and now?", broken)
    await awake.accepted(live)


async def test_a_ledger_that_fails_for_one_channel_leaves_the_others(
    awake: Comings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is looked after by itself."""
    side = awake.discord.add_channel(awake.guild, "side")
    store, unlucky = awake.services.store, []
    refusal = store.refusal

    async def fail(message_id: int) -> object:
        if message_id in unlucky:
            raise LedgerError(phrase("disk full"))
        return await refusal(message_id)

    monkeypatch.setattr(store, "refusal", fail)
    async with awake.session_lost():
        missed = awake.ask("hello")
        unlucky.append(awake.ask("hello", side).id)
        late = unlucky[0]
    await awake.accepted(missed)
    await awake.discord.wait_for(lambda: "will be read again" in caplog.text or None)
    assert awake.taken_in == [missed.id]
    unlucky.clear()
    await awake.discord.wait_for(lambda: awake.taken_in == [missed.id, late] or None)


async def test_a_discord_that_is_slow_holds_a_channel_up_for_a_while_only(awake: Comings) -> None:
    """What people write now comes first then."""
    awake.bound(channel=0.2)
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=60.0)
    async with awake.session_lost():
        missed = awake.ask("first")
    live = awake.ask("second")
    await awake.accepted(live)
    assert missed.id not in awake.taken_in


async def test_what_is_being_taken_in_when_time_is_up_is_not_cut_off(
    awake: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger would have it, and nobody would answer it before the next start."""
    awake.bound(whole=0.3)
    store = awake.services.store
    add = store.add

    async def slowly(event: Event, change: Change) -> bool:
        added = await add(event, change)
        await asyncio.sleep(0.6)
        return bool(added)

    monkeypatch.setattr(store, "add", slowly)
    async with awake.session_lost():
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert awake.services.queue.find(missed.id) is not None


async def test_of_a_busy_channel_the_latest_messages_are_read(awake: Comings) -> None:
    """In one request; what came before is not answered."""
    awake.bound(messages=5)
    async with awake.session_lost():
        awake.ask("too early")
        for number in range(4):
            awake.say(str(number))
        missed = awake.ask("are you there?")
    await awake.accepted(missed)
    assert awake.taken_in == [missed.id]
    assert awake.reads == [awake.general.id]


async def test_of_many_channels_those_written_in_last_are_read(
    awake: Comings, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says that it was not all."""
    awake.bound(channels=1)
    busy = awake.discord.add_channel(awake.guild, "busy")
    async with awake.session_lost():
        awake.ask("first")
        missed = awake.ask("last", busy)
    await awake.accepted(missed)
    assert awake.reads == [busy.id]
    assert "2 channels" in caplog.text


async def test_what_was_missed_is_not_logged(
    awake: Comings, caplog: pytest.LogCaptureFixture
) -> None:
    """Counts are."""
    caplog.set_level(logging.INFO, "red.aurora")
    async with awake.session_lost():
        missed = awake.ask("a secret")
    await awake.accepted(missed)
    await awake.discord.wait_for(lambda: "1 missed messages" in caplog.text or None)
    assert "a secret" not in caplog.text


# -- a new start


async def test_before_its_first_start_nobody_is_answered(place: Comings) -> None:
    """People may have spoken of a bot that was not there yet."""
    early = place.ask("anybody here?")
    async with place.started():
        await place.settle()
        now = place.ask("hello")
        await place.accepted(now)
        assert early.id not in place.taken_in
    assert place.reads == []


async def test_what_was_missed_while_red_was_down_is_taken_in(place: Comings) -> None:
    """And nothing a second time."""
    async with place.started():
        await place.settle()
        known = place.ask("before")
        await place.accepted(known)
    missed = place.ask("are you there?")
    async with place.started():
        await place.accepted(missed)
        await place.accepted(place.ask("after"))
    assert place.taken_in[:2] == [known.id, missed.id]
    assert len(place.taken_in) == 3


async def test_what_is_older_than_ten_minutes_is_not_answered(place: Comings) -> None:
    """It would come as a surprise."""
    place.behind = 1800
    async with place.started():
        await place.settle()
        await place.accepted(place.ask("before"))
    place.behind = 11 * 60
    late = place.ask("are you there?")
    place.behind = 9 * 60
    missed = place.ask("hello?")
    place.behind = 0
    async with place.started():
        await place.accepted(missed)
    assert late.id not in place.taken_in


async def test_a_direct_message_missed_while_red_was_down_is_taken_in(place: Comings) -> None:
    """Discord tells nothing of these; the ledger knows where people wrote before."""
    dm = place.discord.open_dm(place.bo)
    async with place.started():
        await place.settle()
        await place.accepted(place.say("hello", dm, place.bo))
    missed = place.say("are you there?", dm, place.bo)
    async with place.started():
        await place.accepted(missed)
    assert len(place.taken_in) == 2


async def test_of_many_direct_messages_the_latest_are_read_and_the_owners_hear_of_the_others(
    awake: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty people wrote, fifty were looked at, and nobody heard of the others."""
    told: list[Sequence[Unread]] = []
    monkeypatch.setattr(awake.services.catchup, "_tell", told.append)
    awake.bound(dms=1)
    early, late = awake.discord.open_dm(awake.bo), awake.discord.open_dm(awake.ada)
    await awake.accepted(awake.say("hello", early, awake.bo))
    await awake.accepted(awake.say("hello", late, awake.ada))
    async with awake.session_lost():
        awake.say("are you there?", early, awake.bo)
        missed = awake.say("are you there?", late, awake.ada)
    await awake.accepted(missed)
    await awake.discord.wait_for(lambda: told or None)
    assert len(awake.taken_in) == 3
    assert [(one.guild_id, one.channel_id) for one in told[0]] == [(None, early.id)]


async def test_sixty_people_who_wrote_in_private_are_all_caught_up_with(
    awake: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small bot has that many. Nobody answers here, so more may wait than do otherwise."""
    monkeypatch.setattr(WorkRules, "capacity", lambda *_: 1000)
    people = [awake.discord.add_user(f"friend{number}") for number in range(60)]
    channels = []
    for one in people:
        awake.discord.add_member(awake.guild, one)
        channels.append(awake.discord.open_dm(one))
        awake.say("hello", channels[-1], one)
    await awake.discord.wait_for(lambda: len(awake.taken_in) == 60 or None)
    async with awake.session_lost():
        missed = [awake.say("there?", dm, one) for dm, one in zip(channels, people, strict=True)]
    for message in missed:
        await awake.accepted(message)


async def test_what_was_missed_between_unload_and_load_is_taken_in(awake: Comings) -> None:
    """A reload takes a moment."""
    await awake.accepted(awake.ask("before"))
    heard = awake.say("just talking")
    await awake.accepted(awake.ask("still before"))
    await awake.command("unload aurora")
    awake.discord.edit(heard, f"<@{awake.discord.bot_user.id}> just talking")
    missed = awake.ask("are you there?")
    await awake.command("load aurora")
    await awake.accepted(missed)
    assert awake.taken_in[2:] == [missed.id]


async def test_after_a_crash_neither_the_refused_nor_the_accepted_come_again(
    place: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was heard since that was last kept is read once more, and known."""

    async def nothing(*_: object) -> None:
        return

    async with place.started():
        await place.settle()
        # As a process that is killed: what it hears from now on is not kept.
        monkeypatch.setattr(place.services.store, "note", nothing)
        settings = place.services.settings
        await settings.set_guild(place.guild.id, max_queue_size=1)
        known = place.ask("this fits")
        await place.accepted(known)
        refused = place.ask("this does not")
        await place.discord.wait_for(lambda: refused.reactions or None)
        await settings.set_guild(place.guild.id, max_queue_size=50)
    missed = place.ask("are you there?")
    async with place.started():
        await place.accepted(missed)
    assert place.taken_in == [known.id, missed.id]


async def test_a_catch_up_that_was_cut_short_is_made_up_for_at_the_next_load(
    awake: Comings,
) -> None:
    """What was heard is kept only when nothing is left to be read."""
    await awake.accepted(awake.ask("before"))
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=1.0)
    async with awake.session_lost():
        missed = awake.ask("are you there?")
    await awake.discord.wait_for(lambda: awake.reads)
    await awake.command("unload aurora")
    assert missed.id not in awake.taken_in
    await awake.command("load aurora")
    await awake.accepted(missed)


async def test_what_is_still_on_its_way_in_does_not_count_as_heard(place: Comings) -> None:
    """Or a kill at that moment would lose it."""
    async with place.started():
        place.bound(heartbeat=0.05)
        await place.settle()
        first = place.say("the beginning", author=place.bo)
        second = place.discord.say(place.bo, place.general, "and then", reply_to=first)
        await place.accepted(place.ask("hello"))
        place.red.bot._connection._messages.clear()  # type: ignore[union-attr]  # as after a restart
        place.discord.faults.rate_limit("GET", rf"/messages/{first.id}$", retry_after=0.5)
        text = f"<@{place.discord.bot_user.id}> so?"
        late = place.discord.say(place.ada, place.general, text, reply_to=second)
        await asyncio.sleep(0.2)
        assert late.id not in place.taken_in
        assert int(await place.services.store.noted("listening")) == late.id - 1
        await place.accepted(late)
        await asyncio.sleep(0.2)
        assert int(await place.services.store.noted("listening")) == late.id


async def test_unload_waits_for_no_catch_up(awake: Comings) -> None:
    """It ends at once, with all its tasks."""
    awake.bound(channel=60.0)
    awake.discord.faults.rate_limit("GET", "/messages$", retry_after=60.0)
    async with awake.session_lost():
        awake.ask("are you there?")
    await awake.discord.wait_for(lambda: awake.reads)
    await asyncio.wait_for(awake.command("unload aurora"), 5)
    assert [task for task in asyncio.all_tasks() if "aurora" in str(task.get_coro())] == []


# -- with an agent


async def test_a_missed_mention_is_answered_once_and_nothing_again(town: Town) -> None:
    """One answer for each, whatever the gateway does."""
    first = mention(town, "[[say:before]]")
    assert await end_of(town, first) == ("answered", "delivered")
    async with session_lost(town.red.bot, town.discord):
        missed = mention(town, "[[say:meanwhile]]")
    assert await end_of(town, missed) == ("answered", "delivered")
    await works(town)
    said = [one.content for one in town.bot_messages(town.general)]
    assert [said.count(text) for text in ("before", "meanwhile", "still here")] == [1, 1, 1]
