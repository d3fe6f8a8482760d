"""How the tables of the SQLite ledger came to be, one version after the other."""

from __future__ import annotations

# What people wrote has a table of its own. So it goes in one piece when an event ends, whoever
# ends it, and neither start-up nor the moves of an event have to step over it. The sequence
# numbers of changes are never given twice: a consumer remembers how far it has read. Their ids
# have no index: each is made once, nobody looks one up here, and it took half of every commit.
_FIRST = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    message_id INTEGER NOT NULL UNIQUE,
    channel_id INTEGER NOT NULL,
    guild_id INTEGER,
    author_id INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    parent_id INTEGER,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    not_before REAL NOT NULL,
    agent_id TEXT,
    conversation_id TEXT,
    run_id TEXT,
    input_id TEXT,
    answer TEXT,
    turn_id TEXT,
    cause TEXT,
    started_at REAL,
    ended_at REAL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    lane TEXT AS ('channel:' || channel_id),
    priority INTEGER AS (guild_id IS NOT NULL)
) STRICT;
CREATE TABLE contexts (
    event INTEGER PRIMARY KEY,
    context TEXT NOT NULL
) STRICT;
CREATE TABLE sends (
    seq INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    sent_by TEXT NOT NULL,
    channel_id INTEGER NOT NULL,
    text_hash TEXT NOT NULL,
    reply_to INTEGER,
    message_ids TEXT NOT NULL,
    UNIQUE (event, key)
) STRICT;
CREATE TRIGGER events_final AFTER UPDATE OF state ON events
WHEN new.state NOT IN ('waiting', 'running') BEGIN
    DELETE FROM contexts WHERE event = old.seq;
END;
CREATE TRIGGER events_dropped AFTER DELETE ON events BEGIN
    DELETE FROM contexts WHERE event = old.seq;
    DELETE FROM sends WHERE event = old.seq;
