"""Schedules: an agent is woken when a time has come, with the rights of who asked for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Protocol

from ..clock import Clock
from ..ledger import Store
from ..model import Paused, Schedule, State
from ..words import Phrase
from ..words import schedules as w
from .times import When, day_of, in_hours, kept_when

log = logging.getLogger("red.aurora.schedules")

MOST_POSTS = 4
"""How often a day somebody may read in one channel what nobody there has asked for."""
FAILURES = 3
"""After so many in a row a schedule is paused."""
_LOOK_SECONDS = 30.0
"""How often the clock is read at least: it may have been set."""
_AGAIN_SECONDS = 10.0


class World(Protocol):
    """What schedules ask of the world outside; see intake/waking.py."""

    async def ready(self) -> None:
        """Wait until anything can be asked of it."""
        ...

    def is_away(self, guild_id: int) -> bool:
        """Tell whether a guild is not to be had at the moment."""
        ...

    def is_on(self, guild_id: int) -> bool:
        """Tell whether schedules are wanted in a guild."""
        ...

    def zone(self, guild_id: int) -> tzinfo:
        """Return by what clocks a guild lives."""
        ...

    def quiet_hours(self, guild_id: int) -> tuple[int, int]:
        """Return between which hours of the day nothing is posted unasked."""
        ...

    async def hindrance(self, schedule: Schedule) -> Phrase | None:
        """Return why its creator may not have the agent woken there, if they may not."""
        ...

    async def is_quiet(self, schedule: Schedule) -> bool:
        """Tell whether no person wrote in the channel since it was woken last."""
        ...

    async def wake(self, schedule: Schedule, due: float) -> None:
        """Hand the agent its task, once for each time that is due."""
        ...

    async def came_of(self, schedule: Schedule) -> State | None:
        """Return how the event of its last time stands, None if nothing is known of it."""
        ...

    def tell(self, schedule: Schedule, what: Phrase) -> None:
        """Tell a guild's admins."""
        ...


