"""What Discord's markdown means: its patterns, where code stands, and whom a text mentions."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

ATOM = re.compile(
    r"(?:\\[^\n]){1,64}|https?://[^\s<]*[^\s<.,:;\"'\]]"
    r"|<(?:@[!&]?\d+|\#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|/[^\n<>:]{1,100}:\d+|id:[\w:-]+|sound:\d+"
    r"|https?://[^\s<>]+)>"
)
"""What stands for one thing: an escape, an address, a mention, an emoji, a time, a command."""

LINK = re.compile(
    r"\[((?:[^\[\]\\]|\\.|\[[^\[\]]*+\])++)(\]\(\s*+<?https?://(?:\([^\s()]*+\)|[^\s()])++"
    r"(?:\s++[\"'][^\n\"']*+[\"'])?\s*+\))",
    re.DOTALL,
)
"""A text that leads to an address, and what stands behind the text."""

# Those of Discord's clients, written so that none of them looks twice at a character.
DOUBLES = {
    "*": re.compile(r"\*\*(?:\\.|[^\\])(?:[^\\*]++|\\.|\*(?!\*(?!\*)))*+\*\*", re.DOTALL),
    "_": re.compile(r"__(?:\\.|[^\\])(?:[^\\_]++|\\.|_(?!_(?!_)))*+__", re.DOTALL),
    "~": re.compile(r"~~.(?:[^~]++|~(?!~(?!_)))*+~~", re.DOTALL),
    "|": re.compile(r"\|\|.(?:[^|]++|\|(?!\|))*+\|\|", re.DOTALL),
}
ITALICS = {
    "*": re.compile(r"\*(?=\S)(?:[^\s*\\]++|\*\*|\\.|\s++(?=[^*]|\*\*))++\*(?!\*)", re.DOTALL),
    "_": re.compile(r"_(?:[^\\_]++|__|\\.)++_(?![A-Za-z0-9_])", re.DOTALL),
}

BLOCK = re.compile(
    r" *(?:(?P<rest>>>> +)|(?P<quote>>(?!>>) +)|(?P<heading>#{1,3}\s+(?!#)(?=\S))"
    r"|(?P<subtext>-#\s+(?!-#)(?=\S))|(?P<item>(?:[*-]|\d{1,9}\.) +(?=[^\n])))"
)
"""What makes a quote, a heading or a list item of a line."""
QUOTE = re.compile(r" *>(?!>>) +")
QUOTED = re.compile(r"[^\n]*(?:\n *>(?!>>) +[^\n]*)*")
LINE = re.compile(r"[^\n]*")
FENCE = re.compile(r"```(?:([A-Za-z0-9_+\-.#]*)\n)?\n*")

_MARK = re.compile(r"\\.|`", re.DOTALL)
# A word that stands alone behind the backticks is a language, unless it is all that there is.
_OPENINGS = (re.compile(r"```[A-Za-z0-9_+\-.#]+\n+"), re.compile(r"```\n*"))
_SPAN = re.compile("`[^`]++`(?!`)")
_LONGEST_MARGIN = 64
_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")


def begins_line(text: str, at: int) -> bool:
    """Tell whether nothing but marks, blanks and a quote's sign stands before this in its line."""
    before = text[max(at - _LONGEST_MARGIN, 0) : at].rstrip(" >*_~|")
    return before.endswith("\n") or (not before and at <= _LONGEST_MARGIN)


def begins_item(text: str, at: int) -> bool:
    """Tell whether a list item begins here, with a mark of its own."""
    found = BLOCK.match(text, at) if begins_line(text, at) else None
    return found is not None and found["item"] is not None


@functools.cache
def item_lines(indent: int) -> re.Pattern[str]:
    """Return the pattern of a list item's content: its line, and the indented ones below it."""
    sibling = " " * min(indent, _LONGEST_MARGIN) + r"(?:[*-]|\d{1,9}\.) "
    return re.compile(rf"[^\n]*(?:\n(?!{sibling}) [^\n]*)*")


class Code:
    """The code in a text: spans and blocks, found as Discord finds them, in linear time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._runs: dict[int, list[int]] = {}
        for run in re.finditer("`+", text):
            self._starts.append(run.start())
            self._ends.append(run.end())
            self._runs.setdefault(len(run[0]), []).append(run.start())
        self._lengths = sorted(self._runs, reverse=True)

    def block_at(self, start: int, end: int) -> int | None:
        """Return where the block ends that begins at `start`, if it does so before `end`.

        Discord takes three backticks for a block wherever they stand, if three more follow, with
        something between them that is no line break.
        """
        for opening in _OPENINGS:
            if opened := opening.match(self._text, start, end):
                closed = self._text.find("```", opened.end() + 1, end)
                if closed >= 0:
                    return closed + 3
        return None

    def span_at(self, start: int, end: int) -> tuple[int, int] | None:
        """Return how many backticks open a span at `start`, and where it ends before `end`.

        It ends with the next run of just as many; fewer will do, the rest then being code.
        """
        if simple := _SPAN.match(self._text, start, end):
            return 1, simple.end()
        behind = self.run_end(start)
        for length in self._lengths:
            if length <= behind - start:
                places = self._runs[length]
                at = bisect_left(places, behind + 1)
                if at < len(places) and places[at] + length <= end:
                    return length, places[at] + length
        return None

    def run_end(self, start: int) -> int:
        """Return where the run of backticks ends that `start` is in."""
        return self._ends[bisect_right(self._starts, start) - 1]


def code_in(text: str, *, cut_off: bool = False) -> Iterator[tuple[int, int]]:
    """Yield where code spans and blocks begin and end, with their backticks.

    Of a text that may be `cut_off`, a block that nothing closes reaches to the end.
    """
    code, at = Code(text), 0
    while mark := _MARK.search(text, at):
        start, at = mark.span()
        if mark[0] != "`":
            continue
        end = code.block_at(start, len(text))
        if end is None and (span := code.span_at(start, len(text))):
            end = span[1]
        if end is None and cut_off and text.startswith("```", start):
            end = len(text)
        if end is not None:
            yield start, end
        at = end or code.run_end(start)


def by_code(text: str, *, cut_off: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield a text piece by piece, and of each whether it is code."""
    at = 0
    for start, end in code_in(text, cut_off=cut_off):
        yield text[at:start], False
        yield text[start:end], True
        at = end
    yield text[at:], False


def mentioned_outside_code(content: str) -> set[int]:
    """Return the users that a text mentions; what stands in code mentions nobody."""
    return _outside_code(_USER, content)


def roles_outside_code(content: str) -> set[int]:
    """Return the roles that a text mentions outside of code."""
    return _outside_code(_ROLE, content)


def _outside_code(mention: re.Pattern[str], content: str) -> set[int]:
    prose = (piece for piece, is_code in by_code(content) if not is_code)
    return {int(found[1]) for piece in prose for found in mention.finditer(piece)}
