"""Turn an event's context into the text the agent reads; the wording is in `templates/`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from string import Template

from .fence import defuse, fence, new_nonce, shorten
from .model import EventContext, Quote
from .transcript import (
    CHAIN_ENDS,
    format_body,
    format_metadata_for_prompt,
    format_reply_chain,
)

PROMPT_CHARS = 24_000
"""Longest prompt, in characters; the sum of what its parts may take."""
CHAIN_BLOCK_CHARS = 9_000
MESSAGE_BLOCK_CHARS = 6_500

DISCORD_TOOLS = frozenset(
    {
        "discord_send",
        "discord_read_messages",
        "discord_add_reaction",
        "discord_get_server_info",
    }
)
"""The tools that the guidance has a line for."""

_TEMPLATES = {
    path.stem: Template(path.read_text(encoding="utf-8").strip())
    for path in (Path(__file__).parent / "templates").glob("*.txt")
}


def build_prompt(
    context: EventContext,
    *,
    now: float,
    guidance: bool,
    nonce: str | None = None,
    tools: Collection[str] = DISCORD_TOOLS,
    text_delivered: bool = False,
) -> str:
    """Build the prompt for an event, at the time it is processed.

    `now` is in seconds since the epoch. With `guidance` the prompt shows how to call those of
    `tools` that fit the place, with the real ids. `text_delivered` adds that plain text reaches
    the person too. `nonce` is for tests; left out, it is new.
    """
    build = build_dm_prompt if context["kind"] == "dm" else build_mention_prompt
    sections = build(context, now=now, nonce=nonce or new_nonce())
    if guidance:
        sections += "\n\n" + _guidance(context, tools, text_delivered=text_delivered)
    return sections.rstrip()


def build_mention_prompt(context: EventContext, *, now: float, nonce: str) -> str:
    """Build the prompt for a mention or a reply in a server, without guidance."""
    return _event(context["kind"], context, now, nonce)


def build_dm_prompt(context: EventContext, *, now: float, nonce: str) -> str:
    """Build the prompt for a direct message, without guidance."""
    return _event("dm", context, now, nonce)


def _event(opening: str, context: EventContext, now: float, nonce: str) -> str:
    sections = [
        _TEMPLATES[opening].substitute(),
        format_metadata_for_prompt(context, now),
        _TEMPLATES["untrusted"].substitute(nonce=nonce),
        _chain(context, now, nonce),
        "Current message:\n" + _current(context["message"], nonce),
    ]
    return "\n\n".join(section for section in sections if section)


def _current(message: Quote, nonce: str) -> str:
    text = shorten(defuse(format_body(message)), MESSAGE_BLOCK_CHARS)
    return fence("current message", text, nonce)


def _chain(context: EventContext, now: float, nonce: str) -> str:
    entries = _fitting(context["chain"], now, context["bot"]["id"])
    cut = len(entries) < len(context["chain"])
    reason = "depth" if cut else context.get("chain_end")
    ending = CHAIN_ENDS.get(reason, f"It ends here: {reason}.") if reason else ""
    if not entries:
        return f"Reply chain: nothing to show. {ending}" if ending else ""
    head = "Reply chain, oldest first" + (f" ({ending})" if ending else "") + ":"
    block = fence("reply chain", "\n".join(entries), nonce)
    return f"{head}\n{block}"


def _fitting(chain: Sequence[Quote], now: float, bot_id: str) -> list[str]:
    """Write as many messages as fit, oldest first; the nearest matter most."""
    entries: list[str] = []
    left = CHAIN_BLOCK_CHARS
    for quote in reversed(chain):
        entry = defuse(format_reply_chain([quote], now=now, bot_id=bot_id))
        left -= len(entry) + 1
        if left < 0:
            break
        entries.append(entry)
    return entries[::-1]


def _guidance(context: EventContext, tools: Collection[str], *, text_delivered: bool) -> str:
    place = context["place"]
    guild_id = place["guild_id"]
    offered = set(tools) - ({"discord_get_server_info"} if guild_id is None else set())
    text = _TEMPLATES["guidance"].substitute(
        channel_id=place["channel_id"], message_id=context["message"]["id"], guild_id=guild_id
    )
    lines = [
        line
        for line in text.splitlines()
        if not line.startswith("- ") or line[2:].partition("(")[0] in offered
    ]
    if text_delivered:
        lines.append(_TEMPLATES["text_reply"].substitute())
    return "\n".join(lines)
