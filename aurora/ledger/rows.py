"""How events, turns, changes and sends become rows, and rows become them again."""

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
    State,
    Turn,
)
from . import ASKED_KEPT
from .backlog import Kept
from .outbox import envelope

log = logging.getLogger("red.aurora.ledger")

Row = tuple[Any, ...]

_FIXED = (
    "kind", "message_id", "channel_id", "guild_id", "author_id", "accepted_at", "parent_id",
    "wish",
)  # fmt: skip
_MOVING = ("expires_at", "state", "reason", "turn_id", "cause", "ended_at", "anchor_id")
# The order of Event's fields, less the context, so that a row is nearly an Event's arguments.
_EVENT = (
    "id", "kind", "message_id", "channel_id", "guild_id", "author_id", "accepted_at",
    "expires_at", "parent_id", "state", "reason", "turn_id", "cause", "ended_at", "anchor_id",
    "wish",
)  # fmt: skip
# The order of Turn's fields, but for the speaker in the place of the events.
_TURN = (
    "id", "speaker", "attempts", "misses", "crashes", "interrupted", "not_before", "agent_id",
    "conversation_id", "run_id", "input_id", "answer", "started_at", "ended_at",
    "prompt_tokens", "completion_tokens", "dropped", "cached_tokens", "unmetered", "seconds",
    "model", "routed",
)  # fmt: skip


def sql(*parts: str) -> str:
    """Join the parts of a statement; the values go into its question marks, never into it."""
    return " ".join(parts)


def _insert(table: str, *columns: str) -> str:
    marks = ", ".join("?" * len(columns))
    return sql("INTO", table, "(", ", ".join(columns), ") VALUES (", marks, ")")


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


EVENTS = _of("events", _EVENT)
INSERT_EVENT = sql(
    "INSERT INTO events (uncounted,", ", ".join((*_FIXED, *_MOVING, "id")), ") VALUES (1",
    ", ?" * len((*_FIXED, *_MOVING, "id")), ") ON CONFLICT (message_id) DO NOTHING",
)  # fmt: skip
_UPDATE = sql("UPDATE events SET", " = ?, ".join(_MOVING), "= ?")
UPDATE_EVENT = sql(_UPDATE, "WHERE id = ?")
SAVE_EVENT = sql(UPDATE_EVENT, "RETURNING seq, guild_id, author_id")
# An event names its latest change: told to move it twice, the ledger moves it once.
MOVE_EVENT = sql(UPDATE_EVENT, "AND cause IS NOT ?")
# What is unfinished is known by its number, and need not be looked for.
MOVE_UNFINISHED = sql(_UPDATE, "WHERE seq = ? AND cause IS NOT ?")
# Its message is read anew.
REVIVE_EVENT = sql("UPDATE events SET kind = ?,", " = ?, ".join(_MOVING), "= ? WHERE id = ?")
# Of a turn that has ended, by the event that spoke for it: once for the person, once for the guild
# and once for all guilds together.
COUNT_USAGE = """
INSERT INTO usage (person, guild, day, channel, agent, model, runs, answered, failed, unknown,
    prompt, cached, completion, seconds)
SELECT iif(level = 0, author_id, 0), iif(level = 2, -1, coalesce(guild_id, 0)),
    CAST(coalesce(started_at, accepted_at) / 86400 AS INTEGER), iif(level = 2, 0, channel_id),
    coalesce(agent_id, ''), coalesce(model, ''), count(*), sum(state = 'answered'),
    sum(state IN ('failed', 'expired')), sum(unmetered > 0), sum(prompt_tokens),
    sum(cached_tokens), sum(completion_tokens), sum(seconds)
FROM events CROSS JOIN turns ON turns.id = turn_id AND speaker = events.id
CROSS JOIN (SELECT 0 AS level UNION ALL SELECT 1 UNION ALL SELECT 2)
WHERE state < 'running' AND uncounted = 1 AND (attempts > 0 OR unmetered > 0)
GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, answered = answered + excluded.answered,
    failed = failed + excluded.failed, unknown = unknown + excluded.unknown,
    prompt = prompt + excluded.prompt, cached = cached + excluded.cached,
    completion = completion + excluded.completion, seconds = seconds + excluded.seconds
"""
COUNT_ENDED = (
    "INSERT INTO tallies SELECT coalesce(guild_id, 0), state, count(*) FROM events "
    "WHERE state < 'running' AND uncounted = 1 GROUP BY guild_id, state "
    "ON CONFLICT DO UPDATE SET number = number + excluded.number",
    COUNT_USAGE,
    "UPDATE events SET uncounted = NULL WHERE state < 'running' AND uncounted = 1",
)
# What is unfinished has a context; so it is found however much has ended.
_OPEN = "FROM contexts CROSS JOIN events ON seq = event WHERE state IN ('waiting', 'running')"
OPEN_STATES = sql("SELECT id, seq, guild_id, author_id, state", _OPEN)
UNFINISHED = sql("SELECT", EVENTS, ", seq", _OPEN, "ORDER BY event")
WITH_CONTEXT = sql("SELECT", EVENTS, ", context FROM events LEFT JOIN contexts ON event = seq")
KEEP_TURN = sql("INSERT OR REPLACE", _insert("turns", *_TURN))
UPDATE_TURN = sql(
    "UPDATE turns SET",
    ", ".join(f"{column} = ?{at}" for at, column in enumerate(_TURN[1:], 2)),
    "WHERE id = ?1",
)
UNFINISHED_TURNS = sql(
    "SELECT", _of("turns", _TURN), "FROM turns WHERE id IN",
    "(SELECT turn_id", _OPEN, ")",
)  # fmt: skip
TURN = sql(
    "SELECT", _of("turns", _TURN), ",", EVENTS,
    "FROM turns JOIN events ON events.id = speaker WHERE turns.id = ?",
)  # fmt: skip
# What somebody has waiting in a lane will be a turn or few.
ASKED = sql(
    "SELECT guild_id, author_id, min(accepted_at) AS at FROM events",
    "WHERE seq > (SELECT max(seq) FROM events) -", str(ASKED_KEPT),
    "AND accepted_at > ? AND accepted_at <= ?",
    "GROUP BY guild_id, author_id, coalesce(turn_id, lane) ORDER BY at",
)  # fmt: skip
# What `Listed` adds follows.
LISTED = sql(
    "SELECT", EVENTS, ", coalesce(attempts + misses, 0), coalesce(speaker = events.id, 1)",
    "FROM events LEFT JOIN turns ON turns.id = turn_id WHERE seq = ?",
)  # fmt: skip
KEEP_SENT = "INSERT OR IGNORE INTO sent_messages SELECT ?, seq, ?, ? FROM events WHERE id = ?"
SENT = sql(
    "SELECT id, turn, part FROM sent_messages AS sent JOIN events ON seq = event",
    "WHERE sent.message_id = ?",
)
INSERT_CHANGE = sql("INSERT", _insert("changes", *Change._fields))
CHANGES = sql(
    "SELECT", ", ".join(Change._fields), ", seq FROM changes WHERE seq > ? ORDER BY seq LIMIT ?"
)

