"""Hygiene: what a model writes beside its answer never reaches people."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from ..fingerprints import tidy
from .blocks import take_blocks
from .calls import WrittenCall, read_call, take_calls
from .code import outside, unfenced
from .leaks import without_leaks
from .scaffolding import take_scaffolding
from .silence import without_markers

__all__ = ["Cleaned", "WrittenCall", "clean"]

_DOABLE = {
    "discord_send": {"channelId", "message"},
    "discord_add_reaction": {"channelId", "messageId", "emoji"},
}
"""The calls that are done although they were only written, and what they need."""
_ROUNDS = 6
"""So often a text is cleaned; one that has still something in it then was made to have."""
_BREAK = re.compile(r"(?<!\\)\\n")
_OTHER_MEANING = re.compile(r"\\(?!n)|[(=:]|\\n(?:abla|e|i|u|o|leq|geq|mid)")
# In a path, and in a string of code that is not marked as such.
_IN_PATH = re.compile(r"(?:[A-Za-z]:|\\)\S*\Z|[(=]\s?[frb]?([\"'])(?:(?!\1).)*\Z")
_TEX = re.compile(r"\\n(?:abla|eq|ewline|ewpage|exists|i|leq|geq|mid|ot|otin|u|ewcommand)\b")


class Cleaned(NamedTuple):
    """What is left of a text that an agent wrote."""

    text: str
    """What people may read of it; "" if nothing is left."""
    silent: bool = False
    """The agent chose silence: a marker, and perhaps reasoning, was all there was."""
    call: WrittenCall | None = None
    """The whole text, but for reasoning, is this one call, and can be done."""
    tool_talk: bool = False
    """Calls that can't be done as one stood in it, or were all there was."""


def clean(text: str, *, silence: Collection[str] = ()) -> Cleaned:
    """Take out of an agent's text what was not written for people; linear in its length.

    `silence` are the markers of a server's admins, in addition to those that models know.
    """
    calls: list[WrittenCall | None] = []
    marked = False
    text = tidy(text)
    for _ in range(_ROUNDS):
        before = text
        text, found = _without_machinery(text)
        calls += found
        said = without_markers(text, silence)
        marked = marked or said != text
        text = _with_breaks(said).strip()
        if text == before:
            break
    else:
        text = ""
    call = calls[0] if len(calls) == 1 and not text else None
    if call is not None and _DOABLE.get(call.name, {""}) <= call.arguments.keys():
        return Cleaned("", call=call)
    return Cleaned(text, silent=marked and not text and not calls, tool_talk=bool(calls))


def _without_machinery(text: str) -> tuple[str, list[WrittenCall | None]]:
    """Take out reasoning, calls and scaffolding; return the calls that stood there."""
    inner = unfenced(text)
    if inner != text:
        # A block of code around everything is no quotation.
        bare = take_blocks(inner)
        if bare.text != inner:
            return bare.text, [read_call(one) for one in bare.calls]
    rest = take_blocks(without_leaks(text))
    calls = [read_call(one) for one in rest.calls]
    found = take_calls(take_scaffolding(rest.text))
    return found.text, [*calls, *found.calls]


def _with_breaks(text: str) -> str:
    """Break lines where a model wrote a backslash and an n, in a text that has no other breaks."""
    if "\\n" not in text or "\n" in text:
        return text
    if "`" not in text and _OTHER_MEANING.search(text) is None:
        return text.replace("\\n", "\n")
    out, at = [], 0
    for found in outside(text, _BREAK.finditer(text)):
        word = text[max(at, found.start() - 100) : found.start()]
        if _TEX.match(text, found.start()) is None and _IN_PATH.search(word) is None:
            out.append(text[at : found.start()])
            at = found.end()
    return "\n".join([*out, text[at:]])
