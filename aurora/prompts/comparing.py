"""What the agent reads that puts together what several have answered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .fence import defuse, fence, new_nonce, shorten

ANSWER_CHARS = 4000
"""Most characters of each answer."""
_TASK = (Path(__file__).parent / "templates" / "compare.txt").read_text(encoding="utf-8").strip()


def build_comparison(question: str, answers: Mapping[str, str]) -> str:
    """Return the prompt: what was asked, as it was asked, and what each of several says to it."""
    nonce = new_nonce()
    said = [
        fence(f"answer of {name}", defuse(shorten(answer, ANSWER_CHARS)), nonce)
        for name, answer in answers.items()
    ]
    return "\n\n".join([question, _TASK, *said])
