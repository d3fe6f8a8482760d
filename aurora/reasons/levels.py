"""Levels: who has failed, where somebody reads of an error."""

from __future__ import annotations

from enum import StrEnum

from ..model import State
from .codes import Reason
from .entries import REASONS


class Level(StrEnum):
    """At which step something went wrong; the first two end no event."""

    PARSE = "parse"  # what was typed can't be read
    VALIDATION = "validation"  # it can, and means nothing that is there, or is allowed
    EXECUTION = "execution"  # the agent, its server or Aurora failed on it
    PLATFORM = "platform"  # Discord did not take what was to be sent, or did not say so


_OF_DISCORD = frozenset(
    {
        Reason.UNKNOWN_FATE,
        Reason.DISCORD_ERROR,
        Reason.DISCORD_TIMEOUT,
        Reason.NOT_CONNECTED,
        Reason.FORBIDDEN,
        Reason.AUTOMOD,
        Reason.DM_CLOSED,
        Reason.CHANNEL_GONE,
        Reason.MESSAGE_GONE,
        Reason.THREAD_ARCHIVED,
        Reason.THREAD_LOCKED,
        Reason.NOT_FOUND,
        Reason.REFUSED_BY_DISCORD,
        Reason.TOO_LONG,
        Reason.SLOWMODE,
    }
)
_FAILURES = (State.FAILED, State.EXPIRED)


def level_of(reason: str) -> Level | None:
    """Return at which step an event went wrong that ended by a reason; None if it did not."""
    if reason not in set(Reason) or REASONS[Reason(reason)].state not in _FAILURES:
        return None
    return Level.PLATFORM if reason in _OF_DISCORD else Level.EXECUTION
