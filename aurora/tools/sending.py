"""The tools by which an agent answers: discord_send and discord_add_reaction."""

from __future__ import annotations

from ..agents.protocol import ToolSpec
from ..chat.emoji import EMOJI_CHARS, usable_emoji
from ..chat.failures import SendFailed
from ..chat.hygiene import clean
from ..chat.long_texts import in_messages, may_attach
from ..guard.policy import Act, Target
from ..model import Send
from ..reasons import Reason
from .answering import leave_to_text
from .arguments import Arguments, schema, snowflake
from .posting import ids_of, post
from .tool import Call, Tool, ToolError


def _where_to_send(arguments: Arguments) -> Target:
    arguments.text("message")
    arguments.flag("interim")
    return Target(arguments.snowflake("channelId"))


def _what_to_react_to(arguments: Arguments) -> Target:
    arguments.text("emoji")
    return Target(arguments.snowflake("channelId"), arguments.snowflake("messageId"))


async def discord_send(call: Call) -> str:
    """Send a message, unless it repeats one."""
    leave_to_text(call.scope, call.channel.id)
    text = call.arguments.text("message")
    if clean(text, silence=call.scope.settings.silence_words).silent:
        raise ToolError("Not sent: you chose to say nothing. End your turn.")
    keys = call.scope.sender.fingerprints.send_keys(call.channel.id, text)
    sent = await post(call, keys, text, interim=call.arguments.flag("interim"))
    return sent if isinstance(sent, str) else _told(call, sent, text)


def _told(call: Call, sent: Send, text: str) -> str:
    scope, channel = call.scope, call.channel
    replied = f', in reply to "{sent.reply_to}"' if sent.reply_to else ""
    said = f'Sent to channel "{channel.id}" as {ids_of(sent.message_ids)}{replied}.'
    filtered = scope.sender.filtered(scope.turn, text)
    if len(sent.message_ids) < len(in_messages(filtered.text)):
        how = "as a file" if may_attach(channel, scope.event.author_id) else "without its end"
        said += f" It was too long for the messages that are left; the rest went out {how}."
    if filtered.changes:
        said += f" Changed before it was sent: {', '.join(filtered.changes)}."
    return said


async def discord_add_reaction(call: Call) -> str:
    """React to a message."""
    scope, channel = call.scope, call.channel
    message_id = call.arguments.snowflake("messageId")
    wanted = call.arguments.text("emoji").strip()
    emoji = usable_emoji(channel, wanted)
    if emoji is None:
        raise ToolError(
            f"No reaction added: {wanted[:EMOJI_CHARS]} is no emoji of this server. "
            'Give one emoji; a plain one, such as "👍", always works.',
            Reason.UNKNOWN_EMOJI,
        )
    try:
        await scope.deeds.react(scope.turn, channel, message_id, emoji)
    except SendFailed as failure:
        hint = ""
        if failure.reason is Reason.UNKNOWN_EMOJI:
            hint = ' Give the emoji itself, such as "👍", or one of this server as <:name:id>.'
        raise ToolError(f"No reaction added. {failure}{hint}", failure.reason) from failure
    return f'Reacted to message "{message_id}" with {emoji}.'


SEND = Tool(
    ToolSpec(
        "discord_send",
        "Send a message to a Discord channel. Your first one in the channel you were addressed in "
        "replies to that message. Long texts are split. Returns the ids of the messages.",
        schema(
            ("channelId", "message"),
            channelId=snowflake("Id of the channel or thread"),
            message={
                "type": "string",
                "description": "The text, in Discord's Markdown. <@ID> mentions a person; only "
                "the author and whom the author mentioned are notified",
            },
            replyToMessageId=snowflake("Id of the message to reply to"),
            interim={
                "type": "boolean",
                "description": "true for a first word, such as One moment; your answer follows",
            },
        ),
    ),
    Act.SEND,
    _where_to_send,
    discord_send,
    alters=True,
    answers=True,
)

ADD_REACTION = Tool(
    ToolSpec(
        "discord_add_reaction",
        "React to a Discord message with an emoji. On the message you were addressed in that is a "
        "full answer if nothing needs to be said.",
        schema(
            ("channelId", "messageId", "emoji"),
            channelId=snowflake("Id of the message's channel"),
            messageId=snowflake("Id of the message"),
            emoji={"type": "string", "description": "👍, or one of this server as <:name:id>"},
        ),
    ),
    Act.REACT,
    _what_to_react_to,
    discord_add_reaction,
    alters=True,
    answers=True,
)
