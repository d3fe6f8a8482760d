"""`[p]aurora events`: whether Aurora works, what went wrong, and pauses."""

from redbot.core import commands

from ..errors import BreakerState
from ..ledger import EVERYWHERE, Where
from ..services import Services
from .asking import working
from .facts import (
    agent_line,
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
            agents = await _agent_lines(services, place)
            queue = await services.status.waiting(place)
        circuits = services.status.circuits(place)
        report = Report(f"Aurora {in_words(place)}")
        report.add("Answers", [pause_line(queue)])
        report.add("Agents" if everywhere else "Agent", agents)
        report.add("Connection", breaker_lines(circuits, one_agent=not everywhere))
        report.add("Queue", queue_lines(queue, services.bot))
        report.add("Errors", rate_lines(services.status.errors(place)))
        await report.send(ctx, services)

    @events.command(name="errors")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_errors(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show how often runs failed since Aurora was loaded, and of what."""
        place = await place_of(ctx, where)
        summary = self.services.status.errors(place)
        report = Report(f"Errors {in_words(place)}")
        report.add("How often", rate_lines(summary))
        report.add("Of what", (f"{name}: {count}" for name, count in summary.by_type.items()))
        report.add("The latest runs", map(operation_line, reversed(summary.recent)))
        await report.send(ctx, self.services)

    @events.command(name="pause")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_pause(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Answer nobody for now; messages are still accepted, wait, and don't expire."""
        place = await place_of(ctx, where)
        if not await self.services.pauses.begin(place):
            await ctx.send(f"Aurora is paused {in_words(place)} already.")
            return
        await ctx.send(
            f"Done: ⏸️ Aurora is paused {in_words(place)}. Messages are accepted and wait until "
            f"`{ctx.clean_prefix}aurora events resume`. What is being answered is finished."
        )

    @events.command(name="resume")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_resume(self, ctx: commands.Context, where: Scope = "here") -> None:
        """End a pause; what waited is answered, in its order."""
        place = await place_of(ctx, where)
        if await self.services.pauses.end(place):
            said = f"Done: ▶️ Aurora is no longer paused {in_words(place)}."
        else:
            said = f"Nothing was changed: nobody has paused Aurora {in_words(place)}."
        if place != EVERYWHERE and self.services.settings.world.paused_since is not None:
            said += " But the bot's owner has paused it everywhere, which only the owner can end."
        await ctx.send(said)

    @events.command(name="resetcircuit")
    @commands.is_owner()
    async def events_resetcircuit(self, ctx: commands.Context) -> None:
        """Close all circuit breakers: try at once what failed, without waiting any longer."""
        found = self.services.breakers.snapshot().values()
        broken = sum(one.state is not BreakerState.CLOSED for one in found)
        self.services.breakers.reset()
        if broken:
            await ctx.send(f"Done: 🟢 closed again: {broken}. What waits is being tried now.")
        else:
            await ctx.send("🟢 None was open; their counts of failures start anew.")


async def _agent_lines(services: Services, place: Where) -> list[str]:
    """Say of each agent that a place uses whether it exists."""
    everywhere = place == EVERYWHERE
    ids = services.status.agent_ids(place, (guild.id for guild in services.bot.guilds))
    if not ids:
        return ["❌ none is enabled" + (" anywhere" if everywhere else "")]
    agents = await services.status.agents(ids)
    if agents is None:
        return ["❌ the address of the Letta server is not set: `lettaurl`"]
    return [agent_line(one, detailed=everywhere) for one in agents]
