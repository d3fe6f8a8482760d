"""What may be typed for a setting: its range, its words, its kind of value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..reasons import ExplainedError
from ..words import Phrase
from ..words import settings as w


class SettingError(ExplainedError):
    """A value that a setting does not take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person may do with a setting: its name in `config`, its range and what it is for.

    Numbers that have a name may be given by that.
    """

    command: str
    help: Phrase
    unit: Phrase | None = None
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ("on", "off")
    named: Mapping[str, int] = field(default_factory=dict)

    @property
    def values(self) -> Phrase:
        """Say what values it takes."""
        if self.minimum is None:
            *some, last = self.words
            return w.EITHER(one=", ".join(some), other=last)
        span = w.SPAN(lowest=f"{self.minimum:g}", highest=f"{self.maximum:g}", unit=self.unit)
        if not self.named:
            return span
        names = ", ".join(f"{name} = {number:g}" for name, number in self.named.items())
        return w.SPAN_OR_NAMED(span=span, names=names)


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
