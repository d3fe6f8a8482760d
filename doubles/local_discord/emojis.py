"""Telling an emoji from other text."""

from __future__ import annotations

import re

from .errors import ApiError
from .model import Guild

_BASE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe"
    "\u2600-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_ONE = f"{_BASE}\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
_UNICODE = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE})*")
_CUSTOM = re.compile(r"(?:a:)?(\w{2,32}):(\d{15,20})")


def reaction_key(emoji: str, guilds: list[Guild]) -> str:
    """Return how an emoji is kept: itself, or ``name:id`` for a guild's own.

    Args:
        emoji: As it stands in the path of a request.
        guilds: Whose own emojis are known.

    Raises:
        ApiError: There is no such emoji.

    """
    if _UNICODE.fullmatch(emoji):
        return emoji
    custom = _CUSTOM.fullmatch(emoji)
    if custom is not None:
        emoji_id = int(custom[2])
        for guild in guilds:
            if emoji_id in guild.emojis:
                return f"{guild.emojis[emoji_id]}:{emoji_id}"
    raise ApiError(10014)
