"""The REST backend in a conversation that was recorded."""

from __future__ import annotations

from aurora.agents.protocol import RunEvent
from aurora.agents.rest import LettaRest
from tests.support.agents.hosts import Tools, given, play
from tests.support.agents.recorded_rest import RecordedRest
from tests.support.agents.rig import Load

AGENT = "agent-d586097c-8d06-4750-b99a-dda4e10919f1"
BOTH = ("discord_send", "discord_add_reaction", "discord_read_messages")


async def replay(
    server: RecordedRest, load: Load, tools: Tools | None = None, *, background: bool = False
) -> list[RunEvent]:
    """Run one turn in the recorded conversation and close."""
    backend = LettaRest(server.url, "fixture-token", load=load, direct=True, patience=0.3)
    backend.background = background
    try:
        one = given(AGENT, server.conversation_id, "hello")
        return await play(backend, one, tools or Tools(*BOTH))
    finally:
        await backend.close()
