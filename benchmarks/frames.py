"""The largest frame that a prompt may have around what people wrote, and what it costs."""

from __future__ import annotations

from typing import Any, cast

from aurora.model import EventContext, Kind, Person, Quote
from aurora.prompts import DISCORD_TOOLS, MEMORY_TOOL, build_prompt
from doubles.llm import tokens

_ID = "1575843702142664708"
_SENT = 1_763_726_700.0
_WAITED = 59 * 60.0
_WRITTEN = "x"
"""All that people wrote and are called here."""


def overhead(kind: Kind, *, chain: int = 0, earlier: int = 0, by_text: bool = False) -> int:
    """Count the tokens of a prompt in which people wrote a letter each, as the double counts them.

    `chain` messages stand above the one that is answered, `earlier` ones are answered with it.
    """
    # A commit from before does not know of answers by text.
    way: dict[str, Any] = {"by_text": True} if by_text else {}
    return tokens(
        build_prompt(
            _context(kind, chain),
            earlier=[_context(kind, 0) for _ in range(earlier)],
            now=_SENT + _WAITED,
            guidance=True,
            tools={*DISCORD_TOOLS, MEMORY_TOOL},
            text_delivered=True,
            **way,
        )
    )


def _context(kind: Kind, chain: int) -> EventContext:
    """Return what there is to tell of a message: in a server it stands in a thread."""
    thread = {"type": "public_thread", "parent_id": _ID, "parent_name": _WRITTEN}
    server = {"guild_id": _ID, "guild_name": _WRITTEN, **thread}
    private = dict.fromkeys(("guild_id", "guild_name", "parent_id", "parent_name"), None)
    place = {"channel_id": _ID, "channel_name": _WRITTEN, "type": "private"}
    context: dict[str, Any] = {
        "kind": kind,
        "message": _message(),
        "place": place | (private if kind == "dm" else server),
        "mentions": {"users": [], "roles": [], "channels": []},
        "chain": [_message() for _ in range(chain)],
        "bot": {"id": _ID, "name": "Aurora"},
    }
    return cast(EventContext, context | {"chain_end": "depth"} if chain else context)


def _message() -> Quote:
    author: Person = {
        "id": _ID,
        "username": "y",
        "display_name": _WRITTEN,
        "global_name": None,
        "bot": False,
    }
    return {
        "id": _ID,
        "author": author,
        "content": _WRITTEN,
        "at": _SENT,
        "extras": [],
        "cut": 0,
    }
