"""The tools by which an agent answers: discord_send and discord_add_reaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..agents.protocol import ToolSpec
from ..chat.emoji import EMOJI_CHARS, usable_emoji
from ..chat.failures import WAITING, NotAllowed, SendFailed
from ..chat.hygiene import clean
from ..chat.long_texts import in_messages, may_attach
from ..guard.policy import Act, Target
from ..model import Send
from ..reasons import Reason
from .arguments import Arguments, schema, snowflake
from .tool import Call, Tool, ToolError

_POSTPONED = (
    "Discord is slow: this will be posted as soon as Discord allows; do not send it again."
)


def _where_to_send(arguments: Arguments) -> Target:
    arguments.text("message")
    arguments.flag("interim")
    return Target(arguments.snowflake("channelId"))


def _what_to_react_to(arguments: Arguments) -> Target:
    arguments.text("emoji")
    return Target(arguments.snowflake("channelId"), arguments.snowflake("messageId"))


async def discord_send(call: Call) -> str:
    """Send a message, unless it repeats one."""
    scope, channel = call.scope, call.channel
    text = call.arguments.text("message")
    if clean(text).silent:
        raise ToolError("Not sent: you chose to say nothing. End your turn.")
    interim = call.arguments.flag("interim")
    keys = scope.sender.fingerprints.send_keys(channel.id, text)
    try:
        # A run that the agent server starts over finds here what its first try did.
        sends = [one for one in await scope.sender.lookup.sends(scope.turn) if _is_text(one)]
        again = next((one for one in sends if one.key in keys), None)
        # Counted by what is recorded: by a run that is started over, too.
        out = sum(len(one.message_ids) for one in sends)
        if again is not None and again.owed is None:
            return f"You had sent this text already, as {_ids(again.message_ids)}. Not sent again."
        if again is None:
            _ensure_another_may_follow(call, sends, out)
            replied = _replied(call, sends)
            again = Send(keys[0], "message", "tool", channel.id, "", replied, (), interim)
            if _is_behind(call, sends):
                await scope.sender.owe(scope.turn, again, text)
                return _POSTPONED
        sent = await scope.sender.send(
            scope.turn,
            channel,
            text,
            by="tool",
            key=again.key,
            reply_to=again.reply_to,
            room=again.owed.room if again.owed else max(1, scope.budget.room(out)),
            interim=again.interim,
            voids=call.held_up,
        )
    except SendFailed as failure:
        return await _of_failure(call, keys[0], failure)
    await _made_good(call, again.key, sends)
    return _told(call, sent, text)


def _is_text(send: Send) -> bool:
    return send.kind == "message" and send.by == "tool" and bool(send.message_ids or send.owed)


def _is_behind(call: Call, sends: Sequence[Send]) -> bool:
    """Tell whether a text is to wait for one that the agent sent before it, and thinks posted."""
    mine = (one for one in sends if one.channel_id == call.channel.id)
    return any(one.owed and one.key not in call.held_up for one in mine)


def _ensure_another_may_follow(call: Call, sends: Sequence[Send], out: int) -> None:
    """Raise ToolError unless one more text may be sent."""
    scope, own = call.scope, call.scope.event.channel_id
    here = [one for one in sends if one.channel_id == own]
    if call.channel.id == own:
        for one in here:
            if one.key in scope.progress.before and not one.interim:
                raise ToolError(
                    "Not sent: you had answered before you were restarted, with "
                    f"{_ids(one.message_ids)}. End your turn."
                )
        if len(here) >= (most := scope.settings.messages):
            raise ToolError(
                f"Not sent: {most} texts are the most that one turn may post here. End your turn."
            )
    if not scope.budget.room(out):
        raise ToolError(scope.budget.no_room(out))


def _replied(call: Call, sends: Sequence[Send]) -> int | None:
    """Return what a text replies to: the first one where the agent was asked to who asked."""
    event = call.scope.event
    wanted = call.arguments.snowflake_or_none("replyToMessageId")
    here = any(one.channel_id == event.channel_id for one in sends)
    if wanted is None and call.channel.id == event.channel_id and not here:
        return event.message_id
    # Who has had a reply to a message is alerted no more by what follows.
    return None if any(one.reply_to == wanted for one in sends) else wanted


async def _made_good(call: Call, key: str, sends: Sequence[Send]) -> None:
    """Note that a text is out, and that what it takes the place of is owed no more."""
    scope = call.scope
    # Whoever read it knows better than what was refused before.
    scope.turn.refused = scope.turn.unsaid = ""
    scope.progress.sent.append(key)
    for one in sends:
        if one.key in call.held_up and one.channel_id == call.channel.id:
            await scope.sender.waive(scope.event, one)


def _told(call: Call, sent: Send, text: str) -> str:
    scope, channel = call.scope, call.channel
    replied = f', in reply to "{sent.reply_to}"' if sent.reply_to else ""
    said = f'Sent to channel "{channel.id}" as {_ids(sent.message_ids)}{replied}.'
    filtered = scope.sender.filtered(scope.turn, text)
    if len(sent.message_ids) < len(in_messages(filtered.text)):
        how = "as a file" if may_attach(channel, scope.event.author_id) else "without its end"
        said += f" It was too long for the messages that are left; the rest went out {how}."
    if filtered.changes:
        said += f" Changed before it was sent: {', '.join(filtered.changes)}."
    return said


async def _of_failure(call: Call, key: str, failure: SendFailed) -> str:
    """Return what the agent is told of a text that will be posted; raise ToolError of others."""
    turn, out = call.scope.turn, failure.sent.message_ids if failure.sent is not None else ()
    call.scope.progress.held_up.append(key)
    if failure.reason in WAITING:
        return _POSTPONED
    turn.unsaid = "rest" if out else "all"
    if not out:
        await call.scope.sender.waive(call.scope.event, failure.sent)
        raise ToolError(f"Not sent. {failure}", failure.reason) from failure
    rest = "Call again with the same text to send the rest."
    if isinstance(failure, NotAllowed):
        rest = "The rest was not sent."
    parts = "part was" if len(out) == 1 else f"{len(out)} parts were"
    raise ToolError(
        f"Only the first {parts} sent, as {_ids(out)}. {failure} {rest}",
        failure.reason,
    ) from failure


def _ids(message_ids: Iterable[int]) -> str:
    listed = [f'"{message_id}"' for message_id in message_ids]
    return f"message{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


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
        await scope.sender.react(scope.turn, channel, message_id, emoji)
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
