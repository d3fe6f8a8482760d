"""What every Store keeps of changes to agents' memories."""

from __future__ import annotations

from typing import Any

from aurora.ledger import Store
from aurora.ledger.memory_log import KEPT_OF_A_FILE
from aurora.model import MemoryChange

ADA, BOB = 7, 8


def made(path: str = "places/1/x.md", **changes: Any) -> MemoryChange:
    """Return a change that Ada asked for in a channel."""
    change = MemoryChange("agent-1", path, "write", ADA, 1, 9, "turn_1", 5.5, 12)
    return change._replace(**changes)


async def test_a_change_is_kept_whole_and_found_by_its_number(store: Store) -> None:
    """Who, where, when, which file and how long; what the server calls it comes later."""
    number = await store.record_memory(made())
    assert await store.memory_change(number) == made(number=number)
    await store.settle_memory(number, "abc")
    assert await store.memory_change(number) == made(number=number, version="abc")
    assert await store.memory_change(number + 1) is None


async def test_a_change_that_was_not_made_is_dropped(store: Store) -> None:
    """Where the file was written before is what counts again."""
    first = await store.record_memory(made(channel_id=4))
    await store.settle_memory(await store.record_memory(made()), None)
    assert await store.memory_changes("agent-1", made().path) == [made(channel_id=4, number=first)]
    assert await store.memory_places("agent-1") == {made().path: 4}


async def test_a_number_is_never_given_twice(store: Store) -> None:
    """Somebody may undo by a number that they read an hour ago."""
    first = await store.record_memory(made())
    await store.settle_memory(first, None)
    assert await store.record_memory(made()) > first


async def test_the_place_of_a_file_is_that_of_its_latest_change(store: Store) -> None:
    """Of each agent's own, not of what is gone; it may be settled late, and may be unknown."""
    await store.record_memory(made("gone.md"))
    await store.record_memory(made("gone.md", act="delete"))
    await store.record_memory(made(channel_id=1))
    await store.record_memory(made(channel_id=2))
    await store.record_memory(made(agent_id="agent-2", channel_id=3))
    undone = await store.record_memory(made("people/7/y.md", channel_id=None, guild_id=None))
    assert await store.memory_places("agent-1") == {made().path: 2, "people/7/y.md": None}
    await store.settle_memory(undone, "v", (5, 9))
    assert (await store.memory_places("agent-1"))["people/7/y.md"] == 5


async def test_the_log_has_the_newest_first(store: Store) -> None:
    """Of all agents, as many as are wanted; or of one guild."""
    await store.record_memory(made("people/7/dm/x.md", guild_id=None))
    await store.record_memory(made(agent_id="agent-there", guild_id=10))
    assert [one.agent_id for one in await store.memory_log(9, 10)] == ["agent-there"]
    assert set(await store.memory_agents()) == {"agent-1", "agent-there"}
    for number in range(4):
        await store.record_memory(made(agent_id=f"agent-{number}"))
    assert [one.agent_id for one in await store.memory_log(2)] == ["agent-3", "agent-2"]


async def test_of_a_file_the_latest_changes_are_kept(store: Store) -> None:
    """One that is written every minute does not fill the ledger; other files keep theirs."""
    other = await store.record_memory(made("other.md"))
    numbers = [await store.record_memory(made()) for _ in range(KEPT_OF_A_FILE + 3)]
    kept = [one.number for one in await store.memory_changes("agent-1", made().path)]
    assert kept == numbers[:2:-1]
    assert await store.memory_change(numbers[0]) is None
    assert await store.memory_change(other) is not None


async def test_a_forgotten_person_has_no_part_in_any_change(store: Store) -> None:
    """What is written of them goes; of what they had written elsewhere the place stays known."""
    for path in ("people/7/x.md", "people/7/dm/y.md", "people/70/x.md", "people/8/x.md"):
        await store.record_memory(made(path, author_id=BOB))
    await store.record_memory(made(author_id=ADA))
    await store.record_memory(made("persona.md", author_id=ADA, channel_id=3, guild_id=None))
    await store.forget_user(ADA)
    left = {one.path: one for one in await store.memory_log(20)}
    assert set(left) == {"people/70/x.md", "people/8/x.md", made().path}
    assert (left[made().path].author_id, left[made().path].turn_id) == (None, "")
    assert left[made().path].channel_id == 1
    assert left["people/8/x.md"].author_id == BOB