class Schedules:
    """All schedules, and the one task that waits for the next of them."""

    def __init__(self, store: Store, world: World, clock: Clock) -> None:
        self._store = store
        self._world = world
        self._clock = clock
        self._all: dict[int, Schedule] = {}
        self._changed = asyncio.Event()
        # What is looked up for a schedule takes its time, and nobody may change it meanwhile.
        self._order = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is kept, and begin to wait."""
        self._all = {one.id: one for one in await self._store.schedules()}
        self._task = asyncio.create_task(self._run(), name="aurora schedules")

    async def stop(self) -> None:
        """Wake nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def of(self, guild_id: int) -> Sequence[Schedule]:
        """Return the schedules of a guild."""
        return [one for one in self._all.values() if one.guild_id == guild_id]

    async def add(self, schedule: Schedule, when: When) -> Schedule:
        """Keep a new schedule for a time; return it with its number."""
        due = when.after(self._clock.time(), self._world.zone(schedule.guild_id))
        return await self._keep(replace(schedule, when=str(when), due=due))

    async def remove(self, schedule: Schedule) -> None:
        """Remove a schedule."""
        async with self._order:
            await self._remove(schedule)

    async def pause(self, schedule_id: int) -> Schedule | None:
        """Pause a schedule by somebody's word, or let a paused one go on from now."""
        async with self._order:
            schedule = self._all.get(schedule_id)
            return None if schedule is None else await self._pause_or_resume(schedule)

    async def _pause_or_resume(self, schedule: Schedule) -> Schedule:
        if not schedule.paused:
            return await self._keep(replace(schedule, paused="by hand"))
        due = self._next(schedule, self._clock.time())
        return await self._keep(replace(schedule, paused="", failures=0, due=due))

    async def forget(self, user_id: int) -> None:
        """Know nothing any more of what a person has scheduled."""
        async with self._order:
            for schedule in [one for one in self._all.values() if one.author_id == user_id]:
                await self._remove(schedule)

    async def left(self, guild_id: int) -> None:
        """Remove the schedules of a guild that the bot has left."""
        for schedule in self.of(guild_id):
            await self.remove(schedule)

    async def _run(self) -> None:
        await self._world.ready()
        while True:
            self._changed.clear()
            try:
                await self.look()
            except Exception as error:
                log.exception("A schedule could not be followed; trying again", exc_info=error)
                await self._clock.wait(self._changed, _AGAIN_SECONDS)
            await self._clock.wait(self._changed, self._pause())

    def _pause(self) -> float:
        now = self._clock.time()
        times = [one.due - now for one in self._all.values() if one.due and self._may_look(one)]
        return min([_LOOK_SECONDS, *(max(0.0, one) for one in times)])

    async def look(self) -> None:
        """Wake whoever is due."""
        for schedule_id in list(self._all):
            async with self._order:
                if (schedule := self._all.get(schedule_id)) is not None:
                    await self._look_at(schedule, self._clock.time())

    async def _look_at(self, schedule: Schedule, now: float) -> None:
        if schedule.due is None or not self._may_look(schedule):
            return
        if schedule.due <= now:
            await self._come(schedule, schedule.due, now)
        elif (due := self._next(schedule, now)) is not None and due < schedule.due:
            # The clock was set back: what is due then is due, and what came comes no more.
            await self._keep(replace(schedule, due=due))

    def _may_look(self, schedule: Schedule) -> bool:
        return not schedule.paused and not self._world.is_away(schedule.guild_id)

    async def _come(self, schedule: Schedule, due: float, now: float) -> None:
        """See to a schedule that is due; of several times that were missed, once."""
        schedule = await self._learn(schedule)
        if schedule.failures >= FAILURES:
            await self._pause_for(schedule, "fails", w.FAILED_OFTEN(count=schedule.failures))
            return
        if (why := await self._world.hindrance(schedule)) is not None:
            await self._pause_for(schedule, "not allowed", why)
            return
        if await self._may_come(schedule, now):
            await self._world.wake(schedule, due)
            schedule = replace(schedule, woken_at=due, unsettled=True)
        later = self._next(schedule, now)
        if later is None:
            await self._remove(schedule)
        else:
            await self._keep(replace(schedule, due=later))

    async def _may_come(self, schedule: Schedule, now: float) -> bool:
        """Tell whether a schedule whose time has come is not left out this time."""
        world, guild_id = self._world, schedule.guild_id
        if not world.is_on(guild_id) or schedule.unsettled:
            return False
        if in_hours(now, *world.quiet_hours(guild_id), world.zone(guild_id)):
            return False
        if (
            await self._posted(schedule.channel_id, day_of(now, world.zone(guild_id)))
            >= MOST_POSTS
        ):
            return False
        return schedule.always or schedule.woken_at is None or not await world.is_quiet(schedule)

    async def _posted(self, channel_id: int, day: str) -> int:
        """Count what came of all schedules of a channel on a day, as far as it is known."""
        for one in [one for one in self._all.values() if one.channel_id == channel_id]:
            if (settled := await self._learn(one)) != one:
                await self._keep(settled)
        here = [one for one in self._all.values() if one.channel_id == channel_id]
        return sum(one.posted for one in here if one.posted_on == day)

    async def _learn(self, schedule: Schedule) -> Schedule:
        """Enter how the last time of a schedule ended, if it has; once."""
        last = await self._world.came_of(schedule) if schedule.unsettled else None
        if last is not None and not last.final:
            return schedule
        schedule = replace(schedule, unsettled=False)
        if last in (State.FAILED, State.EXPIRED):
            schedule = replace(schedule, failures=schedule.failures + 1)
        elif last in (State.ANSWERED, State.DECLINED):
            schedule = replace(schedule, failures=0)
        if last is State.ANSWERED and schedule.woken_at is not None:
            day = day_of(schedule.woken_at, self._world.zone(schedule.guild_id))
            posted = schedule.posted if schedule.posted_on == day else 0
            schedule = replace(schedule, posted=posted + 1, posted_on=day)
        return schedule

    def _next(self, schedule: Schedule, now: float) -> float | None:
        return kept_when(schedule.when).after(now, self._world.zone(schedule.guild_id))

    async def _pause_for(self, schedule: Schedule, paused: Paused, why: Phrase) -> None:
        await self._keep(replace(schedule, paused=paused))
        self._world.tell(schedule, w.PAUSED_FOR(number=schedule.id, why=why))

    async def _remove(self, schedule: Schedule) -> None:
        self._all.pop(schedule.id, None)
        await self._store.drop_schedule(schedule.id)

    async def _keep(self, schedule: Schedule) -> Schedule:
        kept = await self._store.keep_schedule(schedule)
        self._all[kept.id] = kept
        self._changed.set()
        return kept
