"""A ledger that can't be used: its owner is told, and nothing in it is overwritten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import psutil
import pytest

from aurora.ledger import EVERYWHERE
from doubles.local_discord import Message
from tests.support.disks import no_file_longer_than
from tests.support.e2e.hands import register
from tests.support.e2e.seen import mention, owner_reads, said_since, works
from tests.support.e2e.town import Town
from tests.support.rivals import Rival, rival_at


def folder(town: Town) -> Path:
    """Return where Aurora keeps its data."""
    return Path(town.cog.services.store._path).parent


async def test_a_damaged_ledger_is_set_aside_and_the_owner_told(town: Town) -> None:
    """A fresh one is begun, and the damaged one kept for whoever can mend it."""
    home = folder(town)
    await town.command("unload aurora")
    (home / "ledger.sqlite3").write_bytes(b"not a database, but somebody's data")
    await town.command("load aurora")
    (told,) = await owner_reads(town)
    (aside,) = home.glob("ledger.sqlite3.corrupt-*")
    assert aside.name in told
    assert aside.read_bytes() == b"not a database, but somebody's data"
    await works(town)


@pytest.fixture
async def second(town: Town) -> AsyncIterator[tuple[Town, Rival]]:
    """A town whose Aurora came second: another process has the ledger."""
    home = folder(town)
    await town.command("unload aurora")
    with rival_at(home / "ledger.sqlite3") as rival:
        await town.command("load aurora")
        (told,) = await owner_reads(town)
        assert "standing by: another Aurora holds this folder" in told
        yield town, rival


def ids(town: Town, message: Message) -> tuple[int, int, int, int]:
    """Return what the other process is told of a message."""
    return message.id, message.channel.id, town.guild.id, message.author.id


async def silent(town: Town, *messages: Message) -> None:
    """See that the bot says and marks nothing, once it has seen the messages."""
    office = town.discord.add_channel(town.guild, "office")
    said = await town.command("aurora queue status", channel=office)
    assert "standing by: another Aurora holds this folder" in said
    for message in messages:
        assert town.marks(message) == []
        assert [one for one in said_since(town, message) if one[0] != "office"] == []


async def test_a_second_aurora_keeps_silent_and_takes_over_when_the_first_has_ended(
    second: tuple[Town, Rival],
) -> None:
    """What the first answered is not touched; what it did not see is answered, each once."""
    town, rival = second
    theirs = mention(town, "for the first")
    rival.answer(*ids(town, theirs))
    missed = mention(town, "[[say:for the second]]")
    edited = mention(town, "changed")
    town.discord.edit(edited, f"{town.mention} [[say:changed indeed]]")
    deleted = mention(town, "deleted")
    town.discord.delete(deleted)
    await silent(town, theirs, missed, edited)
    rival.end()
    await town.discord.wait_for(lambda: town.answers(missed) and town.answers(edited), 30)
    await works(town, town.discord.add_channel(town.guild, "room"))
    assert (town.answers(theirs), town.marks(theirs)) == ([], [])
    assert [len(town.answers(one)) for one in (missed, edited)] == [1, 1]
    assert len(await owner_reads(town)) == 1


async def test_a_second_aurora_goes_on_with_what_a_killed_one_has_left(
    second: tuple[Town, Rival],
) -> None:
    """It waits in the ledger, and is answered once."""
    town, rival = second
    message = mention(town, "[[say:at last]]")
    rival.accept(*ids(town, message))
    await silent(town, message)
    rival.kill()
    await town.discord.wait_for(lambda: town.answers(message), 30)
    assert (await town.ended(message)).step == "answered"
    await works(town)
    assert len(town.answers(message)) == 1


async def test_who_asks_during_the_take_over_overtakes_nobody_who_was_missed(
    second: tuple[Town, Rival],
) -> None:
    """Until it is known what was missed nothing counts as heard."""
    town, rival = second
    missed = mention(town, "missed")
    await silent(town, missed)
    store, asked = town.cog.services.store, list[Message]()
    noted = store.noted

    async def slow(key: str) -> str | None:
        if not asked:
            asked.append(mention(town, "asked meanwhile"))
            seen = lambda: any(one.id == asked[0].id for one in town.cog.bot.cached_messages)  # noqa: E731
            await town.discord.wait_for(seen, 20)
            # So much time has Red to hand it on.
            await asyncio.sleep(0.5)
        return cast(str | None, await noted(key))

    store.noted = slow
    rival.end()
    await town.discord.wait_for(lambda: asked, 30)
    for message in (missed, asked[0]):
        assert (await town.ended(message)).step == "answered"
    listed = await store.recent(EVERYWHERE, limit=2)
    assert [one.event.message_id for one in listed] == [asked[0].id, missed.id]


async def test_a_slash_command_is_left_to_the_aurora_that_works(
    second: tuple[Town, Rival],
) -> None:
    """Discord takes one response to it: to say anything would take it from the other."""
    town, _ = second
    await register(town)
    asked = town.discord.slash(town.ada, town.general, "aurora queue status", {})
    await silent(town)
    assert asked.response is None


async def test_a_ledger_that_can_not_be_taken_over_is_told(second: tuple[Town, Rival]) -> None:
    """Then nobody answers any more, and that is shown as after any start that fails."""
    town, rival = second
    ledger = folder(town) / "ledger.sqlite3"
    rival.end()
    ledger.unlink()
    ledger.mkdir()
    dm = town.discord.open_dm(town.ada)
    await town.discord.wait_for(lambda: len(town.bot_messages(dm)) > 1, 30)
    assert f"{ledger} is a folder" in town.bot_messages(dm)[1].content
    message = mention(town, "anybody there?")
    await town.discord.wait_for(lambda: town.marks(message) == ["⏹️"])
    assert "could not start" in await town.command("aurora queue status")
    ledger.rmdir()
    await town.command("reload aurora")
    await works(town)


async def test_an_aurora_that_stands_by_is_unloaded_without_a_rest(
    second: tuple[Town, Rival],
) -> None:
    """No task, no thread and no open file of the ledger's."""
    town, rival = second
    await town.command("unload aurora")
    assert [one for one in asyncio.all_tasks() if "aurora" in one.get_name()] == []
    assert [one.name for one in threading.enumerate() if "aurora" in one.name] == []
    assert [one.path for one in psutil.Process().open_files() if "ledger" in one.path] == []
    rival.end()
    await town.command("load aurora")
    await works(town)


