"""How a tool posts a message: as often as one may, and none of them twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..chat.failures import WAITING, NotAllowed, SendFailed
from ..chat.long_texts import Part
from ..model import Send
from .tool import Call, ToolError

_POSTPONED = (
    "Discord is slow: this will be posted as soon as Discord allows; do not send it again."
)

_ANEW = "+"


async def post(
    call: Call,
    keys: Sequence[str],
    text: str,
    beside: Part | None = None,
    *,
    interim: bool = False,
) -> Send | str:
    """Send a text, with what stands `beside` it, unless that repeats what was sent.

    Return the send, or words for the agent if nothing is sent now. Raise ToolError.

    Args:
        call: the tool's call; its arguments may say `replyToMessageId`.
        keys: under which such a send may be recorded, the latest form first.
        text: as the agent wrote it.
        beside: a file or a poll, already filtered.
        interim: whether it is but a first word.

    """
    scope, channel = call.scope, call.channel
    try:
        # A run that the agent server starts over finds here what its first try did.
        recorded = await scope.sender.lookup.sends(scope.turn)
        sends = [one for one in recorded if _is_post(one)]
        again = _repeated(call, recorded, keys, text)
        out = _count(recorded)
        if again is not None and again.owed is None:
            return f"You had sent this already, as {ids_of(again.message_ids)}. Not sent again."
        if again is None:
            _ensure_another_may_follow(call, sends, out)
            replied = _replied(call, sends)
            key = keys[0]
            if any(one.key == key for one in sends):
                # What was sent under it says something else by now.
                key += f"{_ANEW}{out}"
            again = Send(key, "message", "tool", channel.id, "", replied, (), interim)
            if _is_behind(call, sends):
                await scope.sender.owe(scope.turn, again, text, beside)
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
            beside=beside,
        )
    except SendFailed as failure:
        return await _of_failure(call, keys[0], failure)
    await _made_good(call, again.key, sends)
    return sent


def _repeated(call: Call, recorded: Sequence[Send], keys: Sequence[str], text: str) -> Send | None:
    """Return the send that a text would repeat, by what that says now."""
    edits = {one.reply_to: one for one in recorded if one.kind == "edit" and one.message_ids}
    scope = call.scope
    forms = scope.sender.fingerprints.forms(scope.sender.filtered(scope.turn, text).text)
    for one in filter(_is_post, recorded):
        edit = edits.get(one.message_ids[0]) if one.message_ids else None
        if edit is None and one.key.partition(_ANEW)[0] in keys:
            return one
        if edit is not None and edit.text_hash in forms and one.channel_id == call.channel.id:
            return one
    return None


async def ensure_room(call: Call) -> None:
    """Raise ToolError, or SendFailed, unless a run may do one more thing that people see."""
    scope = call.scope
    out = _count(await scope.sender.lookup.sends(scope.turn))
    if not scope.budget.room(out):
        raise ToolError(scope.budget.no_room(out))


def _count(sends: Sequence[Send]) -> int:
    """Count what is recorded: for a run that is started over, too. Reactions are counted apart."""
    mine = (one for one in sends if one.by == "tool" and one.kind != "reaction")
    return sum(len(one.message_ids) for one in mine)


def _is_post(send: Send) -> bool:
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
                    f"{ids_of(one.message_ids)}. End your turn."
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
        return event.replies_to
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
        f"Only the first {parts} sent, as {ids_of(out)}. {failure} {rest}",
        failure.reason,
    ) from failure


def ids_of(message_ids: Iterable[int]) -> str:
    """Name messages by their ids."""
    listed = [f'"{message_id}"' for message_id in message_ids]
    return f"message{'s' if len(listed) > 1 else ''} {', '.join(listed)}"
