"""Words: all that people read of Aurora, once, in English, under names; no Red in here.

Each module holds the texts of one part of the house. What is below the cog passes phrases on, a
text's name with its values; only who speaks to somebody puts them into a language, by `say`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text for people: its English, and the values of its placeholders.

    A value may be a phrase. `[p]` stands for the bot's prefix.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __call__(self, **values: object) -> Phrase:
        """Fill in placeholders."""
        return Phrase(self.text, {**self.values, **values})

    def __str__(self) -> str:
        """Return it in English, as logs want it."""
        return self._in(_english, "[p]")

    def _in(self, translate: Callable[[str], str], prefix: str) -> str:
        values: dict[str, Any] = {
            name: value._in(translate, prefix) if isinstance(value, Phrase) else value
            for name, value in self.values.items()
        }
        # Before the values come in: what they say of `[p]` is somebody else's.
        return translate(self.text).replace("[p]", prefix).format_map(values)


def phrase(text: str) -> Phrase:
    """Name a text; imported as `_`, so that redgettext finds it."""
    return Phrase(text)


def verbatim(text: object) -> Phrase:
    """Pass on what is nobody's to translate: the words of a server, or of a library."""
    return Phrase("{text}", {"text": text})


def clause(text: Phrase | str) -> Phrase | str:
    """Make a server's own words part of a sentence; phrases for that end without a full stop."""
    return text.rstrip(" .!?") if isinstance(text, str) else text


def in_order(*sentences: Phrase | None) -> Phrase:
    """Say one after the other; None is left out."""
    said = {f"s{number}": one for number, one in enumerate(sentences) if one is not None}
    return Phrase(" ".join(f"{{{name}}}" for name in said), said)


def say(what: Phrase, prefix: str = "[p]") -> str:
    """Put a phrase into the language that is set where this is called."""
    return what._in(_translate, prefix)


def translate_with(translate: Callable[[str], str]) -> None:
    """Use Red's translator from now on; before, everything is English."""
    global _translate  # noqa: PLW0603 - one process speaks with one translator, like Red's own
    _translate = translate


def _english(text: str) -> str:
    return text


_translate: Callable[[str], str] = _english
