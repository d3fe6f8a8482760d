"""What was read into conversations, and texts that wait for a press; in the writer's thread."""

from __future__ import annotations

from ..model import Offer, own_lane
from .database import Database


def add(tables: Database, agent_id: str, lane: str, place_id: int, gate: str) -> None:
    """Keep that a place was read into a lane's conversation."""
    tables.run(
        "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", (agent_id, lane, place_id, gate)
    )


def of(tables: Database, agent_id: str, lane: str) -> dict[int, str]:
    """Return the places that were read into a lane's conversation."""
    query = "SELECT place_id, gate FROM sources WHERE agent_id = ? AND lane = ?"
    return dict(tables.run(query, (agent_id, lane)))


def keep_offer(tables: Database, offer: Offer) -> None:
    """Keep a text that waits for a press."""
    tables.run("INSERT OR REPLACE INTO offers VALUES (?, ?, ?, ?, ?, ?)", tuple(offer))


def take_offer(tables: Database, offer_id: str, now: float) -> Offer | None:
    """Return an offer whose time is not up, and drop it."""
    tables.erased = True
    drop_offers(tables, now)
    rows = tables.run("DELETE FROM offers WHERE id = ? RETURNING *", (offer_id,)).fetchall()
    return Offer(*rows[0]) if rows else None


def drop_offers(tables: Database, now: float) -> None:
    """Drop the texts whose time is up."""
    tables.run("DELETE FROM offers WHERE expires_at <= ?", (now,))
    tables.erased |= tables.db.changes() > 0


def forget(tables: Database, user_id: int) -> None:
    """Drop the texts that wait for somebody, and what conversations of their own are known by."""
    tables.run("DELETE FROM offers WHERE author_id = ?", (user_id,))
    ending = "%" + own_lane("", user_id)
    tables.run("DELETE FROM conversations WHERE lane LIKE ?", (ending,))
    tables.run("DELETE FROM sources WHERE lane LIKE ?", (ending,))
