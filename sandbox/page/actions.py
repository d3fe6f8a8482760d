"""What a person can do on the page, carried out on the local Discord."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from doubles.local_discord import ApiError

if TYPE_CHECKING:
    from doubles.local_discord import Channel, LocalDiscord, Message, User

_LONGEST = 2000  # what a person may write on Discord, too


class ActionError(Exception):
    """The action is impossible; the text is for the person at the page."""


Body = Mapping[str, Any]
Action = Callable[["LocalDiscord", Body], Awaitable[dict[str, Any]]]


def _user(discord: LocalDiscord, body: Body) -> User:
    user = discord.world.users.get(_snowflake(body, "as"))
    if user is None or user.bot:
        raise ActionError("Choose first who you are.")
    return user


def _channel(discord: LocalDiscord, body: Body) -> Channel:
    channel = discord.world.channels.get(_snowflake(body, "channel"))
    if channel is None:
        raise ActionError("This channel is not here any more.")
    return channel


def _message(discord: LocalDiscord, body: Body, key: str = "message") -> Message:
    message = discord.world.messages.get(_snowflake(body, key))
    if message is None:
        raise ActionError("This message is not here any more.")
    return message


def _snowflake(body: Body, key: str) -> int:
    try:
        return int(body[key])
    except (KeyError, TypeError, ValueError):
        raise ActionError(f"`{key}` must be an id.") from None


def _content(body: Body) -> str:
    content = body.get("content")
    if not isinstance(content, str) or not content.strip():
        raise ActionError("Write something first.")
    if len(content) > _LONGEST:
        raise ActionError(
            f"A message has at most {_LONGEST} characters; this one has {len(content)}."
        )
    return content


async def _say(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    parent = _message(discord, body, "reply_to") if body.get("reply_to") else None
    said = discord.say(
        _user(discord, body), _channel(discord, body), _content(body), reply_to=parent
    )
    return {"message": str(said.id)}


async def _edit(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    message = _own(discord, body)
    discord.edit(message, _content(body))
    return {}


async def _delete(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    discord.delete(_own(discord, body))
    return {}


def _own(discord: LocalDiscord, body: Body) -> Message:
    message = _message(discord, body)
    if message.author is not _user(discord, body):
        raise ActionError("Only whoever wrote a message can change it.")
    return message


async def _react(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    emoji = body.get("emoji")
    if not isinstance(emoji, str) or not emoji:
        raise ActionError("Choose an emoji.")
    user, message = _user(discord, body), _message(discord, body)
    if body.get("on", True):
        discord.react(user, message, emoji)
    else:
        discord.unreact(user, message, emoji)
    return {}


async def _press(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    user, message = _user(discord, body), _message(discord, body)
    discord.press(user, message, str(body.get("custom_id")))
    return {}


async def _typing(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    discord.start_typing(_user(discord, body), _channel(discord, body))
    return {}


async def _dm(discord: LocalDiscord, body: Body) -> dict[str, Any]:
    return {"channel": str(discord.open_dm(_user(discord, body)).id)}


def _refusable(action: Action) -> Action:
    """Word Discord's own refusals for the person at the page."""

    async def attempt(discord: LocalDiscord, body: Body) -> dict[str, Any]:
        if not isinstance(body, Mapping):
            raise ActionError("The body must be a JSON object.")
        try:
            return await action(discord, body)
        except ApiError as error:
            raise ActionError(f"Discord would refuse that: {error.message}.") from None
        except (PermissionError, LookupError, ValueError) as error:
            raise ActionError(f"That does not go: {error}.") from None

    return attempt


ACTIONS: Mapping[str, Action] = {
    name: _refusable(action)
    for name, action in {
        "say": _say,
        "edit": _edit,
        "delete": _delete,
        "react": _react,
        "press": _press,
        "typing": _typing,
        "dm": _dm,
    }.items()
}
