"""`[p]aurora events`: whether Aurora works, what went wrong, and pauses."""

import asyncio

from redbot.core import commands

from ..errors import BreakerState
from ..guard.invoking import asks
from ..guard.policy import Act
from ..health.connection import Line
from ..ledger import EVERYWHERE, Where
from ..services import Services
from ..words import Phrase, in_order
from ..words import events as w
from .asking import prefix_for, tell, working
from .facts import (
    agent_lines,
    breaker_lines,
    connection_lines,
    operation_line,
    pause_line,
    queue_lines,
    rate_lines,
)
from .overview import show_commands
from .report import Report
from .scope import Scope, in_words, place_of
from .setup import SetupCommands


class EventsCommands:
    """The health of Aurora, and its brakes."""

    services: Services

    @SetupCommands.aurora.group(name="events", autohelp=False)
    async def events(self, ctx: commands.Context) -> None:
        """See whether Aurora works, and stop it for a while."""
        await show_commands(ctx)

    @events.command(name="status")
    @asks(Act.LIST)
    async def events_status(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show whether messages are answered, and if not, why not.

        `everywhere`, and in a direct message: all servers; for the bot's owner.
        """
        place = await place_of(ctx, where)
        services, everywhere = self.services, place == EVERYWHERE
        prefix = await prefix_for(ctx)
        async with working(ctx):
            connection, agents = await asyncio.gather(
                services.status.connection(),
                agent_lines(services.status, services.bot, place, prefix),
            )
            queue = await services.status.waiting(place)
        circuits = services.status.circuits(place)
        line = [*connection_lines(connection, prefix, detailed=everywhere)]
        if connection.line is not Line.NO_ADDRESS:
            line += breaker_lines(circuits, one_agent=not everywhere)
        report = Report(w.TITLE(where=in_words(place)))
        report.add(w.ANSWERS, [pause_line(queue)])
        report.add(w.AGENTS if everywhere else w.AGENT, agents)
        report.add(w.CONNECTION, line)
        report.add(w.QUEUE, queue_lines(queue, services.bot))
        report.add(w.ERRORS, rate_lines(services.status.errors(place)))
        await report.send(ctx, services)

    @events.command(name="errors")
    @asks(Act.LIST)
    async def events_errors(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show how often runs failed since Aurora was loaded, and of what."""
        place = await place_of(ctx, where)
        summary = self.services.status.errors(place)
        report = Report(w.ERRORS_TITLE(where=in_words(place)))
        report.add(w.HOW_OFTEN, rate_lines(summary))
        report.add(w.OF_WHAT, (f"{name}: {count}" for name, count in summary.by_type.items()))
        report.add(w.LATEST, map(operation_line, reversed(summary.recent)))
        await report.send(ctx, self.services)

    @events.command(name="pause")
    @asks(Act.PAUSE)
    async def events_pause(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Answer nobody for now; messages are still accepted, wait, and don't expire."""
        place = await place_of(ctx, where)
        done = w.PAUSED if await self.services.pauses.begin(place) else w.PAUSED_ALREADY
        await tell(ctx, done(where=in_words(place), how=_ends(place)))

    @events.command(name="resume")
    @asks(Act.PAUSE)
    async def events_resume(self, ctx: commands.Context, where: Scope = "here") -> None:
        """End a pause; what waited is answered, in its order."""
        place = await place_of(ctx, where)
        if await self.services.pauses.end(place):
            said = w.RESUMED(where=in_words(place))
        else:
            said = w.NOT_PAUSED(where=in_words(place))
        if place != EVERYWHERE and self.services.settings.world.paused_since is not None:
            said = in_order(said, w.STILL_PAUSED(how=_ends(EVERYWHERE)))
        await tell(ctx, said)

    @events.command(name="resetcircuit")
    @asks(Act.GOVERN)
    async def events_resetcircuit(self, ctx: commands.Context) -> None:
        """Close all circuit breakers: try at once what failed, without waiting any longer."""
        found = self.services.breakers.snapshot().values()
        broken = sum(one.state is not BreakerState.CLOSED for one in found)
        self.services.breakers.reset()
        await tell(ctx, w.RESET(count=broken) if broken else w.NOTHING_TO_RESET)


def _ends(place: Where) -> Phrase:
    """Name the command that ends a pause, as it works wherever it is read."""
    return w.RESUME_EVERYWHERE if place == EVERYWHERE else w.RESUME_HERE
