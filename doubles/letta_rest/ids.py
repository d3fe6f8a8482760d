"""Ids and dates in the shapes in which the server writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
AGENT_PATTERN = f"^agent-{_UUID4}$"
THREAD_PATTERN = f"^(default|conv-{_UUID4}|agent-{_UUID4})$"
RUN_PATTERN = f"^run-{_UUID4}$"
NOBODY = "00000000-0000-4000-8000-000000000000"
USER = f"user-{NOBODY}"
ORGANIZATION = f"org-{NOBODY}"


def new_id(prefix: str) -> str:
    """Make an id such as run-<uuid4>."""
    return f"{prefix}-{uuid4()}"


def is_id(pattern: str, text: str) -> bool:
    """Say whether `text` is an id of that kind."""
    return re.fullmatch(pattern, text) is not None


def otid(message_id: str, index: int) -> str:
    """Derive the otid of a message's part: its uuid with the part's index in the last 7 bits."""
    number = UUID(message_id.removeprefix("message-")).int
    return str(UUID(int=(number & ~0x7F) | (index & 0x7F)))


def before(message_id: str) -> str:
    """Give the id that an approval request takes beside other parts of its step."""
    number = UUID(message_id.removeprefix("message-")).int
    return f"message-{UUID(int=number - 1)}"


def now() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


def message_date(at: datetime) -> str:
    """Write a date as messages have it: whole seconds and an offset."""
    return at.isoformat(timespec="seconds")


def row_date(at: datetime | None) -> str | None:
    """Write a date as agents, conversations and runs have it: microseconds and Z."""
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
