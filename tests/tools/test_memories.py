"""What Aurora itself does with agents' memories: undo a change, and forget a person."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from aurora.guard.remembering import MemoryGuard
from aurora.model import MemoryChange
from aurora.reasons import AgentError, Outcome
from aurora.settings import Settings
from aurora.tools.host import RunTools, Toolbox
from aurora.tools.memories import Memories, NotUndone
from doubles.local_discord import Channel
from tests.support.clocks import FakeClock
from tests.support.keepers import Keeper
from tests.support.memories import Files
from tests.support.stage import Stage, together

OWNER = 99


@dataclass
class House:
    """A stage whose agents have a memory."""

    stage: Stage
    files: Files
    memories: Memories
    toolbox: Toolbox
    path: str
    near: set[tuple[int, int]]
    """From which channel everybody may read which other."""

    async def tools(self, channel: Channel | None = None) -> RunTools:
        """Return the tools of a run that Ada asks for."""
        return self.toolbox.open(together(await self.stage.ask(channel)), "agent-1")

    async def write(self, text: str, channel: Channel | None = None) -> MemoryChange:
        """Have a note on Ada written; return the record of it."""
        arguments = {"path": self.path, "content": text}
        result = await (await self.tools(channel)).call("memory_write", arguments)
        assert not result.is_error
        return (await self.stage.store.memory_log(1))[0]

    async def reads(self, channel: Channel | None = None) -> str:
        """Return what an agent gets to read of the note."""
        return (await (await self.tools(channel)).call("memory_read", {"path": self.path})).text


@pytest.fixture
async def house(stage: Stage) -> House:
    """A house where agent-1 answers."""
    settings = Settings(Keeper({}, {stage.guild.id: {"agent_id": "agent-1"}}))
    await settings.load()
    files, clock, near = Files(), FakeClock(), set[tuple[int, int]]()

    async def within(reader: int, writer: int) -> bool:
        return (reader, writer) in near

    guard = MemoryGuard(stage.store, stage.guard, within=within)
    toolbox = Toolbox(
        stage.bot, stage.store, stage.sender, stage.guard, clock, lambda: files, memory_guard=guard
    )
    memories = Memories(settings, stage.store, guard, clock, lambda: files)
    return House(stage, files, memories, toolbox, f"people/{stage.ada.id}/x.md", near)


async def test_what_is_put_back_is_read_where_it_was_written(house: House) -> None:
    """Not where that was written which took its place."""
    lounge = house.stage.local.add_channel(house.stage.guild, "lounge")
    await house.write("from here")
    house.near.add((lounge.id, house.stage.channel.id))
    written = await house.write("from the lounge", lounge)
    assert "may be read here" in await house.reads()
    assert await house.memories.undo(written, OWNER) is True
    assert "from here" in await house.reads()


async def test_a_note_that_was_not_there_before_is_gone(house: House) -> None:
    """And its name free for every place."""
    lounge = house.stage.local.add_channel(house.stage.guild, "lounge")
    await house.write("from here")
    await (await house.tools()).call("memory_delete", {"path": house.path})
    written = await house.write("from the lounge", lounge)
    assert await house.memories.undo(written, OWNER) is False
    assert house.files.files == {}
    await house.write("from here again")


async def test_an_undone_deletion_brings_the_note_back_to_its_place(house: House) -> None:
    """And the undoing is recorded as the owner's; it can be undone too."""
    lounge = house.stage.local.add_channel(house.stage.guild, "lounge")
    await house.write("from here")
    await (await house.tools(lounge)).call("memory_delete", {"path": house.path})
    (deleted,) = await house.stage.store.memory_log(1)
    assert await house.memories.undo(deleted, OWNER) is True
    assert "from here" in await house.reads()
    assert "from here" not in await house.reads(lounge)
    (undone,) = await house.stage.store.memory_log(1)
    assert (undone.act, undone.author_id, undone.turn_id) == ("undo", OWNER, "")
    await house.memories.undo(undone, OWNER)
    assert house.files.files == {}


async def test_a_change_that_was_overtaken_is_not_undone(house: House) -> None:
    """Refused in words; of the try no record is left, and the note is read as before."""
    first = await house.write("one")
    await house.write("two")
    with pytest.raises(NotUndone, match="changed since"):
        await house.memories.undo(first, OWNER)
    assert len(await house.stage.store.memory_log(9)) == 2
    assert "two" in await house.reads()


async def test_a_change_of_unknown_fate_is_not_undone(house: House) -> None:
    """There is no version to go back from."""
    written = await house.write("one")
    with pytest.raises(NotUndone, match="is not known"):
        await house.memories.undo(written._replace(version=""), OWNER)


async def test_a_server_that_is_lost_in_the_middle_leaves_the_note_unread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands there may be from one place or from the other."""

    async def lost(_agent_id: str, _path: str, _version: str) -> str:
        raise AgentError(Outcome.UNREACHABLE, "gone")

    written = await house.write("one")
    monkeypatch.setattr(house.files, "memory_undo", lost)
    with pytest.raises(NotUndone, match="unknown"):
        await house.memories.undo(written, OWNER)
    assert "one" not in await house.reads()


async def test_forgetting_deletes_a_persons_folder_and_no_other(house: House) -> None:
    """Their direct messages and its index too; the index last, for the server wants it."""
    own = f"people/{house.stage.ada.id}"
    deleted: list[str] = []
    for path in (f"{own}/MEMORY.md", f"{own}/x.md", f"{own}/dm/y.md", f"{own}1/x.md", "a.md"):
        await house.files.memory_write("agent-1", path, "x")
    real = house.files.memory_delete

    async def memory_delete(agent_id: str, path: str) -> str:
        deleted.append(path)
        return await real(agent_id, path)

    house.files.memory_delete = memory_delete  # type: ignore[method-assign]
    await house.memories.forget(house.stage.ada.id, await house.memories.agents())
    assert sorted(path for _, path in house.files.files) == ["a.md", f"{own}1/x.md"]
    assert deleted[-1] == f"{own}/MEMORY.md"


async def test_an_agent_that_answers_nowhere_any_more_forgets_too(house: House) -> None:
    """It is known by what it once wrote."""
    written = await house.write("one")
    await house.stage.store.record_memory(written._replace(agent_id="agent-old"))
    await house.files.memory_write("agent-old", house.path, "two")
    assert await house.memories.agents() == {"agent-1", "agent-old"}
    await house.memories.forget(house.stage.ada.id, await house.memories.agents())
    assert house.files.files == {}


async def test_a_server_that_is_away_while_somebody_is_forgotten_is_logged(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent by its id; the person is to be forgotten, also by the log."""

    async def away(_agent_id: str) -> list[str]:
        raise AgentError(Outcome.UNREACHABLE, "gone")

    monkeypatch.setattr(house.files, "memory_list", away)
    with caplog.at_level(logging.INFO):
        await house.memories.forget(house.stage.ada.id, await house.memories.agents())
    assert "agent-1" in caplog.text
    assert str(house.stage.ada.id) not in caplog.text