END;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    guild_id INTEGER,
    step TEXT NOT NULL,
    at REAL NOT NULL,
    detail TEXT NOT NULL,
    cause TEXT,
    author_id INTEGER NOT NULL,
    agent_id TEXT,
    turn_id TEXT,
    attempts INTEGER NOT NULL
) STRICT;
CREATE TABLE starts (channel_id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE TABLE refusals (
    message_id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX refusals_by_age ON refusals (at);
CREATE TABLE conversations (
    agent_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    PRIMARY KEY (agent_id, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

# A turn gets a row of its own, and its events its id; before, the event that spoke for a turn held
# what is known of it, and the others named that event. Turns are made in the order of their ids:
# one tree holds them, written at its end. A message of the bot's leads to the event and the turn
# that it was sent for, and is dropped with the event.
_SECOND = """
ALTER TABLE events RENAME TO events_before;
CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    speaker TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    not_before REAL NOT NULL,
    agent_id TEXT,
    conversation_id TEXT,
    run_id TEXT,
    input_id TEXT,
    answer TEXT,
    started_at REAL,
    ended_at REAL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO turns
SELECT 'turn_' || substr(id, 5), id, attempts, misses, crashes, interrupted, not_before, agent_id,
    conversation_id, run_id, input_id, answer, started_at, ended_at, prompt_tokens,
    completion_tokens
FROM events_before AS event
WHERE (started_at IS NOT NULL OR attempts OR misses OR crashes OR interrupted
    OR answer IS NOT NULL)
AND (turn_id IS NULL OR state IN ('waiting', 'running') AND NOT EXISTS (
    SELECT 1 FROM events_before AS speaker
    WHERE speaker.id = event.turn_id AND speaker.state IN ('waiting', 'running')
));
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    message_id INTEGER NOT NULL UNIQUE,
    channel_id INTEGER NOT NULL,
    guild_id INTEGER,
    author_id INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    parent_id INTEGER,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    turn_id TEXT,
    cause TEXT,
    ended_at REAL,
    lane TEXT AS ('channel:' || channel_id)
) STRICT;
INSERT INTO events
SELECT seq, id, kind, message_id, channel_id, guild_id, author_id, accepted_at, expires_at,
    parent_id, state, reason,
    coalesce((SELECT turns.id FROM turns WHERE turns.id = 'turn_' || substr(event.id, 5)),
        'turn_' || substr(turn_id, 5)),
    cause, ended_at
FROM events_before AS event;
DROP TABLE events_before;
CREATE TRIGGER events_final AFTER UPDATE OF state ON events
WHEN new.state NOT IN ('waiting', 'running') BEGIN
    DELETE FROM contexts WHERE event = old.seq;
END;
CREATE TABLE sent_messages (
    message_id INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    turn TEXT,
    part INTEGER NOT NULL
) STRICT;
CREATE INDEX sent_messages_by_event ON sent_messages (event);
INSERT OR IGNORE INTO sent_messages
SELECT message.value, event, turn_id, message.key
FROM sends JOIN events ON events.seq = event,
    json_each('[' || replace(message_ids, ' ', ',') || ']') AS message
WHERE sends.kind = 'message';
CREATE TRIGGER events_dropped AFTER DELETE ON events BEGIN
    DELETE FROM contexts WHERE event = old.seq;
    DELETE FROM sends WHERE event = old.seq;
    DELETE FROM sent_messages WHERE event = old.seq;
END;
ALTER TABLE changes RENAME COLUMN attempts TO attempt;
ALTER TABLE changes ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE changes SET lane = 'channel:' || channel_id;
"""

# What is over is counted as it ends, by guild and state, and has indexes of its own: an answered
# event enters one of them, once, and what waits or runs enters none, so that its steps write no
# page more. The names of all final states come before 'running', 'answered' first: each step of
# every event is compared with that, and lists would cost a tenth more. The unfinished are those
# that have a context, and nobody looks for them among the rest. No guild has the id 0: there stand
# the direct messages.
_THIRD = """
CREATE TABLE tallies (
    guild INTEGER NOT NULL,
    state TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (guild, state)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_ended ON events (guild_id, state) WHERE state < 'running';
CREATE INDEX events_unanswered ON events (state)
WHERE state < 'running' AND state > 'answered';
CREATE INDEX events_in_dms ON events (channel_id) WHERE guild_id IS NULL;
INSERT INTO tallies
SELECT coalesce(guild_id, 0), state, count(*)
FROM events WHERE state < 'running' GROUP BY guild_id, state;
INSERT OR IGNORE INTO contexts
SELECT seq, 'null' FROM events WHERE state IN ('waiting', 'running');
DROP TRIGGER events_final;
CREATE TRIGGER events_ended AFTER UPDATE OF state ON events
WHEN new.state < 'running' AND new.state <> old.state BEGIN
    DELETE FROM contexts WHERE event = old.seq;
    INSERT INTO tallies VALUES (coalesce(old.guild_id, 0), new.state, 1)
    ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER events_reopened AFTER UPDATE OF state ON events
WHEN old.state < 'running' AND new.state <> old.state BEGIN
    UPDATE tallies SET number = number - 1
    WHERE guild = coalesce(old.guild_id, 0) AND state = old.state;
    INSERT OR IGNORE INTO contexts
    SELECT old.seq, 'null' WHERE new.state IN ('waiting', 'running');
END;
DROP TRIGGER events_dropped;
CREATE TRIGGER events_dropped AFTER DELETE ON events BEGIN
    UPDATE tallies SET number = number - 1
    WHERE guild = coalesce(old.guild_id, 0) AND state = old.state;
    DELETE FROM contexts WHERE event = old.seq;
    DELETE FROM sends WHERE event = old.seq;
    DELETE FROM sent_messages WHERE event = old.seq;
END;
"""

# An event that ends is `uncounted`, and is entered with many others: one by one each would write
# the page of its guild, and half of what a busy bot writes would be that. `sources` are what was
# read into a lane's conversation, each place with who came to read it then. A text that waits for
# a button's press, an offer, is content: it goes with the press, or when its time is up. Of a
# change to an agent's memory only that is kept, never what was written: the latest row of a file
# says where that came from, as long as the file may stand on the server. What a model gives for an
# emoji may be any text, and stood in the keys of reactions.
_FOURTH = """
ALTER TABLE events ADD COLUMN uncounted INTEGER;
UPDATE events SET uncounted = 1 WHERE seq IN (SELECT event FROM contexts);
DROP INDEX events_ended;
CREATE INDEX events_ended ON events (guild_id, state)
WHERE state < 'running' AND uncounted IS NULL;
CREATE INDEX events_uncounted ON events (uncounted)
WHERE state < 'running' AND uncounted = 1;
DROP TRIGGER events_ended;
CREATE TRIGGER events_ended AFTER UPDATE OF state ON events
WHEN new.state < 'running' AND new.state <> old.state BEGIN
    DELETE FROM contexts WHERE event = old.seq;
END;
DROP TRIGGER events_reopened;
CREATE TRIGGER events_reopened AFTER UPDATE OF state ON events
WHEN old.state < 'running' AND new.state <> old.state BEGIN
    UPDATE tallies SET number = number - 1
    WHERE guild = coalesce(old.guild_id, 0) AND state = old.state AND old.uncounted IS NULL;
    UPDATE events SET uncounted = 1 WHERE seq = old.seq;
    INSERT OR IGNORE INTO contexts
    SELECT old.seq, 'null' WHERE new.state IN ('waiting', 'running');
END;
DROP TRIGGER events_dropped;
CREATE TRIGGER events_dropped AFTER DELETE ON events BEGIN
    UPDATE tallies SET number = number - 1
    WHERE guild = coalesce(old.guild_id, 0) AND state = old.state AND old.uncounted IS NULL;
    DELETE FROM contexts WHERE event = old.seq;
    DELETE FROM sends WHERE event = old.seq;
    DELETE FROM sent_messages WHERE event = old.seq;
END;
CREATE TABLE sources (
    agent_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    place_id INTEGER NOT NULL,
    gate TEXT NOT NULL,
    PRIMARY KEY (agent_id, lane, place_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE offers (
    id TEXT PRIMARY KEY,
    event_id TEXT NOT NULL,
    author_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE memory_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL,
    path TEXT NOT NULL,
    act TEXT NOT NULL,
    author_id INTEGER,
    channel_id INTEGER,
    guild_id INTEGER,
    turn_id TEXT NOT NULL,
    at REAL NOT NULL,
    length INTEGER NOT NULL,
    version TEXT NOT NULL
) STRICT;
CREATE INDEX memory_changes_by_file ON memory_changes (agent_id, path);
UPDATE sends SET key = 'react:' || reply_to || ':' || text_hash WHERE key LIKE 'react:%';
"""

# What a send still owes is content, and goes with the end of its event.
_FIFTH = """
ALTER TABLE sends ADD COLUMN interim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN owed TEXT;
ALTER TABLE turns ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER events_ended;
CREATE TRIGGER events_ended AFTER UPDATE OF state ON events
WHEN new.state < 'running' AND new.state <> old.state BEGIN
    DELETE FROM contexts WHERE event = old.seq;
    UPDATE sends SET owed = NULL WHERE event = old.seq AND owed IS NOT NULL;
END;
"""

# What a run shows, costs and is judged by. Steps hold no content, and go with their turn. Progress
# lines are few: each is dropped when it is gone, and what a start finds of them was left behind.
# What a turn cost enters the sums of its day with the count of what has ended; what ended before
# did so without. `usage` has a row for the person, one without for the guild, which stays when the
# person is forgotten, and one for all guilds together. It is in the order of its days.
# What somebody asked is found by an index that an event enters with many others, as that of its
# guild; it holds all that is counted.
_SIXTH = """
CREATE TABLE judgements (
    event_id TEXT NOT NULL, person_id INTEGER NOT NULL, agent_id TEXT NOT NULL, lane TEXT NOT NULL,
    good INTEGER NOT NULL, own INTEGER NOT NULL, at REAL NOT NULL, told INTEGER NOT NULL,
    PRIMARY KEY (event_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX judgements_by_lane ON judgements (agent_id, lane, event_id);
ALTER TABLE events ADD COLUMN anchor_id INTEGER;
ALTER TABLE events ADD COLUMN wish TEXT NOT NULL DEFAULT '';
CREATE TABLE strains (
    lane TEXT PRIMARY KEY,
    strong INTEGER NOT NULL,
    doubts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE steps (
    turn TEXT NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (turn, number)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER turns_dropped AFTER DELETE ON turns BEGIN
    DELETE FROM steps WHERE turn = old.id;
END;
CREATE INDEX sends_of_progress ON sends (event) WHERE sent_by = 'progress';
INSERT INTO tallies SELECT coalesce(guild_id, 0), state, count(*) FROM events
WHERE state < 'running' AND uncounted = 1 GROUP BY guild_id, state
ON CONFLICT DO UPDATE SET number = number + excluded.number;
UPDATE events SET uncounted = NULL WHERE state < 'running' AND uncounted = 1;
ALTER TABLE turns ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN unmetered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN model TEXT;
ALTER TABLE turns ADD COLUMN routed TEXT NOT NULL DEFAULT '';
CREATE TABLE usage (
    seq INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    guild INTEGER NOT NULL,
    day INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    agent TEXT NOT NULL,
    model TEXT NOT NULL,
    runs INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    prompt INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    completion INTEGER NOT NULL,
    seconds REAL NOT NULL,
    UNIQUE (person, guild, day, channel, agent, model)
) STRICT;
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    "when" TEXT NOT NULL,
    prompt TEXT NOT NULL,
    due REAL,
    always INTEGER NOT NULL,
    woken_at REAL,
    unsettled INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    paused TEXT NOT NULL,
    posted INTEGER NOT NULL,
    posted_on TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_author ON events (author_id, seq, guild_id, state)
WHERE state < 'running' AND uncounted IS NULL;
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)
"""Scripts that take the file one version further each; a released one never changes."""
