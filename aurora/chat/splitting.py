"""Long texts as several messages: cut where it hurts least, code blocks kept whole or reopened."""

from __future__ import annotations

import re
import unicodedata

from ..words import cutting, say

LIMIT = 2000

_FENCE = re.compile(r"(```[\s\S]*?(?:```|\Z))")
_OPENING = re.compile(r"```(?:([A-Za-z0-9_+\-.#]{1,30})\n)?")
_CLOSING = "\n```"
_IN_BRACKETS = re.compile(r"<https?://[^\s<>]+>", re.IGNORECASE)
_ZWJ = "\u200d"
_LONGEST_CLUSTER = 64


def split_message(text: str, limit: int = LIMIT) -> list[str]:
    """Split a text into messages of 1 to `limit` characters (at least 100).

    Prefers to cut between paragraphs, then lines, then words, outside code blocks. A block that
    fits into a message is never cut; a longer one is closed and reopened with its language.
    Only white space at the cuts is dropped. A text that fits stays as it is.
    """
    if len(text) <= limit:
        return [text] if text.strip() else []
    packer = _Packer(limit)
    # Splitting by a group yields prose and code blocks in turn.
    for index, segment in enumerate(_FENCE.split(text)):
        if index % 2:
            packer.add_block(segment)
        else:
            packer.add_prose(segment)
    packer.flush()
    return packer.pieces


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters and tell people how many are missing."""
    missing = len(text) - limit
    return text if missing <= 0 else text[:limit] + say(cutting.MORE(count=missing))


class _Packer:
    """Fills one message after the other."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._current = ""
        self.pieces: list[str] = []

    def flush(self) -> None:
        """End the current message."""
        # Discord drops white space at both ends anyway; a message of nothing else is refused.
        if piece := self._current.strip():
            self.pieces.append(piece)
        self._current = ""

    def add_prose(self, text: str) -> None:
        while len(text) > self._room():
            if self._is_full():
                self.flush()
                continue
            at = _boundary(text, self._room(), hard=not self._current)
            self._current += text[:at]
            self.flush()
            text = text[at:]
        self._current += text

    def add_block(self, block: str) -> None:
        if len(block) < 6 or not block.endswith("```"):
            block += _CLOSING  # Never closed by its author, but every message ends its own.
        if len(block) > self._room() and len(block) <= self._limit:
            self.flush()
        if len(block) <= self._room():
            self._current += block
        else:
            self._add_long_block(block)

    def _add_long_block(self, block: str) -> None:
        opened = _OPENING.match(block)
        language = opened[1] or "" if opened else ""
        opening = f"```{language}\n"
        body = block[opened.end() if opened else 3 : -3]
        while body:
            if self._is_full():
                self.flush()
            room = self._room() - len(opening) - len(_CLOSING)
            at = len(body) if len(body) <= room else _boundary(body, room, hard=True)
            self._current += opening + body[:at].removesuffix("\n") + _CLOSING
            body = body[at:]
            if body:
                self.flush()

    def _room(self) -> int:
        return self._limit - len(self._current)

    def _is_full(self) -> bool:
        # Three words behind a long block read worse than a message that is a little shorter.
        return self._room() < self._limit // 4


def _boundary(text: str, room: int, *, hard: bool) -> int:
    """Return where to cut a text that does not fit into the room; 0 if only inside a word."""
    for mark, earliest in (("\n\n", room // 2), ("\n", room // 4), (" ", 1)):
        at = text.rfind(mark, earliest, room)
        if at > 0:
            return at + len(mark)
    return (_before_address(text, room) or _between_clusters(text, room)) if hard else 0


def _before_address(text: str, at: int) -> int:
    """Return where an address in brackets begins that `at` would cut in two, else 0.

    Half of one would stand in no brackets, and Discord would look at what it leads to.
    """
    opening = text.rfind("<", 0, at)
    if opening > 0 and (found := _IN_BRACKETS.match(text, opening)) and found.end() > at:
        return opening
    return 0


def _between_clusters(text: str, at: int) -> int:
    """Return the nearest place before `at` that cuts no accent, emoji or flag in two."""
    for candidate in range(at, max(at - _LONGEST_CLUSTER, 0), -1):
        if not _joined(text, candidate):
            return candidate
    return at


def _joined(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after == _ZWJ or before == _ZWJ or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True  # Skin tones and flag tags belong to the emoji before them.
    if not (_is_regional(before) and _is_regional(after)):
        return False
    start = at
    while start and _is_regional(text[start - 1]):
        start -= 1
    return (at - start) % 2 == 1


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
