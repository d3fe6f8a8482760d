"""Take out what models write about their work without marks, or with marks that were lost."""

from __future__ import annotations

import re

_HARMONY = re.compile(
    r"(?:assistant)?analysis(?=[A-Z][a-z']{0,12} )|(?:assistant)?commentary(?= to=)"
)
_LAST_CHANNEL = re.compile(r".*assistant(final|commentary(?= to=))", re.DOTALL)
_ANNOUNCED = re.compile(
    r"(?:Here is|Here's) my thought process:.*?(?:Here is|Here's) my response:", re.DOTALL
)
_FINAL = "\nFinal Answer:"


def without_leaks(text: str) -> str:
    """Return what is left of a text for people, or of a call."""
    text = _without_ends(text)
    if text.startswith("Here") and (found := _ANNOUNCED.match(text)) is not None:
        return text[found.end() :]
    # As agents reason that are told to by LangChain's prompts.
    if text.startswith("Thought:") and _FINAL in text:
        return text.partition(_FINAL)[2]
    if _HARMONY.match(text) is None:
        return text
    last = _LAST_CHANNEL.match(text)
    if last is not None:
        return text[last.end() :]
    return "" if "analysis" in text[:20] else text.removeprefix("assistant")


def _without_ends(text: str) -> str:
    """Take off the marks for the beginning and the end of all, which HTML has for other things."""
    start, end = 0, len(text)
    while text.startswith("<s>", start):
        start += 3
    while text.endswith("</s>", start, end):
        end -= 4
        while text[end - 1 : end].isspace():
            end -= 1
    return text[start:end]
