"""Turn an event's context into the text the agent reads; the wording is in `templates/`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from string import Template

from ..files import Attachment
from ..ids import person_folder, place_folder, private_folder
from ..model import EventContext
from .fence import (
    defuse,
    fence,
    new_nonce,
    shorten,
)
from .files import format_files
from .transcript import (
    CHAIN_ENDS,
    format_body,
    format_message_facts,
    format_metadata_for_prompt,
    format_reply_chain,
)

PROMPT_CHARS = 24_000
"""Longest prompt, in characters; the sum of what its parts may take."""
CHAIN_BLOCK_CHARS = 9_000
"""What all reply chains of a prompt may take."""
MESSAGE_BLOCK_CHARS = 6_500
"""What the text of all messages to be answered may take."""
_FRAME_CHARS = 500
"""What stands around each further message; the reply chains make room for it."""

DISCORD_TOOLS = frozenset(
    {
        "discord_send",
        "discord_read_messages",
        "discord_add_reaction",
        "discord_get_server_info",
    }
)
"""The tools that the guidance has a line for."""
MEMORY_TOOL = "memory_write"
"""The tool that has folders to be named."""

_TEMPLATES = {
    path.stem: Template(path.read_text(encoding="utf-8").strip())
    for path in (Path(__file__).parent / "templates").glob("*.txt")
}


def build_prompt(
    context: EventContext,
    *,
    now: float,
    guidance: bool,
    earlier: Sequence[EventContext] = (),
    nonce: str | None = None,
    tools: Collection[str] = DISCORD_TOOLS,
    text_delivered: bool = False,
    by_text: bool = False,
    files: Sequence[Attachment] = (),
    judged: bool | None = None,
) -> str:
    """Build the prompt for a turn, at the time it is processed.

    `earlier` are further messages of the same person in the same place, oldest first, which the
    turn answers together with `context`, the newest. `now` is in seconds since the epoch. With
    `guidance` the prompt shows how to call those of `tools` that fit the place, with the ids of
    the newest message. With a memory among the tools it names the folders that belong to the
    person and the place. `text_delivered` adds that plain text reaches the person too; `by_text`
    that it is how to answer, with no tool. `files` are what came along, opened; what stands in
    them has limits of its own. `judged` says whether who asked liked the last answer. `nonce` is
    for tests; left out, it is new.
    """
    build = build_dm_prompt if context["kind"] == "dm" else build_mention_prompt
    nonce = nonce or new_nonce()
    text = build(context, earlier=earlier, now=now, nonce=nonce)
    if judged is not None:
        text += "\n\n" + _TEMPLATES["liked" if judged else "disliked"].substitute()
    if files:
        text += "\n\n" + format_files(files, nonce)
    if guidance:
        what = "all these messages" if earlier else "the current message"
        ways = _answering(what, text_delivered=text_delivered, by_text=by_text)
        shown = set(tools) - {"discord_send"} if by_text else tools
        text += "\n\n" + "\n".join([*_guidance(context, what, shown), *ways])
    if MEMORY_TOOL in tools:
        text += "\n\n" + _memory(context)
    return text.rstrip()


def build_mention_prompt(
    context: EventContext, *, now: float, nonce: str, earlier: Sequence[EventContext] = ()
) -> str:
    """Build the prompt for a mention or a reply in a server, without guidance."""
    return _turn(context["kind"], context, earlier, now, nonce)


def build_dm_prompt(
    context: EventContext, *, now: float, nonce: str, earlier: Sequence[EventContext] = ()
) -> str:
    """Build the prompt for a direct message, without guidance."""
    return _turn("dm", context, earlier, now, nonce)


def _turn(
    opening: str, context: EventContext, earlier: Sequence[EventContext], now: float, nonce: str
) -> str:
    several = _TEMPLATES["several"].substitute(count=len(earlier) + 1) if earlier else ""
    sections = [
        f"{_TEMPLATES[opening].substitute()} {several}".rstrip(),
        format_metadata_for_prompt(context, now, earlier=earlier),
        _TEMPLATES["untrusted"].substitute(nonce=nonce),
        *(_several([*earlier, context], now, nonce) if earlier else _one(context, now, nonce)),
    ]
    return "\n\n".join(section for section in sections if section)


def _one(context: EventContext, now: float, nonce: str) -> Iterator[str]:
    yield _chain(context, _entries(context, now), CHAIN_BLOCK_CHARS, nonce)
    text = shorten(_body(context), MESSAGE_BLOCK_CHARS)
    yield fence("current message", text, nonce)


def _several(contexts: Sequence[EventContext], now: float, nonce: str) -> Iterator[str]:
    bodies = [_body(context) for context in contexts]
    room = _shares([len(body) for body in bodies], MESSAGE_BLOCK_CHARS)
    entries = list(_new_entries(contexts, now))
    chain_room = _shares(
        [_length(one) for one in entries],
        max(0, CHAIN_BLOCK_CHARS - _FRAME_CHARS * (len(contexts) - 1)),
    )
    for index, context in enumerate(contexts):
        label = f"message {index + 1} of {len(contexts)}"
        parts = [
            format_message_facts(context["message"], now),
            _chain(context, entries[index], chain_room[index], nonce),
            fence(label, shorten(bodies[index], room[index]), nonce),
        ]
        yield "\n".join(part for part in parts if part)


def _body(context: EventContext) -> str:
    return defuse(format_body(context["message"]))


def _new_entries(contexts: Sequence[EventContext], now: float) -> Iterator[list[str]]:
    """Write of each reply chain what does not stand in the prompt already."""
    known = {context["message"]["id"] for context in contexts}
    for context in contexts:
        yield _entries(context, now, known)
        known.update(quote["id"] for quote in context["chain"])


def _entries(context: EventContext, now: float, known: Collection[str] = ()) -> list[str]:
    bot_id = context["bot"]["id"]
    return [
        defuse(format_reply_chain([quote], now=now, bot_id=bot_id))
        for quote in context["chain"]
        if quote["id"] not in known
    ]


def _chain(context: EventContext, entries: Sequence[str], room: int, nonce: str) -> str:
    """Show a reply chain: `entries`, as far as there is room, and why there is no more of it."""
    shown = _fitting(entries, room)
    reason = "depth" if len(shown) < len(entries) else context.get("chain_end")
    notes = [CHAIN_ENDS.get(reason, f"It ends here: {reason}.")] if reason else []
    if len(entries) < len(context["chain"]):
        notes.append("What is missing here stands above.")
    if not shown:
        return f"Reply chain: nothing to show. {' '.join(notes)}" if notes else ""
    head = "Reply chain, oldest first" + (f" ({' '.join(notes)})" if notes else "") + ":"
    block = fence("reply chain", "\n".join(shown), nonce)
    return f"{head}\n{block}"


def _fitting(entries: Sequence[str], room: int) -> list[str]:
    """Keep as many as fit, oldest first; the nearest matter most."""
    first = len(entries)
    while first and (room := room - len(entries[first - 1]) - 1) >= 0:
        first -= 1
    return list(entries[first:])


def _length(entries: Sequence[str]) -> int:
    return sum(len(entry) + 1 for entry in entries)


def _shares(needs: Sequence[int], room: int) -> list[int]:
    """Share out room: what one does not need is left to the others."""
    shares = [0] * len(needs)
    for served, index in enumerate(sorted(range(len(needs)), key=lambda one: needs[one])):
        shares[index] = min(needs[index], room // (len(needs) - served))
        room -= shares[index]
    return shares


def _memory(context: EventContext) -> str:
    """Name the folders of the agent's memory that belong to who asks, and to the place."""
    place, author_id = context["place"], context["message"]["author"]["id"]
    if place["guild_id"] is None:
        return _TEMPLATES["memory_dm"].substitute(person=private_folder(author_id))
    return _TEMPLATES["memory"].substitute(
        person=person_folder(author_id), place=place_folder(place["channel_id"])
    )


def _guidance(context: EventContext, what: str, tools: Collection[str]) -> Iterator[str]:
    """Show how to call those of the tools that fit the place."""
    place, message_id = context["place"], context["message"]["id"]
    guild_id = place["guild_id"]
    offered = set(tools) - ({"discord_get_server_info"} if guild_id is None else set())
    text = _TEMPLATES["guidance"].substitute(
        channel_id=place["channel_id"],
        reply=f', replyToMessageId="{message_id}"' if message_id else "",
        guild_id=guild_id,
        what=what,
    )
    for line in text.splitlines():
        if not line.startswith("- ") or line[2:].partition("(")[0] in offered:
            yield line


def _answering(what: str, *, text_delivered: bool, by_text: bool) -> Iterator[str]:
    """Say what becomes of plain text."""
    if by_text:
        yield _TEMPLATES["text_answer"].substitute(what=what)
    elif text_delivered:
        yield _TEMPLATES["text_reply"].substitute()
