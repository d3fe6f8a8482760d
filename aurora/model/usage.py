"""What runs cost: tokens, and the time of the agent."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import NamedTuple

DAY_SECONDS = 24 * 3600.0
_EPOCH = date(1970, 1, 1).toordinal()


class Used(NamedTuple):
    """What some runs of one day cost together, as far as that is known.

    `day` counts from the epoch, in UTC; a run belongs to the day on which it started last. What
    holds for several guilds, channels, agents or models has none of them. `unknown` counts the
    runs of which the server did not tell all tokens: those that it told are in the sums. The
    prompt's tokens include the `cached`, where a server tells them. `seconds` are the agent's.
    """

    day: int
    guild_id: int | None = None
    channel_id: int = 0
    agent_id: str = ""
    model: str = ""
    runs: int = 0
    answered: int = 0
    failed: int = 0
    unknown: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Return all tokens that are known of."""
        return self.prompt + self.completion

    def plus(self, other: Used) -> Used:
        """Return both together, under this one's names."""
        return self._replace(
            runs=self.runs + other.runs,
            answered=self.answered + other.answered,
            failed=self.failed + other.failed,
            unknown=self.unknown + other.unknown,
            prompt=self.prompt + other.prompt,
            cached=self.cached + other.cached,
            completion=self.completion + other.completion,
            seconds=self.seconds + other.seconds,
        )


def day_of(at: float) -> int:
    """Return the day of a time, in seconds since the epoch, as a number; days are those of UTC."""
    return math.floor(at / DAY_SECONDS)


def date_of(day: int) -> date:
    """Return the date of a day."""
    return date.fromordinal(_EPOCH + day)


def month_of(day: int) -> int:
    """Return the first day of a day's month."""
    return date_of(day).replace(day=1).toordinal() - _EPOCH


def next_month(day: int) -> int:
    """Return the first day of the month after a day's."""
    # The longest month has 31 days, and the shortest more than three.
    return month_of(month_of(day) + 31 + 3)


def starts_at(day: int) -> float:
    """Return when a day begins, in seconds since the epoch."""
    return datetime.combine(date_of(day), datetime.min.time(), UTC).timestamp()
