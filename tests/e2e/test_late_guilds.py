"""Guilds that are late, gone for a while or away for long; by the patience that Red really has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.local_discord import Channel, Message
from tests.support.e2e.away import Comings

TRIALS = 5


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Comings]:
    """A Discord where guilds come and go as well."""
    async with Comings(tmp_path).open() as place:
        yield place


def order_in(place: Comings, channel: Channel) -> list[int]:
    """Return the messages of a channel that were accepted, in that order."""
    return [
        change.message_id
        for change in place.changes
        if change.step == "queued" and change.channel_id == channel.id
    ]


async def kill(place: Comings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing more be kept of what is heard, as when a process dies here."""

    async def nothing(*_: object) -> None:
        return

    monkeypatch.setattr(place.services.store, "note", nothing)


async def test_what_was_missed_in_a_guild_that_comes_after_readiness_is_taken_in(
    place: Comings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, asked meanwhile, and its guild is not there yet when Red is."""
    async with place.started():
        await place.settle()
        await place.accepted(place.ask("before"))
        await kill(place, monkeypatch)
    missed = [place.ask(str(number)) for number in range(3)]
    place.discord.gateway.absent.add(place.guild.id)
    async with place.started(patience=None):
        assert place.taken_in[1:] == []
        place.discord.gateway.bring(place.guild)
        live = place.ask("and now?")
        await place.accepted(live)
        assert place.taken_in[1:] == [*(one.id for one in missed), live.id]


async def test_what_was_missed_in_an_outage_of_one_guild_is_taken_in(place: Comings) -> None:
    """Its session goes on, and says nothing of it."""
    async with place.started(patience=None):
        await place.settle()
        await place.accepted(place.ask("before"))
        gone = asyncio.create_task(place.red.bot.wait_for("guild_unavailable", timeout=20))
        await asyncio.sleep(0)  # it listens from its first step on
        place.discord.gateway.withdraw(place.guild)
        await gone
        missed = [place.ask(str(number)) for number in range(3)]
        place.discord.gateway.bring(place.guild)
        live = place.ask("and now?")
        await place.accepted(live)
        assert place.taken_in[1:] == [*(one.id for one in missed), live.id]


async def test_a_guild_that_a_whole_life_long_did_not_come_is_read_in_the_next(
    place: Comings,
) -> None:
    """Others are heard meanwhile, and that is kept of them alone."""
    other = place.discord.add_guild("Elsewhere", owner=place.ada)
    square = place.discord.add_channel(other, "square")
    async with place.started():
        await place.settle()
        await place.services.settings.set_guild(other.id, agent_id="agent-1", enabled=True)
        await place.accepted(place.ask("before"))
    missed = place.ask("is anybody there?")
    place.discord.gateway.absent.add(place.guild.id)
    async with place.started(patience=None):
        elsewhere = place.ask("hello", square)
        await place.accepted(elsewhere)
    place.discord.gateway.absent.clear()
    async with place.started(patience=None):
        await place.accepted(missed)
        await place.accepted(place.ask("and here?", square))
    assert place.taken_in.count(missed.id) == place.taken_in.count(elsewhere.id) == 1


async def test_what_is_said_as_a_new_session_begins_comes_after_what_was_missed(
    place: Comings,
) -> None:
    """For two seconds Red itself is not ready, and people write on."""
    async with place.started(patience=None):
        await place.settle()
        for trial in range(TRIALS):
            channel = place.discord.add_channel(place.guild, f"trial {trial}")
            place.say("it begins", channel)
            place.discord.faults.rate_limit("GET", f"{channel.id}/messages$", retry_after=0.3)
            known = set(place.discord.gateway.sessions)
            speaking = asyncio.create_task(_speak(place, channel, known))
            async with place.session_lost():
                asked = [place.ask(str(number), channel) for number in range(4)]
            asked += await speaking
            await place.accepted(asked[-1])
            assert order_in(place, channel) == [one.id for one in asked]


async def _speak(place: Comings, channel: Channel, known: set[str]) -> list[Message]:
    """Ask six more things once a new session is there."""
    await place.discord.wait_for(lambda: set(place.discord.gateway.sessions) - known)
    said = []
    for number in range(4, 10):
        said.append(place.ask(str(number), channel))
        await asyncio.sleep(0.05)
    return said


async def test_a_channel_in_which_nothing_was_missed_waits_for_nothing(place: Comings) -> None:
    """Whoever asks there is answered at once, though another channel can't be read yet."""
    async with place.started(patience=None):
        await place.settle()
        side = place.discord.add_channel(place.guild, "side")
        place.say("quiet here", side)
        await place.accepted(place.ask("before"))
        place.discord.faults.rate_limit("GET", f"{place.general.id}/messages$", retry_after=5.0)
        async with place.session_lost():
            missed = place.ask("first")
        live = place.ask("second", side)
        await place.accepted(live)
        assert missed.id not in place.taken_in
        await place.accepted(missed)
