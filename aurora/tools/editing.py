"""The tool by which an agent mends what it sent: discord_edit_message."""

from __future__ import annotations

from ..agents.protocol import ToolSpec
from ..chat.failures import SendFailed
from ..chat.splitting import LIMIT
from ..guard.policy import Act, Target
from ..model import Send
from .arguments import Arguments, schema, snowflake
from .posting import ensure_room
from .tool import Call, Tool, ToolError

_NOT_YOURS = (
    "Not edited: that is no message that you sent in this conversation. You can edit the ids that "
    "your own sends returned."
)


async def discord_edit_message(call: Call) -> str:
    """Give a message that the agent sent in this conversation another text."""
    scope, message_id = call.scope, call.arguments.snowflake("messageId")
    text = scope.sender.filtered(scope.turn, call.arguments.text("message")).text
    if not 0 < len(text) <= LIMIT:
        raise ToolError(f"Not edited: message must have 1 to {LIMIT:,} characters.")
    send = await _own(call, message_id)
    if send is None or send.channel_id != call.channel.id:
        raise ToolError(_NOT_YOURS)
    if len(send.message_ids) > 1:
        raise ToolError("Not edited: that text went out in several messages. Send a new one.")
    if not send.key.startswith(("send:", "delivery")):
        raise ToolError("Not edited: files and polls stay as they are. Send a new one.")
    await ensure_room(call)
    try:
        await scope.deeds.edit(scope.turn, call.channel, message_id, text)
    except SendFailed as failure:
        raise ToolError(f"Not edited. {failure}", failure.reason) from failure
    return f'Message "{message_id}" has the new text.'


async def _own(call: Call, message_id: int) -> Send | None:
    """Return the send of a message, if this agent made it in this conversation."""
    scope = call.scope
    sent = await scope.store.sent(message_id)
    event = await scope.store.get(sent.event_id) if sent is not None else None
    if sent is None or event is None or event.lane != scope.event.lane:
        return None
    if scope.turn.apart and event.author_id != scope.event.author_id:
        return None
    turn = await scope.store.turn(sent.turn_id) if sent.turn_id is not None else None
    if turn is not None and turn.agent_id not in (None, scope.agent_id):
        return None
    sends = await scope.store.sends(event.id)
    mine = (one for one in sends if one.kind == "message" and one.by in ("tool", "delivery"))
    return next((one for one in mine if message_id in one.message_ids), None)


def _what(arguments: Arguments) -> Target:
    arguments.text("message")
    return Target(arguments.snowflake("channelId"), arguments.snowflake("messageId"))


EDIT_MESSAGE = Tool(
    ToolSpec(
        "discord_edit_message",
        "Change the text of a message that you sent in this conversation.",
        schema(
            ("channelId", "messageId", "message"),
            channelId=snowflake("Id of the message's channel"),
            messageId=snowflake("Id of the message"),
            message={"type": "string", "description": "The whole new text"},
        ),
    ),
    Act.EDIT,
    _what,
    discord_edit_message,
    alters=True,
    answers=True,
)
