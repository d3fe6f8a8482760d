"""Anchors: messages of the bot's that stand for a question, and hold its text."""

from __future__ import annotations

from ..words import Phrase, say
from .splitting import shorten

QUESTION_CHARS = 1500
"""How much of a question its anchor quotes; a retry reads no more."""
_MOST_LINES = 60
_QUOTE, _ASIDE = ">", "-#"


def anchor_text(said: Phrase, task: Phrase) -> str:
    """Return what an anchor says: `said` has the question as `quoted` gives it."""
    return f"{say(said)}\n{_ASIDE} {say(task)}"


def quoted(question: str) -> str:
    """Quote a question line by line, as much of it as fits."""
    lines = shorten(question.strip(), QUESTION_CHARS).splitlines() or [""]
    if len(lines) > _MOST_LINES:
        # Each takes room for its mark: a question of nothing but line breaks would not fit.
        lines = [*lines[:_MOST_LINES], " ".join(filter(None, lines[_MOST_LINES:]))]
    return "\n".join(f"{_QUOTE} {line}" for line in lines)


def question_in(content: str) -> str:
    """Return the question that an anchor quotes."""
    lines = [line for line in content.splitlines() if line.startswith(_QUOTE)]
    return "\n".join(line.removeprefix(_QUOTE).removeprefix(" ") for line in lines).strip()
