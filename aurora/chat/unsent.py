"""What an agent wrote in a run and did not send, as people may read it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from ..model import Said
from .fingerprints import SHORT, normal
from .hygiene import Cleaned, WrittenCall, clean

_BLANK_LINE = "\n\n"


class Unsent(NamedTuple):
    """What is left of it after cleaning: a text, or a `call` that was written out as one.

    Beside a call the `text` is what was written apart from it. `tool_talk` says that there was
    nothing but calls, which can't be done. `kept` is what cleaning makes the same of once more.
    """

    text: str
    kept: str
    call: WrittenCall | None = None
    tool_talk: bool = False


def read_unsent(
    said: Said, silence: Collection[str], was_sent: Callable[[str], bool] = lambda _text: False
) -> Unsent:
    """Clean what was said: its texts, in order, else what was said before them.

    Of several texts those are left out that `was_sent`, and that another one says, too.
    """
    texts = [one for one in said.texts if one.strip()]
    found = _joined(texts, [clean(one, silence=silence) for one in texts], was_sent)
    if found.text or found.call or found.tool_talk:
        return found
    if any(clean(one, silence=silence).silent for one in texts[-1:]) or not said.earlier:
        return found
    return _joined([said.earlier], [clean(said.earlier, silence=silence)], was_sent)


def _joined(
    texts: Sequence[str], cleaned: Sequence[Cleaned], was_sent: Callable[[str], bool]
) -> Unsent:
    said = _once([one.text for one in cleaned if one.text])
    if len(said) > 1:
        said = [one for one in said if not was_sent(one)] or said[-1:]
    text = _BLANK_LINE.join(said)
    talk = not text and any(one.tool_talk or one.call for one in cleaned)
    for raw, one in zip(reversed(texts), reversed(cleaned), strict=True):
        # A message written out as a call is what people are to read, whatever stands beside it.
        if one.call is not None and (one.call.name == "discord_send" or len(cleaned) == 1):
            return Unsent(text, raw, one.call)
    return Unsent(text, text or _BLANK_LINE.join(texts), None, talk)


def _once(texts: list[str]) -> list[str]:
    """Leave out what is said again: agents repeat their answer after they noted something down."""
    forms = [normal(one) for one in texts]
    return [
        text
        for index, text in enumerate(texts)
        if not any(
            _says(other, forms[index]) and (other != forms[index] or place < index)
            for place, other in enumerate(forms)
            if place != index
        )
    ]


def _says(text: str, other: str) -> bool:
    return other == text or (len(other) >= SHORT and other in text)
