"""Judgements: what people think of an answer."""

from __future__ import annotations

from typing import NamedTuple


class Judgement(NamedTuple):
    """What somebody thinks of the answer to an event, by an agent in a lane.

    It is their `own` if they have asked. `at` is in seconds since the epoch; `told` says that the
    agent knows.
    """

    event_id: str
    person_id: int
    agent_id: str
    lane: str
    good: bool
    own: bool
    at: float
    told: bool = False
