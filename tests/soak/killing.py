"""How a life ends: what kills it, and when."""

from __future__ import annotations

import asyncio
import random
from enum import StrEnum

from .life import Life, Told
from .town import Fate, SoakTown

_BOOT_SECONDS = 0.3
# Long enough for most that a kill has hit to get through before the third, which ends it.
_RUN_SECONDS = 0.2, 1.2
_STOP_SECONDS = 0.5
_PATIENCE = 2.0  # a moment that does not come is not waited for
_STEPS = ("queued", "running", "tool", "answered")


class Moment(StrEnum):
    """The moments at which a life is killed."""

    BOOT = "boot"
    RUN = "run"
    COMMIT = "commit"
    TURN = "turn"
    POST_DROPPED = "post dropped"
    POST_ON_THE_WIRE = "post on the wire"
    POST_APPLIED = "post applied"
    SHUTDOWN = "shutdown"


async def kill(life: Life, moment: Moment, town: SoakTown, rng: random.Random) -> None:
    """Kill a life that was just started at this moment, or soon after if that does not come."""
    if moment is Moment.BOOT:
        await _live_on(life, rng.uniform(0.0, _BOOT_SECONDS))
    else:
        await life.listens()
        await _live_on(life, rng.uniform(*_RUN_SECONDS))
        await _strike(life, moment, town, rng)
    life.kill()
    await life.gone()


async def _strike(life: Life, moment: Moment, town: SoakTown, rng: random.Random) -> None:
    """Set the trap of a moment, and return when it struck or nothing went in."""
    match moment:
        case Moment.RUN:
            return
        case Moment.SHUTDOWN:
            life.ask_to_stop()
            await _live_on(life, rng.uniform(0.0, _STOP_SECONDS))
            return
        case Moment.COMMIT:
            _kill_at(life, rng.choice(_STEPS))
        case Moment.TURN:
            town.on_turn = life.kill
        case _:
            applied = moment is not Moment.POST_DROPPED
            fate = Fate(life.kill, applied, after=moment is Moment.POST_APPLIED)
            # One strike is enough: what others had on the wire arrives or not as it may.
            town.on_post = lambda: None if life.killed else fate
    try:
        await _live_on(life, _PATIENCE)
    finally:
        town.leave_in_peace()


def _kill_at(life: Life, step: str) -> None:
    hear = life.heard

    def heard(told: Told) -> None:
        hear(told)
        if told["step"] == step:
            life.kill()

    life.heard = heard


async def _live_on(life: Life, seconds: float) -> None:
    """Let it live for so long, if nothing ends it sooner."""
    over = asyncio.create_task(life.over.wait())
    await asyncio.wait({over}, timeout=seconds)
    over.cancel()
