"""`[p]aurora events`: whether Aurora works, what went wrong, and pauses."""

from redbot.core import commands

from ..errors import BreakerState
from ..ledger import EVERYWHERE
from ..services import Services
from ..words import events as w
from .asking import tell, working
from .facts import (
    agent_lines,
    breaker_lines,
    operation_line,
    pause_line,
    queue_lines,
    rate_lines,
)
from .report import Report
from .scope import Scope, in_words, place_of
from .setup import SetupCommands


class EventsCommands:
    """The health of Aurora, and its brakes."""

    services: Services

    @SetupCommands.aurora.group(name="events")
    async def events(self, ctx: commands.Context) -> None:
        """See whether Aurora works, and stop it for a while."""

    @events.command(name="status")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_status(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show whether messages are answered, and if not, why not.

        `everywhere`, and in a direct message: all servers; for the bot's owner.
        """
        place = await place_of(ctx, where)
        services, everywhere = self.services, place == EVERYWHERE
        async with working(ctx):
            agents = await agent_lines(services.status, services.bot, place, ctx.clean_prefix)
            queue = await services.status.waiting(place)
        circuits = services.status.circuits(place)
        report = Report(w.TITLE(where=in_words(place)))
        report.add(w.ANSWERS, [pause_line(queue)])
        report.add(w.AGENTS if everywhere else w.AGENT, agents)
        report.add(w.CONNECTION, breaker_lines(circuits, one_agent=not everywhere))
        report.add(w.QUEUE, queue_lines(queue, services.bot))
        report.add(w.ERRORS, rate_lines(services.status.errors(place)))
        await report.send(ctx, services)

    @events.command(name="errors")
    @commands.admin_or_permissions(manage_guild=True)
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
    @commands.admin_or_permissions(manage_guild=True)
    async def events_pause(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Answer nobody for now; messages are still accepted, wait, and don't expire."""
        place = await place_of(ctx, where)
        if not await self.services.pauses.begin(place):
            await tell(ctx, w.PAUSED_ALREADY(where=in_words(place)))
            return
        await tell(ctx, w.PAUSED(where=in_words(place)))

    @events.command(name="resume")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_resume(self, ctx: commands.Context, where: Scope = "here") -> None:
        """End a pause; what waited is answered, in its order."""
        place = await place_of(ctx, where)
        if await self.services.pauses.end(place):
            said = w.RESUMED(where=in_words(place))
        else:
            said = w.NOT_PAUSED(where=in_words(place))
        if place != EVERYWHERE and self.services.settings.world.paused_since is not None:
            said = w.STILL_PAUSED(said=said)
        await tell(ctx, said)

    @events.command(name="resetcircuit")
    @commands.is_owner()
    async def events_resetcircuit(self, ctx: commands.Context) -> None:
        """Close all circuit breakers: try at once what failed, without waiting any longer."""
        found = self.services.breakers.snapshot().values()
        broken = sum(one.state is not BreakerState.CLOSED for one in found)
        self.services.breakers.reset()
        await tell(ctx, w.RESET(count=broken) if broken else w.NOTHING_TO_RESET)
