"""Steps and progress lines, as the stores keep them: in SQLite, and in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..model import Event, Send, Step
from .rows import EVENTS, Row, event_of, sql
from .run_log import Line
from .sends import SEND, put_send, send_row, sends_of
from .tables import Tables

_PUT_STEP = (
    "INSERT INTO steps SELECT id, "
    "(SELECT coalesce(max(number), 0) + 1 FROM steps WHERE turn = ?1), ?2, ?3, ?4, ?5 "
    "FROM turns WHERE id = ?1"
)
STEPS = "SELECT turn, attempt, at, kind, tool FROM steps WHERE turn = ? ORDER BY number"
LINES = sql(
    # There are few of them among a million others.
    "SELECT", EVENTS, ",", SEND, "FROM sends INDEXED BY sends_of_progress",
    "JOIN events ON events.seq = event WHERE sent_by = 'progress' ORDER BY event",
)  # fmt: skip
_EVENT_COLUMNS = EVENTS.count(",") + 1
_DROP_LINE = (
    "DELETE FROM sends WHERE event = (SELECT seq FROM events WHERE id = ?) AND key = ? "
    "AND sent_by = 'progress'"
)


class StoredRunLog:
    """The part of the SQLite store that keeps them."""

    _do: Callable[..., asyncio.Future[Any]]
    _sends: dict[str, dict[str, Send]]

    def __init__(self) -> None:
        self._noted: list[Step] = []

    async def note_step(self, step: Step) -> None:
        """Note a step."""
        self._noted.append(step)

    def _write_noted(self) -> None:
        """Let what was noted share the commit of what is asked for next."""
        if self._noted:
            noted, self._noted = self._noted, []
            self._do(put_steps, noted, lazily=True).add_done_callback(_seen)

    async def steps(self, turn_id: str) -> Sequence[Step]:
        """Return the steps of a turn."""
        self._write_noted()
        return [Step(*row) for row in await self._do(_rows, STEPS, turn_id)]

    async def lines(self) -> Sequence[Line]:
        """Return the progress lines that are recorded."""
        rows = await self._do(_rows, LINES)
        return [
            Line(event_of(row[:_EVENT_COLUMNS]), sends_of([row[_EVENT_COLUMNS:]])[0])
            for row in rows
        ]

    async def drop_line(
        self, event: Event, key: str, notice: Send | None = None, *, lazily: bool = False
    ) -> None:
        """Forget a progress line, or keep the notice in its place."""
        if event.id in self._sends:
            self._sends[event.id].pop(key, None)
            if notice is not None:
                put_send(self._sends[event.id], notice)
        row = None if notice is None else (send_row(notice), event.turn_id, notice.message_ids)
        dropped = self._do(_drop_line, event.id, key, row, lazily=lazily)
        if lazily:
            dropped.add_done_callback(_seen)
        else:
            await dropped


def put_steps(tables: Tables, steps: Sequence[Step]) -> None:
    """Keep steps of turns that are known."""
    tables.db.cursor().executemany(_PUT_STEP, steps)


def _drop_line(tables: Tables, event_id: str, key: str, notice: tuple[Any, ...] | None) -> None:
    tables.run(_DROP_LINE, (event_id, key))
    if notice is not None:
        tables.record_send(event_id, *notice)


def _rows(tables: Tables, query: str, *values: object) -> list[Row]:
    rows: list[Row] = tables.run(query, values).fetchall()
    return rows


def _seen(asked: asyncio.Future[Any]) -> None:
    """Take an error that nobody waits for: what is asked for next fails aloud."""
    if not asked.cancelled():
        asked.exception()


class KeptRunLog:
    """The part of the reference store that keeps them."""

    _events: dict[str, Event]
    _turns: dict[str, Any]
    _sends: dict[str, dict[str, Send]]

    def __init__(self) -> None:
        super().__init__()
        self._steps: dict[str, list[Step]] = {}

    async def note_step(self, step: Step) -> None:
        """Note a step."""
        if step.turn_id in self._turns:
            self._steps.setdefault(step.turn_id, []).append(step)

    async def steps(self, turn_id: str) -> Sequence[Step]:
        """Return the steps of a turn."""
        # Who forgets turns need not know of their steps.
        self._steps = {key: kept for key, kept in self._steps.items() if key in self._turns}
        return list(self._steps.get(turn_id, ()))

    async def lines(self) -> Sequence[Line]:
        """Return the progress lines that are recorded."""
        return [
            Line(self._events[event_id], send)
            for event_id, sends in self._sends.items()
            for send in sends.values()
            if send.by == "progress"
        ]

    async def drop_line(
        self,
        event: Event,
        key: str,
        notice: Send | None = None,
        *,
        lazily: bool = False,  # noqa: ARG002 - it is as quick at once
    ) -> None:
        """Forget a progress line, or keep the notice in its place."""
        kept = self._sends.get(event.id, {})
        if kept.pop(key, None) is not None and notice is not None:
            put_send(kept, notice)
