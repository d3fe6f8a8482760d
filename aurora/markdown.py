"""What Discord's markup means: where code stands, and whom a text mentions outside it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

_MARK = re.compile(r"\\.|`", re.DOTALL)
# A word that stands alone behind the backticks is a language, unless it is all that there is.
_OPENINGS = (re.compile(r"```[A-Za-z0-9_+\-.#]+\n+"), re.compile(r"```\n*"))
_USER = re.compile(r"<@!?(\d{15,20})>")


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


def code_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where code spans and blocks begin and end, with their backticks."""
    code, at = Code(text), 0
    while mark := _MARK.search(text, at):
        start, at = mark.span()
        if mark[0] != "`":
            continue
        end = code.block_at(start, len(text))
        if end is None and (span := code.span_at(start, len(text))):
            end = span[1]
        if end is not None:
            yield start, end
        at = end or code.run_end(start)


def mentioned_outside_code(content: str) -> set[int]:
    """Return the users that a text mentions; what stands in code mentions nobody."""
    found: set[int] = set()
    at = 0
    for start, end in (*code_in(content), (len(content), len(content))):
        found.update(int(one[1]) for one in _USER.finditer(content, at, start))
        at = end
    return found
