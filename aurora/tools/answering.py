"""Where agents answer by text, their tools leave the event's place to that text."""

from __future__ import annotations

from .tool import Scope, ToolError


def leave_to_text(scope: Scope, channel_id: int) -> None:
    """Raise ToolError for a message to the event's place, if the agent answers there by text."""
    if scope.settings.by_text and channel_id == scope.event.channel_id:
        raise ToolError(
            "Not sent: in this channel you answer by text. Write it as text, with no tool: what "
            "you end with is sent as your reply."
        )
