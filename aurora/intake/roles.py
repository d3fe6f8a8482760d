"""Which role answered: who asks on by a reply, or by a button, means the same one."""

from __future__ import annotations

from ..ledger import Store
from ..model import Event, read_wish


async def role_of(store: Store, event: Event) -> str:
    """Return the role that an event was, or is, for; empty if it is the server's own agent."""
    if role := read_wish(event.wish).role:
        return role
    turn = await store.turn(event.turn_id) if event.turn_id is not None else None
    return turn.route.role if turn is not None else ""


async def role_replied_to(store: Store, message_id: int) -> str | None:
    """Return the role that a message was sent for; None if it is nothing that Aurora sent."""
    sent = await store.sent(message_id)
    event = await store.get(sent.event_id) if sent is not None else None
    return await role_of(store, event) if event is not None else None
