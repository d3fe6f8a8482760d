"""Where code stands in a text: what is written there is shown as it is, and means nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

TICKS = re.compile("`++")
"""Some ticks in a row."""

_INFO = re.compile(r"([\w+#.-]{0,30})[ \t]*+(?:\n|\Z)")
_BLANK = re.compile(r"[ \t]*+(?:\n|\Z)")
_WHOLE = re.compile(r"(`{3,}+)([\w+#.-]{0,30})[ \t]*+\n(.*)\n?[ \t]*+\1", re.DOTALL)
_INLINE = re.compile("(`{1,2})([^`\n]++)\\1")
_FENCE = 3


class Code(NamedTuple):
    """Code that begins with some ticks: where they end, where all of it ends, and its language."""

    inside: int
    end: int
    language: str | None
    """None where it is no block of lines."""


def code_in(text: str) -> Mapping[int, Code]:
    """Return by its start what would be code if the text were read from there.

    Every run of ticks that has a partner is one, also the partners: the reader decides by going
    from left to right. Unlike Discord, ticks without a partner on their line, or for a block on a
    line of its own, are none: nothing hides behind a stray one.
    """
    found: dict[int, Code] = {}
    # By the number of ticks: the nearest run to the right, with its line, and the nearest that
    # can close a block.
    nearest: dict[int, tuple[int, int]] = {}
    closing: dict[int, int] = {}
    for start, end, line, leads in reversed(_runs(text)):
        count = end - start
        partner, same_line = nearest.get(count, (-1, -1))
        info = _INFO.match(text, end) if count >= _FENCE else None
        if info is not None and count in closing:
            found[start] = Code(info.end(), closing[count] + count, info[1].lower())
        elif same_line == line:
            found[start] = Code(end, partner + count, None)
        nearest[count] = (start, line)
        if count >= _FENCE and leads and _BLANK.match(text, end):
            closing[count] = start
    return found


def codes_in(text: str) -> Iterator[tuple[int, Code]]:
    """Yield the code of a text that nothing else is to be looked for in, from left to right."""
    at = 0
    for start, code in sorted(code_in(text).items()) if "`" in text else ():
        if start >= at:
            yield start, code
            at = code.end


def outside(text: str, found: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Yield what was found, from left to right, but for what begins in code."""
    codes = codes_in(text)
    start, end = 0, 0
    for one in found:
        while end <= one.start() and start <= one.start():
            following = next(codes, None)
            start, end = (
                (len(text) + 1, 0) if following is None else (following[0], following[1].end)
            )
        if not start <= one.start() < end:
            yield one


def _runs(text: str) -> list[tuple[int, int, int, bool]]:
    """Return each run of ticks: start, end, number of its line, and whether it leads it."""
    runs, line, before, line_start = [], 0, 0, 0
    for run in TICKS.finditer(text):
        start, end = run.span()
        if breaks := text.count("\n", before, start):
            line += breaks
            line_start = text.rfind("\n", before, start) + 1
        runs.append((start, end, line, not text[line_start : min(start, line_start + 8)].strip()))
        before = end
    return runs


def unfenced(text: str) -> str:
    """Return what stands inside, if the whole of a text is one piece of code; else the text."""
    text = text.strip()
    whole = _WHOLE.fullmatch(text)
    if whole is not None and f"\n{whole[1]}" not in whole[3]:
        return whole[3].strip("\n")
    inline = _INLINE.fullmatch(text)
    return text if inline is None else inline[2].strip()
