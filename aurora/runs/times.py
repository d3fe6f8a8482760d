"""Times as people type them, and when they come: once, every so often, or on days of the week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ..reasons import ExplainedError
from ..words import schedules as w

HOUR = 3600.0
DAY = 24 * HOUR
SHORTEST, LONGEST = HOUR, 365 * DAY
"""The least time between two wake-ups of one schedule, and how far ahead one may lie."""

_UNITS = {"m": 60.0, "h": HOUR, "d": DAY}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NAMES = "|".join(f"{one[:3]}(?:{one[3:]})?" for one in _DAYS)
_CLOCK = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_SPAN = r"(?P<number>\d{1,5})\s*(?:(?P<unit>[mhd])|(?P<word>min(?:ute)?|hour|day)s?)"
_IN = re.compile(rf"in\s+{_SPAN}(?=\s|$)", re.IGNORECASE)
_EVERY = re.compile(rf"every\s+{_SPAN}(?=\s|$)", re.IGNORECASE)
_AT = re.compile(rf"(?P<date>\d{{4}}-\d\d-\d\d)[\sT]+{_CLOCK}(?=\s|$)", re.IGNORECASE)
_WEEKLY = re.compile(
    rf"(?P<days>daily|(?:{_DAY_NAMES})(?:\s*,\s*(?:{_DAY_NAMES}))*)"
    rf"\s+{_CLOCK}(?=\s|$)",
    re.IGNORECASE,
)


class TimeError(ExplainedError):
    """What was typed is no time that a schedule takes."""


@dataclass(frozen=True, slots=True)
class Once:
    """A single time, in seconds since the epoch."""

    at: float

    def __str__(self) -> str:
        """Write it the way it is kept."""
        return f"once {self.at:.0f}"

    def after(self, moment: float, zone: tzinfo) -> float | None:  # noqa: ARG002 - as the others
        """Return when it comes next after a moment, if it does."""
        return self.at if self.at > moment else None


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many `seconds`, counted from a first time, both in seconds; no clock moves it."""

    seconds: float
    since: float

    def __str__(self) -> str:
        """Write it the way it is kept."""
        return f"every {self.seconds:.0f} {self.since:.0f}"

    def after(self, moment: float, zone: tzinfo) -> float | None:  # noqa: ARG002 - as the others
        """Return when it comes next after a moment."""
        passed = max(0, int((moment - self.since) // self.seconds))
        return self.since + (passed + 1) * self.seconds


@dataclass(frozen=True, slots=True)
class Weekly:
    """A time of day, in minutes, on `days` of the week (Monday is 0), by the clocks of a place."""

    days: tuple[int, ...]
    minute: int

    def __str__(self) -> str:
        """Write it the way it is kept."""
        return f"weekly {','.join(map(str, self.days))} {self.minute}"

    def after(self, moment: float, zone: tzinfo) -> float | None:
        """Return when it comes next after a moment.

        A time that the clocks leave out comes as much later as they are set forward; one that
        they show twice comes the first time only.
        """
        day = datetime.fromtimestamp(moment, zone).date() - timedelta(days=1)
        for ahead in range(10):
            date = day + timedelta(days=ahead)
            if date.weekday() in self.days:
                naive = datetime(date.year, date.month, date.day)  # noqa: DTZ001 - the zone follows
                due = (naive + timedelta(minutes=self.minute)).replace(tzinfo=zone).timestamp()
                if due > moment:
                    return due
        return None


When = Once | Every | Weekly


def read_when(text: str, now: float, zone: tzinfo) -> tuple[When, str]:
    """Read the time that a text begins with; return it with what follows.

    Raises TimeError, which says what can be typed.
    """
    text = text.strip()
    if found := _IN.match(text):
        return _once(now + _span(found), now), _rest(text, found)
    if found := _AT.match(text):
        return _once(_at(found, zone), now), _rest(text, found)
    if found := _EVERY.match(text):
        seconds = _span(found)
        if not SHORTEST <= seconds <= LONGEST:
            raise TimeError(w.TOO_OFTEN)
        return Every(seconds, now), _rest(text, found)
    if found := _WEEKLY.match(text):
        return Weekly(_days(found["days"]), _minute(found)), _rest(text, found)
    raise TimeError(w.NO_TIME(given=text[:30]))


def kept_when(text: str) -> When:
    """Return a time from the way it is kept."""
    kind, *values = text.split()
    if kind == "once":
        return Once(float(values[0]))
    if kind == "every":
        return Every(float(values[0]), float(values[1]))
    return Weekly(tuple(map(int, values[0].split(","))), int(values[1]))


def typed_when(when: When, zone: tzinfo) -> str:
    """Write a time the way it is typed."""
    match when:
        case Once(at):
            return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")
        case Every(seconds):
            hours, rest = divmod(seconds, HOUR)
            return f"every {hours:.0f}h" if not rest else f"every {seconds / 60:.0f}m"
        case Weekly(days, minute):
            names = "daily" if len(days) == 7 else ",".join(_DAYS[one][:3] for one in days)
            return f"{names} {minute // 60:02}:{minute % 60:02}"


def in_hours(moment: float, first: int, last: int, zone: tzinfo) -> bool:
    """Tell whether a moment lies between two hours of the day; equal ones are no time at all."""
    hour = datetime.fromtimestamp(moment, zone).hour
    return first <= hour < last if first <= last else hour >= first or hour < last


def day_of(moment: float, zone: tzinfo) -> str:
    """Name the day of a moment by the clocks of a place."""
    return datetime.fromtimestamp(moment, zone).date().isoformat()


def _once(at: float, now: float) -> Once:
    if at <= now:
        raise TimeError(w.PAST)
    if at > now + LONGEST:
        raise TimeError(w.TOO_FAR)
    return Once(at)


def _span(found: re.Match[str]) -> float:
    return int(found["number"]) * _UNITS[(found["unit"] or found["word"])[0].lower()]


def _minute(found: re.Match[str]) -> int:
    return int(found["hour"]) * 60 + int(found["minute"])


def _at(found: re.Match[str], zone: tzinfo) -> float:
    try:
        date = datetime.fromisoformat(found["date"])
    except ValueError:
        raise TimeError(w.NO_DAY(given=found["date"])) from None
    return (date + timedelta(minutes=_minute(found))).replace(tzinfo=zone).timestamp()


def _days(text: str) -> tuple[int, ...]:
    if text.lower() == "daily":
        return tuple(range(7))
    begins = [one.strip().lower()[:3] for one in text.split(",")]
    return tuple(number for number, name in enumerate(_DAYS) if name[:3] in begins)


def _rest(text: str, found: re.Match[str]) -> str:
    return text[found.end() :].strip()
