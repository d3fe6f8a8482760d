"""Outage drills: the agents' server goes away under load, and comes back."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aurora.errors import BreakerState
from aurora.model import Change, State
from aurora.settings import NO_PROGRESS
from doubles.local_discord import Channel, Message
from sandbox.red import LocalRed
from tests.support.house import ROOT

from .check import (
    OUTAGE,
    check,
    content_in,
    read_ledger,
)
from .clock import ScaledClock
from .life import LEDGER, grant
from .town import Size, SoakTown, open_town

SIZE = Size(guilds=10, channels=6, people=60, pace=2.0, private=0.0, broken=0.0)
_DRAIN_SECONDS = 1200.0
_CLOSED_WITHIN = 5.0
# A restart is nobody's news, an outage is; in between it depends on the moment of a ping.
_NO_OUTAGE, _OUTAGE = 5.0, 15.0
# How long after the server is back the first turn may come, by the length of the outage.
_FLOWS_WITHIN = ((5.0, 6.0), (40.0, 10.0), (240.0, 60.0))
_FLOWS_AT_LAST = 62.0
_FINAL = {state.value for state in State if state.final}


@dataclass(slots=True)
class OutageReport:
    """What came of a drill; it is good if nothing stands in `violations`.

    All times are in seconds of the drill, which runs `speed` times as fast as the clock.
    `flows_after` is how long after the server was back it got a turn, `closed_after` how long
    after that the breaker was closed.
    """

    outage: float
    speed: float
    seconds: float
    sent: int
    sent_in_outage: int
    ends: dict[str, int]
    notices: int
    alerts: list[str]
    flows_after: float
    closed_after: float
    violations: list[str]


async def run_outage(
    outage: float,
    *,
    speed: float,
    folder: Path,
    per_second: float = 5.0,
    around: float = 10.0,
    seed: int = 1,
) -> OutageReport:
    """Let the agents' server be away for `outage` seconds, with so many questions a second.

    They begin `around` seconds before and end as long after. Aurora's data are in `folder`, which
    is empty.
    """
    clock, rng = ScaledClock(speed), random.Random(seed)  # noqa: S311 - it makes up people
    size = replace(SIZE, slowness=SIZE.slowness / speed)
    async with open_town(rng, size, now=clock.time) as town:
        drill = _Drill(town, clock, per_second)
        async with drill.aurora(folder):
            await drill.run(outage, around)
        return await drill.report(folder, outage)


class _Drill:
    """One drill, from the first question to the verdict."""

    def __init__(self, town: SoakTown, clock: ScaledClock, per_second: float) -> None:
        self._town = town
        self._clock = clock
        self._gap = 1.0 / per_second
        self._services: Any = None
        self._open: set[int] = set()
        self._accepted: set[int] = set()
        self._down_from = self._down_to = 0
        self._back_at = 0.0
        self._probed_at: float | None = None
        self._closed_at: float | None = None
        self._begun = clock.monotonic()

    @asynccontextmanager
    async def aurora(self, data: Path) -> AsyncIterator[None]:
        """Run a real Red with Aurora, whose clock is that of the drill."""
        town, clock = self._town, self._clock
        with patch("aurora.services.wiring.SystemClock", lambda: clock):
            red = await LocalRed.boot(
                data, discord=town.discord, cogs=["aurora"], cog_paths=[ROOT], owner=town.mayor
            )
        try:
            red.bot.add_listener(self._hear, "on_aurora_event")
            wishes = await town.wishes()
            if clock.speed > 1:
                # Where a second is a moment each run would seem long, and be shown and timed so.
                hasty = {"progress": NO_PROGRESS, "agent_timeout": 300}
                guilds = {one: {**mine, **hasty} for one, mine in wishes.guilds.items()}
                wishes = replace(wishes, guilds=guilds)
            await grant(red.bot, wishes)
            cog: Any = red.bot.get_cog("Aurora")
            self._services = cog.services
            yield
        finally:
            await red.close()

    async def run(self, outage: float, around: float) -> None:
        """Ask for a while, let the server go, let it come back, and wait for all the answers."""
        town, clock = self._town, self._clock
        await self._ask_for(around)
        # What becomes of a turn that is cut off in its middle has tests of its own.
        await self._idle()
        self._down_from = len(town.asked)
        await town.server.stop()
        await self._ask_for(outage)
        self._down_to = len(town.asked)
        town.on_turn = self._probed
        await town.server.start()
        self._back_at = clock.monotonic()
        watching = asyncio.create_task(self._watch_breaker())
        await self._ask_for(around)
        limit = clock.monotonic() + _DRAIN_SECONDS
        while (self._open or not self._all_in()) and clock.monotonic() < limit:  # noqa: ASYNC110 - two sets
            await asyncio.sleep(0.05)
        watching.cancel()
        # The last alerts are on their way.
        await asyncio.sleep(0.5)

    async def report(self, data: Path, outage: float) -> OutageReport:
        """Judge what people saw against what the ledger says."""
        town = self._town
        ledger = await read_ledger(data / LEDGER, town.asked)
        owed = {one.message.id for one in town.asked}
        found = check(
            town.discord,
            town.asked,
            ledger,
            told=self._accepted,
            owed=owed,
            pace=town.size.pace,
            rounding=0.05 * self._clock.speed,
        )
        notices = Counter(message.channel.id for message in self._said(OUTAGE))
        alerts = [one.content for one in self._in(town.discord.open_dm(town.mayor))]
        flows_after = (self._probed_at or math.inf) - self._back_at
        closed_after = (self._closed_at or math.inf) - (self._probed_at or 0.0)
        complaints = [
            *_complaints(found.ends, ledger.refused, notices, alerts, outage),
            *_delays(outage, flows_after, closed_after, self._clock.speed),
        ]
        return OutageReport(
            outage=outage,
            speed=self._clock.speed,
            seconds=round(self._clock.monotonic() - self._begun, 1),
            sent=len(town.asked),
            sent_in_outage=self._down_to - self._down_from,
            ends=found.ends,
            notices=sum(notices.values()),
            alerts=alerts,
            flows_after=round(flows_after, 2),
            closed_after=round(closed_after, 2),
            violations=[*found.violations, *content_in(data), *complaints],
        )

    async def _hear(self, change: Change) -> None:
        if change.step == "queued":
            self._accepted.add(change.message_id)
            self._open.add(change.message_id)
        elif change.step in _FINAL:
            self._open.discard(change.message_id)

    async def _ask_for(self, seconds: float) -> None:
        """Ask evenly for so many seconds."""
        until = next_at = self._clock.monotonic()
        until += seconds
        while next_at < until:
            self._town.ask()
            next_at += self._gap
            await self._clock.sleep(max(0.0, next_at - self._clock.monotonic()))

    async def _idle(self) -> None:
        """Wait for a moment at which nothing runs."""
        while self._services.queue.get_stats()["running"] or self._town.server.busy:  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0)

    def _all_in(self) -> bool:
        return len(self._accepted) >= len(self._town.asked)

    def _probed(self) -> None:
        if self._probed_at is None:
            self._probed_at = self._clock.monotonic()

    async def _watch_breaker(self) -> None:
        server = self._services.breakers.server
        while server.state is not BreakerState.CLOSED:  # noqa: ASYNC110 - its one listener is taken
            await asyncio.sleep(0.005)
        self._closed_at = self._clock.monotonic()

    def _in(self, channel: Channel) -> list[Message]:
        bot = self._town.discord.bot_user
        return [one for one in self._town.discord.messages(channel) if one.author is bot]

    def _said(self, words: str) -> list[Message]:
        bot, messages = self._town.discord.bot_user, self._town.discord.world.messages
        return [one for one in messages.values() if one.author is bot and words in one.content]


def _complaints(
    ends: Mapping[str, int],
    refused: Collection[int],
    notices: Mapping[int, int],
    alerts: Sequence[str],
    outage: float,
) -> Iterator[str]:
    """Complain of what an outage must not bring."""
    if refused:
        yield f"{len(refused)} refused"
    for end, count in ends.items():
        if not end.startswith(("answered", "expired")):
            yield f"{count} times: {end}"
    for channel_id, count in notices.items():
        if count > 1:
            yield f"{count} notices in channel {channel_id}"
    if outage < _NO_OUTAGE and notices:
        yield f"{len(notices)} channels were told of a restart"
    if len(alerts) not in ({0} if outage < _NO_OUTAGE else {2} if outage > _OUTAGE else {0, 2}):
        yield f"{len(alerts)} alerts to the owner"


def _delays(outage: float, flows_after: float, closed_after: float, speed: float) -> Iterator[str]:
    """Complain of what came too late after an outage."""
    within = next((most for length, most in _FLOWS_WITHIN if outage <= length), _FLOWS_AT_LAST)
    # What the machine itself takes does not pass any faster in a drill that does.
    own = speed - 1
    if flows_after > within + own:
        yield f"the first turn came {flows_after:.1f} s after the server was back"
    if closed_after > _CLOSED_WITHIN + own:
        yield f"the breaker closed {closed_after:.1f} s after the first good probe"
