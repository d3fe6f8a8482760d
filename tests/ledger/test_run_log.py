"""What every Store keeps of what a run shows: steps, and progress lines."""

from __future__ import annotations

from pathlib import Path

from aurora.ledger import Store
from aurora.model import Event, Step, Turn
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.stores import (
    DAY,
    Commits,
    change,
    end,
    make_send,
    sqlite_store,
    start,
)


async def running(store: Store, event: Event) -> Turn:
    """Let an event run."""
    await store.add(event, change(event))
    return await start(store, event)


async def note(store: Store, turn: Turn, *tools: str) -> list[Step]:
    """Note calls of some tools."""
    steps = [Step(turn.id, 1, 5.0 + number, "call", tool) for number, tool in enumerate(tools)]
    for step in steps:
        await store.note_step(step)
    return steps


async def test_steps_are_there_at_once_and_in_their_order(store: Store, event: Event) -> None:
    """Whoever looks at a run that goes on sees what it did a moment ago."""
    turn = await running(store, event)
    first = await note(store, turn, "discord_send", "")
    assert await store.steps(turn.id) == first
    later = await note(store, turn, "discord_add_reaction")
    await end(store, turn)
    assert await store.steps(turn.id) == [*first, *later]


async def test_steps_of_an_unknown_turn_are_not_kept(store: Store, event: Event) -> None:
    """Nor of one that was forgotten, whose agent goes on for a moment."""
    turn = await running(store, event)
    await store.forget_user(event.author_id)
    await note(store, turn, "discord_send")
    assert await store.steps(turn.id) == []


async def test_steps_go_with_their_turn(store: Store, event: Event, clock: FakeClock) -> None:
    """They are kept as long as it, and no longer."""
    turn = await running(store, event)
    await note(store, turn, "discord_send")
    await end(store, turn)
    await clock.advance(400 * DAY)
    other = make_event(now=clock.time())
    await store.add(other, change(other))
    for _ in range(200):
        if await store.turn(turn.id) is None:
            break
    await store.forget_user(event.author_id)
    assert await store.steps(turn.id) == []


async def test_steps_share_the_commit_of_what_comes_next(tmp_path: Path) -> None:
    """And are on disk when that is."""
    clock, commits = FakeClock(), Commits()
    store = sqlite_store(clock, tmp_path)
    store._opener = commits.open
    await store.open()
    turn = await running(store, make_event(now=clock.time()))
    before = commits.count
    steps = await note(store, turn, "discord_send", "discord_send")
    await store.record_send(turn.speaker, make_send())
    assert commits.count == before + 1
    await store.close()
    again = sqlite_store(clock, tmp_path)
    await again.open()
    assert await again.steps(turn.id) == steps
    await again.close()


async def test_a_line_is_found_until_it_is_dropped(store: Store, event: Event) -> None:
    """Also of who has ended: a kill may have left it behind. Answers are no lines."""
    turn = await running(store, event)
    line = make_send("progress", by="progress", message_ids=(77,))
    await store.record_send(event, line)
    await store.record_send(event, make_send())
    await end(store, turn)
    ((found, send),) = await store.lines()
    assert (found.id, found.state, send) == (event.id, event.state, line)
    await store.drop_line(event, "progress")
    assert await store.lines() == []
    assert [one.key for one in await store.sends(event.id)] == ["answer"]
