"""Long texts as several messages: cut where it hurts least, with all that is open kept open."""

from __future__ import annotations

import re
import unicodedata

from ..markdown import begins_item
from ..words import cutting, say
from .markup import INSIDE, PREFIX, START, Markup, Styles, units

LIMIT = 2000

_GAP = re.compile(rf"[\s{PREFIX}]*")
_GAP_IN_CODE = re.compile(rf"[\n{PREFIX}]*")
_SENTENCE = re.compile(r"[.!?…][)\"'”’*_~|]*\s")
_ZWJ = "\u200d"
_LONGEST_CLUSTER = 64


def split_message(text: str, limit: int = LIMIT) -> list[str]:
    """Split a text into messages of 1 to `limit` characters (at least 100).

    Prefers to cut between paragraphs, then lines, sentences, words. A style that is open at a cut
    (spoiler, bold, quote, list item, code block with its language, …) is closed there and opened
    again in the next message. Mentions, emoji, addresses and characters that people see as one
    are not cut, nor are blocks, links and short constructs that fit into a message; what alone is
    longer than a message is cut between characters. Only white space at the cuts is dropped, and
    the margin of a list that goes on in the next message. A
    text that fits stays as it is. Characters are counted as UTF-16 does: Discord counts code
    points, its clients code units, and what is short enough for one is for the other.
    """
    if units(text) <= limit:
        return [text] if text.strip() else []
    markup = Markup(text, keep=limit // 4, limit=limit)
    parts, at = [], 0
    while at < len(text):
        part, at = _next(markup, at, limit)
        if part:
            parts.append(part)
    return parts


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters and tell people how many are missing."""
    missing = len(text) - limit
    return text if missing <= 0 else text[:limit] + say(cutting.MORE(count=missing))


def _next(markup: Markup, at: int, limit: int) -> tuple[str, int]:
    """Return the message that begins at a place, and where the next one begins."""
    opened = _affordable(markup.styles_at(at), limit)
    if opened and opened[-1].kind == "item" and begins_item(markup.text, at):
        opened = tuple(style for style in opened if style.kind != "item")
    opening, reserve = _opening(opened), 0
    while True:
        end = _reach(markup.text, at, limit - units(opening) - reserve)
        if end < len(markup.text):
            end = _cut(markup, at, end)
        closing = _closing(_affordable(markup.styles_at(end), limit))
        body, behind = _body(markup, at, end)
        if units(opening + body + closing) <= limit:
            margin = opened[-1].margin if opened else len(body) - len(body.lstrip(" "))
            body = _without_margin(body, margin)
            break
        reserve = max(reserve + 1, units(closing))
    return (f"{opening}{body}{closing}".strip() if body.strip() else ""), behind


def _body(markup: Markup, at: int, end: int) -> tuple[str, int]:
    """Return the text up to a cut, without the white space there, and where it goes on."""
    styles, mask = markup.styles_at(end), markup.mask
    in_block = bool(styles) and styles[-1].kind == "fence"
    behind = (_GAP_IN_CODE if in_block else _GAP).match(mask, end).end()  # type: ignore[union-attr]
    body = mask[at:end].replace(PREFIX, "\n").rstrip("\n" if in_block else None)
    return markup.text[at : at + len(body)], behind


def _without_margin(body: str, margin: int) -> str:
    """Take the blanks from a list's further items that its first one loses in front of all."""
    lines = body.split("\n") if margin else []
    for index, line in enumerate(lines[1:], 1):
        if not line.startswith(" "):
            break
        lines[index] = line[min(margin, len(line) - len(line.lstrip(" "))) :]
    return "\n".join(lines) if margin else body


def _affordable(styles: Styles, limit: int) -> Styles:
    """Leave out what takes too much room, but never what hides a text."""
    if len(_opening(styles)) + len(_closing(styles)) <= limit // 2:
        return styles
    return tuple(style for style in styles if style.opening == "||")[:1]


def _opening(styles: Styles) -> str:
    innermost = next((one for one in reversed(styles) if one.kind == "item"), None)
    marks = [style.opening for style in styles if style.kind != "item" or style is innermost]
    return "".join(marks).replace("\n", "\n" + _margin(styles))


def _closing(styles: Styles) -> str:
    marks = [style.closing for style in reversed(styles)]
    return "".join(marks).replace("\n", "\n" + _margin(styles))


def _margin(styles: Styles) -> str:
    """Return what a line has to begin with to belong to the quote and the item it is in."""
    kinds = {style.kind for style in styles}
    return "> " * ("quote" in kinds) + "  " * ("item" in kinds)


def _reach(text: str, at: int, room: int) -> int:
    """Return how far a message reaches that begins at a place and has so much room."""
    end = min(len(text), at + room)
    while (over := units(text[at:end]) - room) > 0:
        end -= (over + 1) // 2
    return max(end, at + 1)


def _cut(markup: Markup, at: int, end: int) -> int:
    """Return where to cut a text that does not fit, after `at` and not after `end`."""
    room, mask = end - at, markup.mask
    for mark, earliest in (("\n\n", room // 2), ("\n", room // 4)):
        found = _last(markup, mark, at + max(earliest, 1), end)
        if found:
            return found
    ends = [one.end() - 1 for one in _SENTENCE.finditer(mask, at + room // 2, end + 1)]
    for found in reversed(ends):
        if _may_cut(markup, found):
            return found
    if found := _last(markup, " ", at + 1, end):
        return found
    edge = max(mask.rfind(START, at + room // 2, end + 1), mask.rfind(INSIDE, at, end) + 1)
    if edge > at + room // 2 and mask[edge] != INSIDE and _may_cut(markup, edge):
        return edge
    return _between_clusters(markup, at, end)


def _last(markup: Markup, mark: str, earliest: int, end: int) -> int:
    # A cut at the very end drops the white space behind it.
    found = markup.mask.rfind(mark, earliest, end + len(mark))
    while found > 0 and not _may_cut(markup, found):
        found = markup.mask.rfind(mark, earliest, found)
    return max(found, 0)


def _may_cut(markup: Markup, at: int) -> bool:
    return markup.may_begin(_GAP.match(markup.mask, at).end())  # type: ignore[union-attr]  # any


def _between_clusters(markup: Markup, at: int, end: int) -> int:
    """Return the nearest place that cuts nothing that must stay whole, else no accent or emoji."""
    text, mask = markup.text, markup.mask
    for place in range(end, at, -1):
        whole = mask[place] in (INSIDE, PREFIX) or _joined(text, place, at)
        if not whole and markup.may_begin(place):
            return place
    for place in range(end, max(end - _LONGEST_CLUSTER, at), -1):
        if not _joined(text, place, at):
            return place
    return end


def _joined(text: str, at: int, start: int) -> bool:
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return False
    if after == _ZWJ or before == _ZWJ or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True  # Skin tones and flag tags belong to the emoji before them.
    if not (_is_regional(before) and _is_regional(after)):
        return False
    first = at
    while first > start and _is_regional(text[first - 1]):
        first -= 1
    return (at - first) % 2 == 1


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
