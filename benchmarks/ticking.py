"""Two other designs under the same mentions, simulated: one event a tick, for the whole bot.

Nothing sleeps here: time is a number, and the agent takes none of it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

from .figures import Figure
from .schedule import (
    CHANNELS,
    GUILDS,
    MENTIONS,
    PER_SECOND,
    RATE_LIMIT_SECONDS,
)

_SEEDS = 200
_FEW = 9
_JITTER_SECONDS = 0.003
_TURN_SECONDS = 0.01  # of an agent that takes no time: the message is fetched, the answer posted


class Mention(NamedTuple):
    """When a mention comes, in seconds, and in which channel."""

    at: float
    channel: int


@dataclass(frozen=True, slots=True)
class Design:
    """A queue whose worker takes one event a tick.

    An event whose turn comes within `pace` seconds of the end of the last one in its channel goes
    back to the end of the queue, and its tick is spent. Beyond `capacity` waiting events (None:
    no bound) a new one is dropped.
    """

    name: str
    tick: float
    pace: float
    capacity: int | None


REFERENCE = Design("reference_5s_tick", tick=5.0, pace=5.0, capacity=None)
"""What the reference did: its limit of 5 s held in every channel, whatever was set."""
SPEC = Design("spec_1s_tick", tick=1.0, pace=2.0, capacity=50)
"""What its documents say, with their defaults."""


class Outcome(NamedTuple):
    """What a simulation saw.

    `added` are the seconds that each mention waited that was taken, `dropped` counts the others,
    and `waiting` those that waited when the last mention had come.
    """

    added: list[float]
    dropped: int
    waiting: int


def simulate(design: Design, mentions: Sequence[Mention], phase: float, seed: int = 0) -> Outcome:
    """Run a design until all is answered or dropped.

    Args:
        design: Which.
        mentions: In the order in which they come.
        phase: When its first tick is, in seconds.
        seed: Of the few milliseconds by which a timer is late.

    """
    rng = random.Random(seed)  # noqa: S311 - a simulation keeps no secret
    coming, queue = deque(mentions), deque[Mention]()
    ready: dict[int, float] = {}
    added: list[float] = []
    dropped = waiting = 0
    tick = phase
    while coming or queue:
        now = tick + rng.uniform(0, _JITTER_SECONDS)
        tick += design.tick
        while coming and coming[0].at <= now:
            if design.capacity is not None and len(queue) >= design.capacity:
                coming.popleft()
                dropped += 1
            else:
                queue.append(coming.popleft())
            if not coming:
                waiting = len(queue)
        if not queue:
            continue
        mention = queue.popleft()
        if now < ready.get(mention.channel, 0.0):
            queue.append(mention)
        else:
            added.append(now - mention.at)
            ready[mention.channel] = now + _TURN_SECONDS + design.pace
    return Outcome(added, dropped, waiting)


def evenly(count: int, per_second: float, channels: int) -> list[Mention]:
    """Return the schedule of our own measurement: the channels in turn, evenly spaced."""
    return [Mention(number / per_second, number % channels) for number in range(count)]


def now_and_then(count: int, channels: int, seed: int) -> list[Mention]:
    """Return mentions 5.5 to 9 s apart, in channels that take turns."""
    rng = random.Random(seed)  # noqa: S311 - a simulation keeps no secret
    at, mentions = 0.0, []
    for number in range(count):
        at += rng.uniform(5.5, 9.0)
        mentions.append(Mention(at, number % channels))
    return mentions


def figures(ours_ms: float) -> Iterator[Figure]:
    """Simulate both designs, and set our median (in milliseconds) beside those that keep up.

    Under the busy schedule neither does: a ratio would only say how long the load lasted.
    """
    busy = evenly(MENTIONS, PER_SECOND, GUILDS * CHANNELS)
    for design in (REFERENCE, SPEC):
        # The reference keeps to its 5 s whatever is set.
        set_up = replace(design, pace=RATE_LIMIT_SECONDS) if design is SPEC else design
        outcome = simulate(set_up, busy, phase=design.tick / 2)
        name = f"{design.name}_{PER_SECOND:g}_per_s"
        yield from _delays(name, [outcome])
        yield Figure(f"{name}_waiting", outcome.waiting, "mentions")
        yield Figure(f"{name}_dropped", outcome.dropped, "mentions")
        for place, spread in (("one_channel", 1), ("own_channels", _FEW)):
            outcomes = [
                simulate(
                    design,
                    now_and_then(_FEW, spread, seed),
                    phase=design.tick * seed / _SEEDS,
                    seed=seed,
                )
                for seed in range(_SEEDS)
            ]
            yield from _delays(f"{design.name}_{place}", outcomes)
            ratio = round(_p50(outcomes) * 1e3 / ours_ms)
            yield Figure(f"{design.name}_{place}_p50_ratio", ratio, "× ours")


def _delays(name: str, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    yield Figure(f"{name}_p50_s", round(_p50(outcomes), 2), "s")
    yield Figure(f"{name}_max_s", round(median(max(one.added) for one in outcomes), 2), "s")


def _p50(outcomes: Sequence[Outcome]) -> float:
    return median(median(one.added) for one in outcomes)
