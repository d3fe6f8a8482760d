"""`[p]aurora events`: whether Aurora works, what went wrong, and pauses."""

import asyncio

from redbot.core import commands

from ..agents.protocol import AgentBackend, AgentError, Outcome
from ..errors import (
    BreakerSnapshot,
    BreakerState,
    Operation,
    Summary,
    mark,
)
from ..ledger import EVERYWHERE, Where
from ..prompts.fence import shorten
from ..services import Services
from .asking import working
from .queue import pause_of, queue_lines
from .report import Report
from .scope import Scope, in_words, place_of
from .setup import SetupCommands, named

_LOOK_UP_SECONDS = 5.0
_AGENTS_SHOWN = 10
_OPERATIONS_SHOWN = 10
_DETAIL_CHARS = 150
_PROBES = 3


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
        services = self.services
        async with working(ctx):
            agents = await _agents(services, place)
            queue = await queue_lines(services, place)
        report = Report(f"Aurora {in_words(place)}")
        report.add("Answers", _pause_line(services, place))
        report.add("Agents" if place == EVERYWHERE else "Agent", *agents)
        report.add("Connection", *_breakers(services, place))
        report.add("Queue", *queue)
        report.add("Errors", *_rates(services.stats.summary(_guild(place))))
        await report.send(ctx)

    @events.command(name="errors")
    @commands.admin_or_permissions(manage_guild=True)
    async def events_errors(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show how often runs failed since Aurora was loaded, and of what."""
        place = await place_of(ctx, where)
        summary = self.services.stats.summary(_guild(place))
        report = Report(f"Errors {in_words(place)}")
        report.add("How often", *_rates(summary))
        report.add("Of what", *(f"{name}: {count}" for name, count in summary.by_type.items()))
        latest = summary.recent[: -_OPERATIONS_SHOWN - 1 : -1]
        report.add("The latest runs", *map(_operation, latest))
        await report.send(ctx)

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


def _guild(place: Where) -> int | None:
    """Return the guild whose numbers are meant, None for those of all together."""
    return place if isinstance(place, int) else None


def _pause_line(services: Services, place: Where) -> str:
    since = pause_of(services, place)
    if since is None:
        return "▶️ on"
    by_owner = services.settings.world.paused_since is not None
    return f"⏸️ paused since <t:{since:.0f}:R>{' by the bot owner, everywhere' * by_owner}"


async def _agents(services: Services, place: Where) -> list[str]:
    """Ask the agent server about the agents that a place uses."""
    agent_for = services.settings.agent_for
    if isinstance(place, int):
        guilds: list[int | None] = [place]
    else:
        guilds = [None, *(guild.id for guild in services.bot.guilds)]
    ids = list(dict.fromkeys(found for guild in guilds if (found := agent_for(guild)) is not None))
    if not ids:
        return ["❌ none is enabled" + ("" if isinstance(place, int) else " anywhere")]
    backend = services.agents.backend
    if backend is None:
        return ["❌ the address of the Letta server is not set: `lettaurl`"]
    owner = not isinstance(place, int)
    lines = await asyncio.gather(
        *(_agent(backend, one, detailed=owner) for one in ids[:_AGENTS_SHOWN])
    )
    return [*lines, *(f"`{one}` (not asked)" for one in ids[_AGENTS_SHOWN:])]


async def _agent(backend: AgentBackend, agent_id: str, *, detailed: bool) -> str:
    """Say whether an agent exists; details, which may name the server's address, on demand."""
    try:
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            agent = await backend.agent(agent_id)
    except TimeoutError:
        return f"⚠️ `{agent_id}`: the Letta server took too long to answer"
    except AgentError as error:
        sign, text = "⚠️", "the Letta server can't be asked now"
        if error.outcome is Outcome.CONFIG:
            sign, text = "❌", "the Letta server does not have it, or refuses me"
        detail = f": {shorten(error.detail, _DETAIL_CHARS)}" if detailed else ""
        return f"{sign} `{agent_id}`: {text}{detail}"
    return f"✅ {named(agent)}"


def _breakers(services: Services, place: Where) -> list[str]:
    """Describe the server's breaker and the agents', of which the closed ones are only counted."""
    every = dict(services.breakers.snapshot())
    lines = [_breaker("Letta server", every.pop(None))]
    if isinstance(place, int):
        agent_id = services.settings.agent_for(place)
        found = every.get(agent_id) if agent_id is not None else None
        return [*lines, _breaker("agent", found)] if found is not None else lines
    troubled = {name: one for name, one in every.items() if one.state is not BreakerState.CLOSED}
    lines += [_breaker(f"agent `{name}`", one) for name, one in troubled.items()]
    if quiet := len(every) - len(troubled):
        lines.append(f"{BreakerState.CLOSED.mark} agents in use: {quiet} closed")
    return lines


def _breaker(name: str, found: BreakerSnapshot) -> str:
    text = f"{found.state.mark} {name}: {found.state}"
    match found.state:
        case BreakerState.OPEN:
            return f"{text}, tried again in {found.retry_in:.0f} s"
        case BreakerState.HALF_OPEN:
            return f"{text}, {found.successes} of {_PROBES} tries went well"
        case _:
            return f"{text}, {found.failures} failures in a row" if found.failures else text


def _rates(summary: Summary) -> list[str]:
    def line(name: str, rate: float, errors: int, operations: int) -> str:
        if not operations:
            return f"{name}: no runs"
        return f"{mark(rate)} {name}: {rate:.1%} of {operations} runs failed ({errors})"

    return [
        line(
            "last 5 minutes",
            summary.recent_rate,
            summary.recent_errors,
            summary.recent_operations,
        ),
        line("since Aurora was loaded", summary.rate, summary.errors, summary.operations),
    ]


def _operation(one: Operation) -> str:
    how = "✅ went well" if one.error is None else f"❌ {one.error}"
    return f"{how} · {one.duration:.1f} s · <t:{one.at:.0f}:T>"