ADDED_STATE, MOVED_STATE = (*_FIXED, *_MOVING).index("state"), _MOVING.index("state")
"""Where the state stands in the arguments of INSERT_EVENT and of UPDATE_EVENT."""

_fixed = attrgetter(*_FIXED)
_moving = attrgetter(*_MOVING, "id")
_turn = attrgetter("id", "speaker.id", *_TURN[2:])
_ANSWER = _TURN.index("answer")
_event: Callable[..., Event] = Event
_STATES = {str(state): state for state in State}


def new_row(event: Event) -> Row:
    """Return the arguments of INSERT_EVENT."""
    row: Row = _fixed(event) + _moving(event)
    return row


def moved_row(event: Event) -> Row:
    """Return the arguments of UPDATE_EVENT."""
    row: Row = _moving(event)
    return row


def revived_row(event: Event) -> Row:
    """Return the arguments of REVIVE_EVENT."""
    return (event.kind, *moved_row(event))


def turn_row(turn: Turn) -> Row:
    """Return the arguments of KEEP_TURN and UPDATE_TURN."""
    row: Row = _turn(turn)
    if turn.answer is not None:
        # As JSON, since an agent's text may hold half an emoji, which SQLite does not take.
        over = turn.ended_at is not None or turn.speaker.state.final
        answer = None if over else json.dumps(turn.answer)
        row = (*row[:_ANSWER], answer, *row[_ANSWER + 1 :])
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


def _read(of: str, text: str) -> Any:
    try:
        return orjson.loads(text) if "\\ud" not in text else json.loads(text)
    except ValueError:
        log.error("What the ledger keeps of %s can't be read", of)  # noqa: TRY400 - a traceback could show the content
        return None


def event_of(row: Row, context: EventContext = NO_CONTEXT) -> Event:
    """Return the event of a selected row."""
    return _event(*row[:8], context, row[8], _STATES[row[9]], *row[10:16])


def whole_event_of(row: Row) -> Event:
    """Return the event of a row selected WITH_CONTEXT."""
    return event_of(row, decoded(row[0], row[16]))


def whole_turn_of(row: Row) -> Turn:
    """Return the turn of a row selected as TURN, with its speaker."""
    _, turn = turn_of(row[: len(_TURN)])
    turn.events = (event_of(row[len(_TURN) :]),)
    return turn


def turn_of(row: Row) -> Kept:
    """Return the id of the speaker, and the turn of a selected row without its events."""
    turn = Turn((), row[0], *row[2:])
    turn.interrupted = turn.interrupted == 1
    if turn.answer is not None:
        turn.answer = _read(turn.id, turn.answer)
    return row[1], turn


def envelope_of(row: Row) -> dict[str, Any]:
    """Return the envelope of a selected change."""
    return envelope(Change(*row[:-1]), row[-1])
