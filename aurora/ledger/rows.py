"""How events, changes and sends become rows, and rows become them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, cast

import orjson

from ..model import (
    NO_CONTEXT,
    Change,
    Event,
    EventContext,
    Send,
    State,
)
from .outbox import envelope

log = logging.getLogger("red.aurora.ledger")

Row = tuple[Any, ...]

_FIXED = ("kind", "message_id", "channel_id", "guild_id", "author_id", "parent_id")
_MOVING = (
    "accepted_at", "expires_at", "state", "reason", "attempts", "misses", "crashes",
    "interrupted", "not_before", "agent_id", "conversation_id", "run_id", "input_id", "answer",
    "turn_id", "cause", "started_at", "ended_at", "prompt_tokens", "completion_tokens",
)  # fmt: skip
# The order of Event's fields, less the context, so that a row is nearly an Event's arguments.
_SELECTED = (
    "id, kind, message_id, channel_id, guild_id, author_id, accepted_at, expires_at, parent_id, "
    "state, reason, attempts, misses, crashes, interrupted, not_before, agent_id, "
    "conversation_id, run_id, input_id, answer, turn_id, cause, started_at, ended_at, "
    "prompt_tokens, completion_tokens"
)


_CHANGE = (
    "id", "event_id", "message_id", "channel_id", "guild_id", "step", "at", "detail", "cause"
)  # fmt: skip
_OF_EVENT = ("author_id", "agent_id", "turn_id", "attempts")


def sql(*parts: str) -> str:
    """Join the parts of a statement; the values go into its question marks, never into it."""
    return " ".join(parts)


def _insert(table: str, *columns: str) -> str:
    marks = ", ".join("?" * len(columns))
    return sql("INSERT INTO", table, "(", ", ".join(columns), ") VALUES (", marks, ")")


INSERT_EVENT = sql(
    _insert("events", *_FIXED, *_MOVING, "id"), "ON CONFLICT (message_id) DO NOTHING"
)
UPDATE_EVENT = sql("UPDATE events SET", " = ?, ".join(_MOVING), "= ? WHERE id = ?")
# An event names its latest change: told to move it twice, the ledger moves it once.
MOVE_EVENT = sql(UPDATE_EVENT, "AND cause IS NOT ?")
INSERT_CHANGE = _insert("changes", *_CHANGE, *_OF_EVENT)
UNFINISHED = sql("SELECT", _SELECTED, "FROM events WHERE state = 'waiting' ORDER BY seq")
WITH_CONTEXT = sql("SELECT", _SELECTED, ", context FROM events LEFT JOIN contexts ON event = seq")
CHANGES = sql(
    "SELECT", ", ".join(_CHANGE + _OF_EVENT), ", seq FROM changes WHERE seq > ?",
    "ORDER BY seq LIMIT ?",
)  # fmt: skip

_fixed = attrgetter(*_FIXED)
_moving = attrgetter(*_MOVING, "id")
_ANSWER = _MOVING.index("answer")
_change = attrgetter(*_CHANGE)
_of_event = attrgetter(*_OF_EVENT)
_event: Callable[..., Event] = Event
_STATES = {str(state): state for state in State}


def new_row(event: Event) -> Row:
    """Return the arguments of INSERT_EVENT."""
    row: Row = _fixed(event) + moved_row(event)
    return row


def moved_row(event: Event) -> Row:
    """Return the arguments of UPDATE_EVENT."""
    row: Row = _moving(event)
    if event.answer is None:
        return row
    # As JSON, since an agent's text may hold half an emoji, which SQLite does not take.
    answer = None if event.state.final else json.dumps(event.answer)
    return (*row[:_ANSWER], answer, *row[_ANSWER + 1 :])


def change_row(event: Event, change: Change) -> Row:
    """Return the arguments of INSERT_CHANGE."""
    row: Row = _change(change) + _of_event(event)
    return row


def encoded(context: EventContext) -> str:
    """Return a context as it is kept."""
    try:
        return orjson.dumps(context).decode()
    except orjson.JSONEncodeError:
        # Half an emoji; this one writes it as an escape, which SQLite takes.
        return json.dumps(context)


def decoded(event_id: str, context: str | None) -> EventContext:
    """Return a kept context; NO_CONTEXT if there is none or it can't be read.

    One wrong row must not stop the others: what then has no context ends visibly as failed.
    """
    read = None if context is None else _read(event_id, context)
    return cast(EventContext, read) if isinstance(read, dict) else NO_CONTEXT


def _read(event_id: str, text: str) -> Any:
    try:
        return orjson.loads(text) if "\\ud" not in text else json.loads(text)
    except ValueError:
        log.error("What the ledger keeps of %s can't be read", event_id)  # noqa: TRY400 - a traceback could show the content
        return None


def recent(wanted: str) -> str:
    """Return the query for the latest events among the wanted."""
    return sql("SELECT", _SELECTED, "FROM events WHERE", wanted, "ORDER BY seq DESC LIMIT ?")


def event_of(row: Row, context: EventContext = NO_CONTEXT) -> Event:
    """Return the event of a selected row."""
    event = _event(*row[:8], context, row[8], _STATES[row[9]], *row[10:27])
    event.interrupted = event.interrupted == 1
    if event.answer is not None:
        event.answer = _read(event.id, event.answer)
    return event


def whole_event_of(row: Row) -> Event:
    """Return the event of a row selected WITH_CONTEXT."""
    return event_of(row, decoded(row[0], row[27]))


def envelope_of(row: Row) -> dict[str, Any]:
    """Return the envelope of a selected change."""
    change_id, event_id, message_id, channel_id, guild_id, step, at, detail, cause = row[:9]
    author_id, agent_id, turn_id, attempts, seq = row[9:]
    change = Change(event_id, message_id, channel_id, guild_id, step, at, detail, change_id, cause)
    event = Event(event_id, "mention", message_id, channel_id, guild_id, author_id, at, at)
    event.agent_id, event.turn_id, event.attempts = agent_id, turn_id, attempts
    return envelope(change, event, seq)


def send_row(send: Send) -> Row:
    """Return what is kept of a send."""
    return (
        send.key,
        send.kind,
        send.by,
        send.channel_id,
        send.text_hash,
        send.reply_to,
        " ".join(map(str, send.message_ids)),
    )


def sends_of(rows: Sequence[Row]) -> list[Send]:
    """Return the sends of selected rows."""
    return [
        Send(key, kind, by, channel_id, text_hash, reply_to, tuple(map(int, message_ids.split())))
        for key, kind, by, channel_id, text_hash, reply_to, message_ids in rows
    ]
