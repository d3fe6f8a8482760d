"""What the agent is told of what people have seen, and what they will see of its text."""

from __future__ import annotations

from ..chat.record import Last, Seen, read
from ..ledger import Store
from ..model import Event
from .tool import Scope, Tool

_ENDS = "NO_REPLY ends your turn."
_LINES = {
    Last.FULL: f"This answers them: text you write now is not posted. {_ENDS}",
    Last.INTERIM: f"That was a first word, no answer: text you write now is posted. {_ENDS}",
    Last.REACTION: f"They have seen your reaction: text you write now is posted. {_ENDS}",
}
_WITHOUT_FALLBACK = (
    f"They have seen no answer yet: answer with discord_send, text is not posted. {_ENDS}"
)


async def gathers(store: Store, event: Event) -> None:
    """Note, before an agent gets to know something, that what it sent was not yet its answer."""
    for send in await store.sends(event.id):
        theirs = send.by in ("tool", "mcp") and send.kind == "message" and not send.interim
        if theirs and send.channel_id == event.channel_id:
            await store.record_send(event, send._replace(interim=True))


async def closing_line(scope: Scope, tool: Tool) -> str:
    """Return what stands at the end of a tool's result; nothing if nothing was seen."""
    if not (tool.answers or tool.gathers):
        return ""
    seen: Seen = read(await scope.store.sends(scope.event.id), scope.turn)
    line = _LINES.get(seen.last, "")
    if line and seen.last is not Last.FULL and not scope.settings.deliver_text:
        line = _WITHOUT_FALLBACK
    return f"\n{line}" if line else ""
