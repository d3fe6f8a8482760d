"""What may be typed for a setting: its range, its words, its kind of value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..reasons import ExplainedError
from ..words import Phrase
from ..words import settings as w


class SettingError(ExplainedError):
    """A value that a setting does not take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person may do with a setting: its name in `config`, its range and what it is for."""

    command: str
    help: Phrase
    unit: Phrase | None = None
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ("on", "off")

    @property
    def values(self) -> Phrase:
        """Say what values it takes."""
        if self.minimum is None:
            *some, last = self.words
            return w.EITHER(one=", ".join(some), other=last)
        return w.SPAN(lowest=f"{self.minimum:g}", highest=f"{self.maximum:g}", unit=self.unit)


class TurnLimit(NamedTuple):
    """How many turns one person may have in a minute and in an hour; zeros are no limit."""

    minute: int
    hour: int

    def __str__(self) -> str:
        """Write it the way it is typed."""
        return f"{self.minute}/{self.hour}" if self != NO_LIMIT else "off"


NO_LIMIT = TurnLimit(0, 0)


def setting(default: Any, rule: Rule) -> Any:
    """Make a field of the settings that a guild's admins may change."""
    return field(default=default, metadata={"rule": rule})
