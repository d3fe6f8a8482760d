"""A ledger as version 2 kept it: all that was known is there, and is counted.

`version_2/` holds a file that an Aurora of that version wrote and left when it was killed, with
its log, and what that Aurora made of it when it opened it again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aurora.ledger import EVERYWHERE, Backlog, Where
from aurora.ledger.sqlite import SqliteStore
from aurora.model import State
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.house import ROOT
from tests.support.stores import FILE, change, end, sqlite_store, tamper

VERSION_2 = ROOT / "tests" / "ledger" / "version_2"
PLACES: dict[str, Where] = {"everywhere": EVERYWHERE, "": None, "8": 8, "9": 9}
KNOWN: dict[str, Any] = json.loads((VERSION_2 / "died.json").read_text())


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[SqliteStore, Backlog]]:
    """The ledger, opened today."""
    for suffix in ("", "-wal"):
        shutil.copy(VERSION_2 / f"died.sqlite3{suffix}", tmp_path / f"{FILE}{suffix}")
    store = sqlite_store(FakeClock(epoch=KNOWN["at"]), tmp_path)
    yield store, await store.open()
    await store.close()


async def test_it_is_counted_as_it_was(opened: tuple[SqliteStore, Backlog]) -> None:
    """Nothing was counted before; what is there is counted once, and what follows too."""
    store, _ = opened
    for name, place in PLACES.items():
        assert await store.counts(place) == KNOWN["counts"][name]
    waiting = await store.recent(9, states=[State.WAITING])
    await end(store, waiting[0].event, State.EXPIRED)
    counts = await store.counts(9)
    assert counts[State.EXPIRED] == KNOWN["counts"]["9"]["expired"] + 1
    assert counts[State.WAITING] == KNOWN["counts"]["9"]["waiting"] - 1


@pytest.mark.parametrize("name", PLACES)
async def test_it_is_listed_as_it_was(opened: tuple[SqliteStore, Backlog], name: str) -> None:
    """Newest first, in every place, with the tries of each."""
    listed = await opened[0].recent(PLACES[name], limit=100)
    found = [[one.event.id, one.event.state, one.tries, one.speaks] for one in listed]
    assert found == KNOWN["recent"][name]


async def test_what_was_unfinished_comes_back(opened: tuple[SqliteStore, Backlog]) -> None:
    """In its order, with what was said; and what ran is a crash older, once."""
    store, backlog = opened
    assert [[one.id for one in turn.events] for turn in backlog.turns] == KNOWN["turns"]
    assert [turn.crashes for turn in backlog.turns] == KNOWN["crashes"]
    for event_id, words in KNOWN["words"].items():
        event = await store.get(event_id)
        assert event is not None
        assert event.context["message"]["content"] == words


async def test_all_else_is_there(opened: tuple[SqliteStore, Backlog]) -> None:
    """Changes, direct messages, refusals, notes and conversations."""
    store, _ = opened
    assert list(await store.dm_channels(0.0)) == KNOWN["dms"]
    changes = await store.changes(limit=1000)
    assert [one["event_id"] for one in changes] == KNOWN["changes"]
    assert await store.refusal(77) == "full"
    assert [await store.noted(key) for key in "ab"] == ["fact", "fact"]
    assert await store.conversation("agent", "channel:100") == "conv"


async def test_it_can_shrink_from_now_on(opened: tuple[SqliteStore, Backlog]) -> None:
    """It was begun as a file that can't."""
    assert await opened[0]._do(lambda tables: tables.db.pragma("auto_vacuum")) == 2


async def test_an_event_that_has_lost_its_words_is_found_all_the_same(tmp_path: Path) -> None:
    """The unfinished are found by their contexts now, and one may have been without."""
    shutil.copy(VERSION_2 / "died.sqlite3", tmp_path / FILE)
    shutil.copy(VERSION_2 / "died.sqlite3-wal", tmp_path / f"{FILE}-wal")
    tamper(tmp_path, "DELETE FROM contexts")
    store = sqlite_store(FakeClock(epoch=KNOWN["at"]), tmp_path)
    backlog = await store.open()
    assert [[one.id for one in turn.events] for turn in backlog.turns] == KNOWN["turns"]
    event = make_event(now=KNOWN["at"])
    assert await store.add(event, change(event))
    await store.close()
