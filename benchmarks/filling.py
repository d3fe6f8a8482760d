"""A ledger as years of work leave it, made in seconds by SQL."""

from __future__ import annotations

import json
import time
from pathlib import Path

from aurora.clock import SystemClock
from aurora.ledger.opening import open_ledger
from aurora.ledger.rows import INSERT_EVENT, new_row
from aurora.ledger.tables import Tables

from .durable import EventMaker

_DAY = 24 * 3600.0
# One in a hundred ended as failed, and as many as expired; one in ten is of the same person.
_FINISHED = (
    """
    CREATE TEMP TABLE numbers AS
    WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up LIMIT :count)
    SELECT n, :now - :span + :span * n / :count AS at, :guild + n % :guilds AS guild FROM up
    """,
    """
    INSERT INTO events (id, kind, message_id, channel_id, guild_id, author_id, accepted_at,
        expires_at, state, reason, turn_id, cause, ended_at)
    SELECT printf('evt_%032x', n), 'mention', n, :guild + (n % :lanes + 1 << 20), guild,
        iif(n % 10, n % 5000, 1),
        at, at + 900,
        CASE n % 100 WHEN 7 THEN 'failed' WHEN 8 THEN 'expired' ELSE 'answered' END, 'sent',
        printf('turn_%032x', n), printf('evt_c%031x', n), at + 5
    FROM numbers
    """,
    """
    INSERT INTO turns (id, speaker, attempts, misses, crashes, interrupted, not_before, agent_id,
        conversation_id, run_id, input_id, answer, started_at, ended_at, prompt_tokens,
        completion_tokens, dropped)
    SELECT printf('turn_%032x', n), printf('evt_%032x', n), 1, 0, 0, 0, 0, 'agent-1', 'conv-1',
        'run-1', 'input-1', NULL, at, at, 100, 100, 0
    FROM numbers
    """,
    """
    INSERT INTO changes (id, event_id, message_id, channel_id, guild_id, step, at, detail, cause,
        author_id, agent_id, turn_id, attempt, lane)
    SELECT printf('evt_%d%031x', step, n), printf('evt_%032x', n), n, 1, guild, 'step', at, '',
        NULL, 1, 'agent-1', printf('turn_%032x', n), 1, 'channel:1'
    FROM numbers, (SELECT 1 AS step UNION SELECT 2 UNION SELECT 3)
    """,
    "INSERT INTO sent_messages SELECT n, n, printf('turn_%032x', n), 0 FROM numbers",
    """
    INSERT INTO tallies SELECT coalesce(guild_id, 0), state, count(*)
    FROM events WHERE state NOT IN ('waiting', 'running') GROUP BY guild_id, state
    """,
)


def fill_with_finished(path: Path, count: int, maker: EventMaker, *, days: float = 20.0) -> None:
    """Fill a new ledger with events that are over, accepted in so many days until now."""
    first = maker.event(0).guild_id
    values = {
        "count": count,
        "guild": first,
        "guilds": maker.guilds,
        "lanes": maker.lanes,
        "now": time.time(),
        "span": days * _DAY,
    }
    tables, _ = open_ledger(path, SystemClock(), synchronous="OFF")
    for statement in _FINISHED:
        with tables.db:
            tables.db.execute(statement, values)
    tables.close()


def fill_with_waiting(path: Path, count: int, maker: EventMaker) -> None:
    """Add events that wait, lane after lane."""
    tables, _ = open_ledger(path, SystemClock(), synchronous="OFF")
    with tables.db:
        for number in range(count):
            _add(tables, maker, number % maker.lanes)
    tables.close()


def _add(tables: Tables, maker: EventMaker, lane: int) -> None:
    event = maker.event(lane)
    tables.run(INSERT_EVENT, new_row(event))
    tables.run(
        "INSERT INTO contexts VALUES (last_insert_rowid(), ?)", (json.dumps(event.context),)
    )
