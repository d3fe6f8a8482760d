"""What every Store keeps of schedules."""

from __future__ import annotations

from dataclasses import replace

from aurora.ledger import Store
from aurora.model import Schedule


async def test_a_schedule_is_kept_whole(store: Store) -> None:
    """Every field of it; one that was removed does not come back by being kept again."""
    new = Schedule(1, 2, 3, "weekly 0,3 540", "greet", 5.5, True, 0, 4.5, True, 2, "fails", 3, "d")
    kept = await store.keep_schedule(new)
    assert kept == replace(new, id=kept.id)
    assert list(await store.schedules()) == [kept]
    await store.drop_schedule(kept.id)
    await store.keep_schedule(kept)
    assert list(await store.schedules()) == []
