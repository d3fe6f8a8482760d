"""A power-loss simulator: what is left of a ledger when the machine dies at any moment.

The real store works on a disk that notes every write, sync and truncation. A cut is a moment in
these notes: what had been synced by then is kept, and of what was written since, any 512-byte
sectors. Not modelled: disks that lie about syncs, and directory entries that get lost.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from aurora.clock import SystemClock
from aurora.ledger import EVERYWHERE
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State, Turn
from tests.support.events import make_event
from tests.support.stores import change, end, make_send, retry, sqlite_store, start

_SECTOR = 512
_CUTS_PER_RUN = 40
_EVENTS, _WORKERS = 60, 6
_names = itertools.count(1)

Note = tuple[Any, ...]
"""What happened on the disk, or that an operation was confirmed; the first part says which."""


@dataclass
class Result:
    """How often the power was cut, and after how many cuts something was wrong.

    `lost` counts cuts after which a confirmed operation was missing or half there, `corrupt`
    those after which the file was damaged.
    """

    cuts: int = 0
    lost: int = 0
    corrupt: int = 0


def run_cuts(count: int, seed: int, *, synchronous: str = "FULL") -> Result:
    """Cut the power `count` times; the same seed makes the same choices.

    Another value of the pragma `synchronous` shows what the simulator finds.
    """
    result, rng = Result(), random.Random(seed)  # noqa: S311 - dice, no secret
    while result.cuts < count:
        with tempfile.TemporaryDirectory() as folder:
            cuts = min(_CUTS_PER_RUN, count - result.cuts)
            asyncio.run(_run(Path(folder), cuts, rng, result, synchronous))
    return result


async def _run(
    folder: Path, cuts: int, rng: random.Random, result: Result, synchronous: str
) -> None:
    disk = _RecordingDisk()
    await _work(folder, disk, rng, synchronous)
    for number in range(cuts):
        notes = disk.notes[: rng.randrange(len(disk.notes) + 1)]
        after = folder / f"cut-{number}"
        after.mkdir()
        for name, content in _left(notes, rng).items():
            (after / name).write_bytes(content)
        lost, corrupt = await _judge(after, notes)
        result.cuts += 1
        result.lost += lost
        result.corrupt += corrupt


# -- the disk


class _RecordingDisk(apsw.VFS):
    def __init__(self) -> None:
        self.name = f"recording-{next(_names)}"
        self.notes: list[Note] = []
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return _RecordingFile(self.notes, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's
        super().xDelete(filename, syncdir)
        self.notes.append(("delete", Path(filename).name))


class _RecordingFile(apsw.VFSFile):
    def __init__(self, notes: list[Note], name: Any, flags: list[int]) -> None:
        self._notes = notes
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._notes.append(("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        self._notes.append(("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._notes.append(("sync", self._name))


@dataclass
class _Platter:
    """One file: what is safe, and what is only on its way."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Note] = field(default_factory=list)


def _left(notes: Sequence[Note], rng: random.Random) -> dict[str, bytes]:
    """Return the files as they are when the power comes back."""
    files: dict[str, _Platter] = defaultdict(_Platter)
    for note in notes:
        match note:
            case ("delete", name):
                files.pop(name, None)
            case ("sync", name):
                for pending in files[name].pending:
                    _apply(files[name].safe, pending)
                files[name].pending.clear()
            case ("write" | "truncate", name, *_):
                files[name].pending.append(note)
    # Sometimes the disk's cache was nearly written out, sometimes not at all.
    luck = rng.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    for file in files.values():
        for note in file.pending:
            for part in _sectors(note):
                if rng.random() < luck:
                    _apply(file.safe, part)
    return {name: bytes(file.safe) for name, file in files.items()}


def _sectors(note: Note) -> list[Note]:
    if note[0] != "write":
        return [note]
    _, name, offset, data = note
    edges = [*range(offset, offset + len(data), _SECTOR)]
    edges = [offset, *(edge - edge % _SECTOR for edge in edges[1:]), offset + len(data)]
    return [
        ("write", name, begin, data[begin - offset : finish - offset])
        for begin, finish in itertools.pairwise(edges)
    ]


