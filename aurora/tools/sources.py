"""Sources: the places that were read into a conversation, which is for those who may read them."""

from __future__ import annotations

from ..chat.places import Channel, find_channel
from ..guard.audience import gate_with_guests
from ..guard.gates import gate_of
from .tool import Scope


async def remember_source(scope: Scope, channel: Channel) -> None:
    """Keep that a place is read into the conversation, before the agent gets to see any of it.

    The event's own place, and what counts as it, is none. Raise ToolError if the run is over.
    """
    event = scope.event
    if channel.id == event.channel_id:
        return
    there = await gate_with_guests(channel)
    here = await find_channel(scope.bot, event, event.channel_id)
    mine = gate_of(here) if here is not None else None
    if there is not None and (mine is None or mine.place_id != there.place_id):
        lane = scope.turn.conversation_lane
        await scope.store.add_source(scope.agent_id, lane, there.place_id, there.kept())
    scope.ensure_open()
