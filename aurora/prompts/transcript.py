"""Write messages and their circumstances as text for the agent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ..model import (
    EventContext,
    Named,
    Person,
    Place,
    Quote,
)
from .fence import clean, quoted

LISTED_MENTIONS = 10
"""Most mentioned users, roles or channels that are named, of each kind."""

CHAIN_ENDS = {
    "deleted": "The message before this was deleted.",
    "forbidden": "The message before this can't be read here.",
    "elsewhere": "The message before this stands in another channel.",
    "unavailable": "Discord did not hand out the message before this.",
    "cycle": "The replies go round in a circle.",
    "depth": "The conversation goes further back than is shown.",
}
"""What to say for each `chain_end` of an EventContext."""

NOTHING = "(nothing that can be shown)"

_FORGED_ID = re.compile(r'(\bID: )"', re.IGNORECASE)
_AGES = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)
_NOW_SECONDS = 2.0
_USERNAME = re.compile("[a-z0-9_.]+")


def format_timestamp(at: float) -> str:
    """Write a time (seconds since the epoch) in UTC, with the zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def relative_age(at: float, now: float) -> str:
    """Say how long ago something was; clocks differ, so what lies ahead is "just now"."""
    seconds = now - at
    if seconds < _NOW_SECONDS:
        return "just now"
    size, unit = next(age for age in _AGES if seconds >= age[0])
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def format_author(person: Person) -> str:
    """Name a person on one line, with the username where the display name differs."""
    name, username = quoted(person["display_name"]), quoted(person["username"])
    if name == username:
        return name
    # Those of people need no quotes; webhooks and old bots are called whatever somebody likes.
    plain = _USERNAME.fullmatch(person["username"])
    return f"{name} (@{person['username'] if plain else username})"


def format_body(quote: Quote) -> str:
    """Write what a message says: its text, what was cut, and what is not text."""
    said = _said(quote)
    lines = ([said] if said else []) + [f"+ {extra}" for extra in quote["extras"]]
    return "\n".join(lines) or NOTHING


def format_reply_chain(chain: Sequence[Quote], *, now: float, bot_id: str | None = None) -> str:
    """Write messages in their order, one `[timestamp] "Author": content [ID: "id"]` each.

    Further lines of a message are indented, so that a line that starts with a bracket is always
    the beginning of a message and nobody can forge one. Messages of `bot_id` are marked as yours,
    outside the quotes that names stand in.
    """
    return "\n".join(_entry(quote, now, bot_id) for quote in chain)


def _entry(quote: Quote, now: float, bot_id: str | None) -> str:
    author = format_author(quote["author"])
    if quote["author"]["id"] == bot_id:
        author = f"you, {author}"
    said, extras = _said(quote), quote["extras"]
    # What has no text is described where the text would stand.
    said, extras = (said, extras) if said else ("; ".join(extras) or NOTHING, [])
    line = (
        f"[{format_timestamp(quote['at'])}, {relative_age(quote['at'], now)}] "
        f"{author}: {_unforged(said)} "
        f'[ID: "{quote["id"]}"]'
    )
    return "\n".join([line, *(f"    + {_unforged(extra)}" for extra in extras)])


def _said(quote: Quote) -> str:
    cut = f"… [{quote['cut']} more characters not shown]" if quote["cut"] else ""
    return quote["content"] + cut


def _unforged(text: str) -> str:
    return _FORGED_ID.sub(r"\1'", clean(text)).replace("\n", "\n    ")


def format_metadata_for_prompt(
    context: EventContext, now: float, *, earlier: Sequence[EventContext] = ()
) -> str:
    """Write who wrote, where and when, one fact a line, every id a quoted string.

    With `earlier` messages of the same person and place only what they share is written, and whom
    any of them mentions; `format_message_facts` says the rest of each.
    """
    message, place, author = context["message"], context["place"], context["message"]["author"]
    lines = [f"Current time: {format_timestamp(now)}"]
    if place["guild_id"] is not None:
        lines.append(f"Server: {_named(place['guild_id'], place['guild_name'] or 'unknown')}")
    lines.append(_channel(place))
    if place["parent_id"] is not None:
        lines.append(f"Parent channel: {_named(place['parent_id'], place['parent_name'] or '?')}")
    lines.append(f'From: {format_author(author)} (ID: "{author["id"]}")')
    if not earlier:
        lines.append(format_message_facts(message, now))
    lines.append(f"You are: {_named(context['bot']['id'], context['bot']['name'])}")
    mentions = [one["mentions"] for one in (*earlier, context)]
    lines += _listed("Mentioned users", [who for one in mentions for who in one["users"]])
    lines += _listed("Mentioned roles", [who for one in mentions for who in one["roles"]])
    lines += _listed("Mentioned channels", [who for one in mentions for who in one["channels"]])
    return "\n".join(lines)


def format_message_facts(message: Quote, now: float) -> str:
    """Write which message it is, and how long ago it was sent; what time it is stands above."""
    known = f'Message ID: "{message["id"]}"\n' if message["id"] else ""
    return f"{known}Sent: {relative_age(message['at'], now)}"


def _channel(place: Place) -> str:
    name = quoted(place["channel_name"])
    return f'Channel: {name} (ID: "{place["channel_id"]}", type: {place["type"]})'


def _named(identity: str, name: str) -> str:
    return f'{quoted(name)} (ID: "{identity}")'


def _listed(label: str, named: Iterable[Named]) -> Iterable[str]:
    unique = list({one["id"]: one for one in named}.values())
    if not unique:
        return
    shown = [_named(one["id"], one["name"]) for one in unique[:LISTED_MENTIONS]]
    more = f" and {len(unique) - len(shown)} more" if len(unique) > len(shown) else ""
    yield f"{label}: {', '.join(shown)}{more}"