def _apply(content: bytearray, note: Note) -> None:
    match note:
        case ("write", _, offset, data):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data
        case ("truncate", _, size):
            del content[size:]


# -- the work


async def _work(folder: Path, disk: _RecordingDisk, rng: random.Random, synchronous: str) -> None:
    """Take events through their lives, with a restart and moments of rest in between."""
    for life in range(2):
        store = sqlite_store(SystemClock(), folder, vfs=disk.name, synchronous=synchronous)
        await store.open()
        ids = iter(range(life * _EVENTS, (life + 1) * _EVENTS))
        workers = [_worker(store, disk.notes, ids, rng) for _ in range(_WORKERS)]
        await asyncio.gather(*workers)
        await store.close()


async def _worker(store: SqliteStore, notes: list[Note], ids: Any, rng: random.Random) -> None:
    for number in ids:
        event = make_event(message_id=1_000 + number, channel_id=number % 7, now=time.time())
        event.context["message"]["content"] = "x" * rng.choice([10, 1_000, 9_000])
        await store.add(event, change(event))
        notes.append(("confirmed", event.id, "queued"))
        turn = await start(store, event, at=time.time())
        notes.append(("confirmed", event.id, "running"))
        if rng.random() < 0.3:
            await retry(store, turn)
            notes.append(("confirmed", event.id, "retrying"))
        if rng.random() < 0.1:
            await asyncio.sleep(0.07)
        if rng.random() < 0.8:
            # Nobody is told that it is kept, but it is kept before what comes after it.
            await store.record_send(event, make_send(), lazily=True)
            await end(store, turn)
            notes.append(("confirmed", event.id, "answered"))


# -- the judgement


async def _judge(folder: Path, notes: Sequence[Note]) -> tuple[bool, bool]:
    """Start on what is left; return whether something is lost, and whether it is damaged."""
    confirmed: dict[str, list[str]] = defaultdict(list)
    for note in notes:
        if note[0] == "confirmed":
            confirmed[note[1]].append(note[2])
    store = sqlite_store(SystemClock(), folder)
    try:
        backlog = await store.open()
        checked = await store._do(lambda tables: tables.db.pragma("integrity_check"))
        if backlog.set_aside is not None or checked != "ok":
            return False, True
        return not await _is_whole(store, confirmed), False
    finally:
        with suppress(Exception):
            await store.close()


async def _is_whole(store: SqliteStore, confirmed: dict[str, list[str]]) -> bool:
    """Tell whether all that was confirmed is there, and each event agrees with its changes."""
    told: dict[str, list[str]] = defaultdict(list)
    for one in await store.changes(limit=100_000):
        told[one["payload"]["id"]].append(one["event_type"].rpartition(".")[2])
    if any(told[event_id][: len(steps)] != steps for event_id, steps in confirmed.items()):
        return False
    listed = await store.recent(EVERYWHERE, limit=100_000)
    events = {one.event.id: one.event for one in listed}
    if events.keys() != {event_id for event_id, steps in told.items() if steps}:
        return False
    return all([await _agrees(store, one, told[one.id]) for one in events.values()])


async def _agrees(store: SqliteStore, event: Event, steps: list[str]) -> bool:
    kept, turn = await store.get(event.id), await store.turn(event.turn_id or "")
    final = steps[-1] == "answered"
    return (
        kept is not None
        and kept.state is (State.ANSWERED if final else State.WAITING)
        and bool(kept.context) is not final
        and (not final or list(await store.sends(event.id)) == [make_send()])
        and _turn_agrees(turn, steps, final)
    )


def _turn_agrees(turn: Turn | None, steps: list[str], final: bool) -> bool:
    if turn is None:
        return "running" not in steps
    return (turn.ended_at is not None) is final and turn.interrupted is (steps[-1] == "running")
