"""`[p]aurora queue`: what waits, what ended how, and a second chance for what failed."""

from collections import Counter
from typing import Literal, Optional

import discord
from redbot.core import commands

from ..health.status import covers
from ..ledger import EVERYWHERE, Listed, Where
from ..model import Event, State
from ..reasons import Reason
from ..services import Services
from .asking import confirm, working
from .facts import (
    SIGNS,
    arrival_lines,
    ended_lines,
    fullest_lines,
    limit_lines,
    queue_lines,
)
from .messages import meant
from .refusals import why_not
from .report import Report
from .scope import (
    Scope,
    in_words,
    place_of,
)
from .setup import SetupCommands

StateName = Literal["waiting", "running", "answered", "declined", "failed", "cancelled", "expired"]

_LISTED = 1000
_UNKNOWN = (
    "I know no such message {where}. Give me its id or a link to it, or `all`; "
    "`{prefix}aurora queue dead` shows what failed."
)


class QueueCommands:
    """What the queue holds, and what can be done about it."""

    services: Services

    @SetupCommands.aurora.group(name="queue")
    async def queue(self, ctx: commands.Context) -> None:
        """See what waits for an answer, and what became of the rest."""

    @queue.command(name="status")
    @commands.admin_or_permissions(manage_guild=True)
    async def queue_status(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show how much waits, and within which limits.

        `everywhere`, and in a direct message: all servers; for the bot's owner.
        """
        place = await place_of(ctx, where)
        services = self.services
        queue = await services.status.waiting(place)
        days = services.settings.world.retention_days
        report = Report(f"Aurora's queue {in_words(place)}")
        report.add("Now", queue_lines(queue, services.bot))
        report.add("Limits", limit_lines(services.status.limits(place)))
        report.add(f"Ended in the last {days} days", ended_lines(queue))
        if place == EVERYWHERE:
            report.add("Since Aurora was loaded", arrival_lines(queue))
            report.add("Where most waits", fullest_lines(queue, services.bot))
        await report.send(ctx, services)

    @queue.command(name="list")
    @commands.admin_or_permissions(manage_guild=True)
    async def queue_list(
        self,
        ctx: commands.Context,
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        state: Optional[StateName] = None,  # noqa: UP045
        where: Scope = "here",
    ) -> None:
        """List the latest messages, newest first, and what became of them.

        `[state]`: only those that are `waiting`, `running`, `answered`, `declined`, `failed`,
        `cancelled` or `expired`.
        """
        place = await place_of(ctx, where)
        states = [State(state)] if state else []
        await _list(ctx, self.services, place, f"Messages {in_words(place)}", states)

    @queue.command(name="dead")
    @commands.admin_or_permissions(manage_guild=True)
    async def queue_dead(self, ctx: commands.Context, where: Scope = "here") -> None:
        """List the dead letters: messages on which Aurora or the agent failed."""
        place = await place_of(ctx, where)
        await _list(ctx, self.services, place, f"Dead letters {in_words(place)}", [State.FAILED])

    @queue.command(name="clear")
    @commands.admin_or_permissions(manage_guild=True)
    async def queue_clear(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Cancel all that waits, after a question; those who wait are shown it."""
        place = await place_of(ctx, where)
        waiting = (await self.services.store.counts(place)).get(State.WAITING, 0)
        if not waiting:
            await ctx.send(f"Nothing waits {in_words(place, 'anywhere')}.")
            return
        question = f"Messages that wait {in_words(place)}: {waiting}. Cancel them all?"
        if not await confirm(ctx, self.services, question):
            await ctx.send("Nothing was changed.")
            return
        async with working(ctx):
            ended = await self.services.cancelling.cancel(
                lambda event: covers(place, event.guild_id), Reason.CLEARED
            )
        await ctx.send(f"Done: {ended} cancelled. What was already being answered goes on.")

    @queue.command(name="retry")
    @commands.admin_or_permissions(manage_guild=True)
    # The same message, twice at once, would be answered twice.
    @commands.max_concurrency(1)
    async def queue_retry(
        self, ctx: commands.Context, message: str, where: Scope = "here"
    ) -> None:
        """Try again what failed, expired or was cancelled; never what was answered.

        `<message>`: its id or a link to it, or `all` for the latest that failed or expired.
        """
        place = await place_of(ctx, where)
        async with working(ctx):
            if message.lower() == "all":
                said = await self._retry_all(place)
            else:
                said = await self._retry_one(ctx, place, message)
        await ctx.send(said, allowed_mentions=discord.AllowedMentions.none())

    async def _retry_one(self, ctx: commands.Context, place: Where, message: str) -> str:
        found = await meant(ctx, message)
        event = await self.services.store.find(found.id) if found else None
        if event is None or not covers(place, event.guild_id):
            where = in_words(place, "anywhere")
            return _UNKNOWN.format(where=where, prefix=ctx.clean_prefix)
        reason = await self.services.retries.retry(event)
        if reason is not None:
            return f"I can't try that again: {why_not(reason)}."
        return f"Done: {_link(event)} waits for its turn again."

    async def _retry_all(self, place: Where) -> str:
        outcomes = await self.services.retries.retry_latest(place)
        if not outcomes:
            return f"Nothing failed or expired {in_words(place, 'anywhere')}."
        done = outcomes.count(None)
        reasons = Counter(why_not(reason) for reason in outcomes if reason is not None)
        kept = "".join(f"\n- {count} not: {reason}" for reason, count in reasons.most_common())
        return f"Done: {done} of the latest {len(outcomes)} wait for their turn again.{kept}"


async def _list(
    ctx: commands.Context, services: Services, place: Where, title: str, states: list[State]
) -> None:
    events = await services.store.recent(place, states=states, limit=_LISTED)
    if not events:
        await ctx.send(f"{title}: none.")
        return
    counts = await services.store.counts(place)
    beyond = sum(counts.get(state, 0) for state in states or State) - len(events)
    report = Report(title)
    report.add("Newest first", map(_line, events), beyond=max(beyond, 0))
    await report.send(ctx, services)


def _line(listed: Listed) -> str:
    event, tries, speaks = listed
    reason = f" (`{event.reason}`)" if event.reason else ""
    how = f"{tries} {'attempt' if tries == 1 else 'attempts'}"
    if not speaks and event.state is not State.CANCELLED:
        # Attempts are counted for the one that speaks for the turn.
        how = "together with a later one"
    return (
        f"{SIGNS[event.state]} {event.state}{reason} · {_link(event)} · <@{event.author_id}> · "
        f"<t:{event.accepted_at:.0f}:R> · {how}"
    )


def _link(event: Event) -> str:
    where = "@me" if event.guild_id is None else event.guild_id
    return f"<https://discord.com/channels/{where}/{event.channel_id}/{event.message_id}>"
