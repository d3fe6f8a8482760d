"""The envelope of a change, as the event system is going to publish it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..model import Change

SOURCE = "aurora"
VERSION = "1.0"


def envelope(change: Change, sequence: int) -> dict[str, Any]:
    """Return a change as plain data (the event schema of "Event-Driven Architecture").

    The type is `aurora.message.<step>`. What follows from one Discord message shares its
    correlation id; the partition key is the lane, in which order matters.
    """
    return {
        "event_id": change.id,
        "event_type": f"aurora.message.{change.step}",
        "timestamp": datetime.fromtimestamp(change.at, UTC).isoformat().replace("+00:00", "Z"),
        "source_service": SOURCE,
        "payload": {
            "id": change.event_id,
            "message_id": str(change.message_id),
            "channel_id": str(change.channel_id),
            "guild_id": None if change.guild_id is None else str(change.guild_id),
            "detail": change.detail,
            "turn_id": change.turn_id,
            "attempts": change.attempt,
        },
        "metadata": {
            "user_id": str(change.author_id),
            "agent_id": change.agent_id,
            "correlation_id": f"discord:{change.message_id}",
            "causation_id": change.cause,
            "version": VERSION,
            "partition_key": change.lane,
            "sequence": sequence,
        },
    }