async def test_a_ledger_that_is_deleted_is_written_anew_and_the_owner_told(town: Town) -> None:
    """Nobody waits for it, nobody is asked twice, and nothing is lost by the restart."""
    home = folder(town)
    before = mention(town, "[[say:before]]")
    await town.ended(before)
    for file in home.glob("ledger.sqlite3*"):
        file.unlink()
    meanwhile = mention(town, "[[say:meanwhile]]")
    await town.ended(meanwhile)
    (told,) = await owner_reads(town)
    assert "was deleted" in told
    assert "nothing is lost" in told
    await town.command("reload aurora")
    for message in (before, meanwhile):
        event = await town.cog.services.store.find(message.id)
        assert event is not None
        assert event.state.final
    await works(town)
    assert [len(town.answers(one)) for one in (before, meanwhile)] == [1, 1]


async def test_a_disk_that_takes_no_more_is_told_once_and_once_that_it_does_again(
    town: Town,
) -> None:
    """People see it on their messages, the owner in two messages, however many they are."""
    await works(town)
    log = folder(town) / "ledger.sqlite3-wal"
    with no_file_longer_than(log.stat().st_size):
        messages = [mention(town, "anybody there?") for _ in range(5)]
        await town.discord.wait_for(
            lambda: all(town.marks(message) == ["⚠️"] for message in messages), 30
        )
        (told,) = await owner_reads(town)
        assert "can't be read or written" in told
    dm = town.discord.open_dm(town.ada)
    await town.discord.wait_for(lambda: len(town.bot_messages(dm)) > 1, 30)
    assert "can be written again" in town.bot_messages(dm)[1].content
    await works(town)
    assert len(town.bot_messages(dm)) == 2
