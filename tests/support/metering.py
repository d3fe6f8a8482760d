"""What the ledger has of each run's tokens, beside what the model has told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aurora.ledger import Store


class Metered(NamedTuple):
    """A turn's tokens as the ledger has them, and whether some of them are unknown."""

    prompt: int
    completion: int
    unknown: bool


async def metered(store: Store, message_id: int) -> Metered | None:
    """Return what the ledger has of the turn of a message; None if it never ran."""
    event = await store.find(message_id)
    turn = await store.turn(event.turn_id or "") if event is not None else None
    if turn is None or (not turn.attempts and not turn.unmetered):
        return None
    return Metered(turn.prompt_tokens, turn.completion_tokens, turn.unmetered > 0)


def fault_of(found: Metered | None, told: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a run's tokens, None if they are equal, or marked as unknown."""
    cost = told.get("prompt_tokens", 0), told.get("completion_tokens", 0)
    if found is None:
        return f"no run, and the model told of {cost}" if any(cost) else None
    if found[:2] == cost:
        return None if any(cost) or found.unknown else "nothing, and not unknown"
    if not found.unknown:
        return f"{found[:2]}, and the model told of {cost}"
    return None
