"""Pauses, a server's own and the owner's: what waits meanwhile loses none of its time."""

from __future__ import annotations

from ..ledger import EVERYWHERE, Where
from ..model import Event
from ..services import Services


async def pause(services: Services, place: Where) -> bool:
    """Let nothing run in a server, or everywhere; False if that is so already.

    Events are still accepted.
    """
    if _since(services, place) is not None:
        return False
    await _set(services, place, services.clock.time())
    services.pauses[place] = services.clock.monotonic()
    services.queue.reconsider()
    return True


async def resume(services: Services, place: Where) -> bool:
    """End a server's own pause, or the owner's; False if there is none.

    What waits gets the time back in which nothing could run (DESIGN promise 5). Where both pauses
    overlap, time is given once.
    """
    since = _since(services, place)
    if since is None:
        return False
    # Given first: between the two, nothing must be found to have expired.
    if place == EVERYWHERE:
        await _end_everywhere(services, since)
    else:
        await _end_in(services, place, since)
    await _set(services, place, None)
    services.pauses.pop(place, None)
    services.queue.reconsider()
    return True


async def _end_everywhere(services: Services, since: float) -> None:
    settings = services.settings
    for guild in services.bot.guilds:
        own = settings.guild(guild.id).paused_since
        if own is not None and own > since:
            # It gets all of its time when its own pause ends.
            await settings.set_guild(guild.id, paused_since=since)
            if EVERYWHERE in services.pauses:
                services.pauses[guild.id] = services.pauses[EVERYWHERE]
    await services.queue.lengthen(
        lambda event: settings.guild(event.guild_id).paused_since is None,
        _seconds(services, EVERYWHERE, since),
    )


async def _end_in(services: Services, place: Where, since: float) -> None:
    def mine(event: Event) -> bool:
        return event.guild_id == place

    world = services.settings.world.paused_since
    if world is None:
        await services.queue.lengthen(mine, _seconds(services, place, since))
    elif since < world:
        # From then on it is the owner's pause that counts, and that is given at its end.
        before = _seconds(services, place, since) - _seconds(services, EVERYWHERE, world)
        await services.queue.lengthen(
            lambda event: mine(event) and event.accepted_at < world, before
        )


def _seconds(services: Services, place: Where, since: float) -> float:
    """Return how long a pause has lasted; one of an earlier process goes by the wall clock."""
    if (began := services.pauses.get(place)) is not None:
        return services.clock.monotonic() - began
    return max(0.0, services.clock.time() - since)


def _since(services: Services, place: Where) -> float | None:
    settings = services.settings
    return (
        settings.guild(place).paused_since
        if isinstance(place, int)
        else (settings.world.paused_since)
    )


async def _set(services: Services, place: Where, since: float | None) -> None:
    if isinstance(place, int):
        await services.settings.set_guild(place, paused_since=since)
    else:
        await services.settings.set_world(paused_since=since)
