"""How sends become rows, and rows become them again, in the order in which they were begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ..model import Ballot, Owed, Send
from .rows import Row, sql

_SEND = (
    "key", "kind", "sent_by", "channel_id", "text_hash", "reply_to", "message_ids", "interim",
    "length", "owed",
)  # fmt: skip
RECORD_SEND = sql(
    "INSERT INTO sends (event,", ", ".join(_SEND), ") SELECT seq", ", ?" * len(_SEND),
    "FROM events WHERE id = ? ON CONFLICT (event, key) DO UPDATE SET",
    ", ".join(f"{column} = excluded.{column}" for column in _SEND[1:]),
    # One that is begun anew comes after what was sent meanwhile.
    ", seq = CASE WHEN excluded.message_ids = '' AND sends.message_ids = ''",
    "THEN (SELECT max(seq) + 1 FROM sends) ELSE seq END",
)  # fmt: skip
SEND = ", ".join(f"sends.{column}" for column in _SEND)
SENDS = sql(
    "SELECT", SEND,
    "FROM sends JOIN events ON events.seq = sends.event WHERE id = ? ORDER BY sends.seq",
)  # fmt: skip


def send_row(send: Send) -> Row:
    """Return what is kept of a send, in the order of its columns."""
    return (
        send.key,
        send.kind,
        send.by,
        send.channel_id,
        send.text_hash,
        send.reply_to,
        " ".join(map(str, send.message_ids)),
        send.interim,
        send.length,
        orjson.dumps(send.owed).decode() if send.owed is not None else None,
    )


def sends_of(rows: Sequence[Row]) -> list[Send]:
    """Return the sends of selected rows."""
    return [_send_of(*row) for row in rows]


def _send_of(*row: Any) -> Send:
    *first, message_ids, interim, length, owed = row
    ids = tuple(map(int, message_ids.split()))
    key, kind, by, channel_id, text_hash, reply_to = first
    kept = (ids, bool(interim), length, _owed_of(owed))
    return Send(key, kind, by, channel_id, text_hash, reply_to, *kept)


def _owed_of(kept: str | None) -> Owed | None:
    if kept is None:
        return None
    owed = orjson.loads(kept)
    if (ballot := owed["ballot"]) is not None:
        owed["ballot"] = Ballot(**{**ballot, "answers": tuple(ballot["answers"])})
    owed["options"] = tuple(owed.get("options", ()))
    return Owed(**{**owed, "voids": tuple(owed["voids"])})


def put_send(sends: dict[str, Send], send: Send) -> None:
    """Keep a send beside the others of its event, as RECORD_SEND does."""
    known = sends.get(send.key)
    if known is not None and not known.message_ids and not send.message_ids:
        del sends[send.key]
    sends[send.key] = send
