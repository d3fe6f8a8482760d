"""The tools by which an agent answers: discord_send and discord_add_reaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import discord

from ..agents.protocol import ToolSpec
from ..chat.failures import NotAllowed, SendFailed
from ..chat.long_texts import in_messages, may_attach
from ..guard.policy import Act, Target
from ..model import Send
from ..reasons import Reason
from .arguments import Arguments, schema, snowflake
from .tool import Call, Tool, ToolError

_EMOJI_CHARS = 64  # a custom emoji's name has at most 32, its id 20


def _where_to_send(arguments: Arguments) -> Target:
    arguments.text("message")
    arguments.optional_snowflake("replyToMessageId")
    return Target(arguments.snowflake("channelId"))


def _what_to_react_to(arguments: Arguments) -> Target:
    arguments.text("emoji")
    return Target(arguments.snowflake("channelId"), arguments.snowflake("messageId"))


async def discord_send(call: Call) -> str:
    """Send a message, unless it repeats one."""
    scope, channel = call.scope, call.channel
    channel_id = channel.id
    text = call.arguments.text("message")
    reply_to = call.arguments.optional_snowflake("replyToMessageId")
    event = scope.event
    # The first is today's form of the key.
    keys = [f"send:{channel_id}:{form}" for form in scope.sender.fingerprints.forms(text)]
    try:
        # A run that the agent server starts over finds here what its first try did.
        sends = [one for one in await scope.sender.sends(scope.turn) if one.kind == "message"]
        earlier = [one for one in sends if one.message_ids and one.by == "tool"]
        again = next((one for one in earlier if one.key in keys), None)
        # Counted by what is recorded: by a run that is started over, too.
        out = sum(len(one.message_ids) for one in earlier)
        if again is None:
            here = any(one.channel_id == event.channel_id for one in earlier)
            if reply_to is None and channel_id == event.channel_id and not here:
                reply_to = event.message_id
            _refuse_second(earlier, reply_to)
            if not scope.budget.room(out):
                raise ToolError(scope.budget.no_room(out))
        sent = await scope.sender.send(
            scope.turn,
            channel,
            text,
            by="tool",
            key=keys[0] if again is None else again.key,
            reply_to=reply_to,
            room=max(1, scope.budget.room(out)),
        )
    except SendFailed as failure:
        raise ToolError(_failed(failure), failure.reason) from failure
    # Whoever read it knows better than what was refused before.
    scope.turn.refused = ""
    if again is not None and again.message_ids == sent.message_ids:
        return (
            f"You had sent this text there already, as {_ids(again.message_ids)}. Not sent again."
        )
    replied = f', in reply to "{sent.reply_to}"' if sent.reply_to else ""
    said = f'Sent to channel "{channel_id}" as {_ids(sent.message_ids)}{replied}.'
    filtered = scope.sender.filtered(scope.turn, text)
    if len(sent.message_ids) < len(in_messages(filtered.text)):
        how = "as a file" if may_attach(channel, event.author_id) else "without its end"
        said += f" It was too long for the messages that are left, and went out {how}."
    if filtered.changes:
        said += f" Changed before it was sent: {', '.join(filtered.changes)}."
    return said


def _refuse_second(earlier: Sequence[Send], reply_to: int | None) -> None:
    answer = next((one for one in earlier if reply_to and one.reply_to == reply_to), None)
    if answer is not None:
        raise ToolError(
            f'Not sent: you have replied to message "{reply_to}" already, with '
            f"{_ids(answer.message_ids)}. One reply is enough; end your turn."
        )


def _failed(failure: SendFailed) -> str:
    out = failure.sent.message_ids if failure.sent is not None else ()
    if not out:
        return f"Not sent. {failure}"
    parts = "part was" if len(out) == 1 else f"{len(out)} parts were"
    rest = "Call again with the same text to send the rest."
    if isinstance(failure, NotAllowed):
        rest = "The rest was not sent."
    return f"Only the first {parts} sent, as {_ids(out)}. {failure} {rest}"


def _ids(message_ids: Iterable[int]) -> str:
    listed = [f'"{message_id}"' for message_id in message_ids]
    return f"message{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


async def discord_add_reaction(call: Call) -> str:
    """React to a message."""
    scope, channel = call.scope, call.channel
    message_id = call.arguments.snowflake("messageId")
    wanted = call.arguments.text("emoji").strip()
    if not 0 < len(wanted) <= _EMOJI_CHARS:
        raise ToolError('emoji must be one emoji, such as "👍".')
    emoji = _emoji(channel, wanted)
    try:
        # What a model writes there may be no emoji at all, and is kept nowhere.
        key = f"react:{message_id}:{scope.sender.fingerprints.of(str(emoji))}"
        await scope.sender.react(scope.turn, channel, message_id, emoji, key=key)
    except SendFailed as failure:
        hint = ""
        if failure.reason is Reason.UNKNOWN_EMOJI:
            hint = ' Give the emoji itself, such as "👍", or one of this server as <:name:id>.'
        raise ToolError(f"No reaction added. {failure}{hint}", failure.reason) from failure
    return f'Reacted to message "{message_id}" with {emoji}.'


def _emoji(channel: discord.abc.Messageable, wanted: str) -> discord.PartialEmoji:
    emoji = discord.PartialEmoji.from_str(wanted)
    if emoji.is_unicode_emoji():
        return emoji
    guild = getattr(channel, "guild", None)
    # Another server's emoji is more than most people may use, and would tell of that server.
    if guild is None or emoji.id is None or guild.get_emoji(emoji.id) is None:
        raise ToolError(
            f"No reaction added: {emoji.name} is no emoji of this server. "
            'A plain emoji, such as "👍", always works.',
            Reason.UNKNOWN_EMOJI,
        )
    return emoji


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
