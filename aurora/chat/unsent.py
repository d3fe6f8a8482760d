"""What an agent wrote in a run and did not send, as people may read it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ..model import Said
from .hygiene import Cleaned, WrittenCall, clean

_BLANK_LINE = "\n\n"


class Unsent(NamedTuple):
    """What is left of it after cleaning: a text, or a `call` that was written out as one.

    `tool_talk` says that there was nothing but calls, which can't be done. `kept` is what cleaning
    makes the same of once more.
    """

    text: str
    kept: str
    call: WrittenCall | None = None
    tool_talk: bool = False


def read_unsent(said: Said, silence: Collection[str]) -> Unsent:
    """Clean what was said: its texts, in order, else what was said before them."""
    texts = [one for one in said.texts if one.strip()]
    found = _joined(texts, [clean(one, silence=silence) for one in texts])
    if found.text or found.call or found.tool_talk:
        return found
    if any(clean(one, silence=silence).silent for one in texts[-1:]) or not said.earlier:
        return found
    return _joined([said.earlier], [clean(said.earlier, silence=silence)])


def _joined(texts: Collection[str], cleaned: Collection[Cleaned]) -> Unsent:
    text = _BLANK_LINE.join(one.text for one in cleaned if one.text)
    call = next((one.call for one in cleaned if one.call), None) if len(cleaned) == 1 else None
    talk = not text and any(one.tool_talk or one.call for one in cleaned)
    return Unsent(text, text or _BLANK_LINE.join(texts), call, talk and call is None)
