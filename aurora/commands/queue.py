"""`[p]aurora queue`: what waits, what ended how, and a second chance for what failed."""

from collections import Counter
from typing import Literal, Optional

import discord
from redbot.core import commands

from ..guard.invoking import asks, within_sight
from ..guard.policy import Act
from ..health.status import covers
from ..ledger import EVERYWHERE, Listed, Where
from ..model import Event, State
from ..reasons import Reason
from ..runs.cancelling import in_place
from ..services import Services
from ..words import Phrase, say
from ..words import queue as w
from ..words.commands import ANYWHERE, UNCHANGED
from .asking import ask, prefix_for, tell, working
from .facts import (
    SIGNS,
    arrival_lines,
    ended_lines,
    fullest_lines,
    limit_lines,
    queue_lines,
)
from .messages import meant
from .overview import show_commands
from .refusals import why_not
from .report import Report
from .run_lines import link_to, state_of
from .scope import (
    Scope,
    in_words,
    place_of,
)
from .setup import SetupCommands

StateName = Literal["waiting", "running", "answered", "declined", "failed", "cancelled", "expired"]

_LISTED = 1000


class QueueCommands:
    """What the queue holds, and what can be done about it."""

    services: Services

    @SetupCommands.aurora.group(name="queue", autohelp=False)
    async def queue(self, ctx: commands.Context) -> None:
        """See what waits for an answer, and what became of the rest."""
        await show_commands(ctx)

    @queue.command(name="status")
    @asks(Act.LIST)
    async def queue_status(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Show how much waits, and within which limits.

        `everywhere`, and in a direct message: all servers; for the bot's owner.
        """
        place = await place_of(ctx, where)
        services = self.services
        queue = await services.status.waiting(place)
        days = services.settings.world.retention_days
        report = Report(w.TITLE(where=in_words(place)))
        report.add(w.NOW, queue_lines(queue, services.bot))
        report.add(w.LIMITS, limit_lines(services.status.limits(place)))
        report.add(w.ENDED(days=days), ended_lines(queue))
        if place == EVERYWHERE:
            report.add(w.SINCE_LOADED, arrival_lines(queue))
            report.add(w.FULLEST, fullest_lines(queue, services.bot))
        await report.send(ctx, services)

    @queue.command(name="list")
    @asks(Act.LIST)
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
        await _list(ctx, self.services, place, w.MESSAGES(where=in_words(place)), states)

    @queue.command(name="dead")
    @asks(Act.LIST)
    async def queue_dead(self, ctx: commands.Context, where: Scope = "here") -> None:
        """List the dead letters: messages on which Aurora or the agent failed."""
        place = await place_of(ctx, where)
        await _list(ctx, self.services, place, w.DEAD(where=in_words(place)), [State.FAILED])

    @queue.command(name="clear")
    @asks(Act.CLEAR)
    async def queue_clear(self, ctx: commands.Context, where: Scope = "here") -> None:
        """Cancel all that waits, after a question; those who wait are shown it."""
        place = await place_of(ctx, where)
        waiting = (await self.services.store.counts(place)).get(State.WAITING, 0)
        if not waiting:
            await tell(ctx, w.NOTHING_WAITS(where=in_words(place, ANYWHERE)))
            return
        question = w.ASK_CLEAR(where=in_words(place), count=waiting)
        answer = await ask(ctx, self.services, question)
        if not answer:
            await tell(ctx, w.NOT_CLEARED if answer is None else UNCHANGED)
            return
        async with working(ctx):
            ended = await self.services.cancelling.cancel(in_place(place), Reason.CLEARED)
        await tell(ctx, w.CLEARED(count=ended))

    @queue.command(name="retry")
    @asks(Act.RETRY)
    # It asks Discord for each message; one of a server's admins at a time is enough.
    @commands.max_concurrency(1, commands.BucketType.guild)
    async def queue_retry(
        self, ctx: commands.Context, message: str, where: Scope = "here"
    ) -> None:
        """Try again what failed, expired or was cancelled; never what was answered.

        `<message>`: its id or a link to it, or `all` for the latest that failed or expired.
        """
        place = await place_of(ctx, where)
        async with working(ctx):
            if message.lower() == "all":
                said = await self._retry_all(ctx, place)
            else:
                said = await self._retry_one(ctx, place, message)
        await tell(ctx, said, allowed_mentions=discord.AllowedMentions.none())

    async def _retry_one(self, ctx: commands.Context, place: Where, message: str) -> Phrase:
        found = await meant(ctx, message)
        event = await self.services.store.find(found.id) if found else None
        if (
            event is None
            or not covers(place, event.guild_id)
            or not await within_sight(ctx, Act.RETRY, {event.channel_id})
        ):
            return w.UNKNOWN(where=in_words(place, ANYWHERE))
        reason = await self.services.retries.retry(event)
        if reason is not None:
            return w.NOT_RETRIED(why=why_not(reason))
        return w.RETRIED(message=link_to(event))

    async def _retry_all(self, ctx: commands.Context, place: Where) -> Phrase:
        retries = self.services.retries
        latest = await retries.latest(place)
        seen = await within_sight(ctx, Act.RETRY, {event.channel_id for event in latest})
        outcomes = [await retries.retry(event) for event in latest if event.channel_id in seen]
        if not outcomes:
            return w.NOTHING_FAILED(where=in_words(place, ANYWHERE))
        done = outcomes.count(None)
        reasons = Counter(say(why_not(reason)) for reason in outcomes if reason is not None)
        kept = "".join(
            "\n" + say(w.SOME_NOT(count=count, why=why)) for why, count in reasons.most_common()
        )
        return w.RETRIED_ALL(done=done, count=len(outcomes), kept=kept)


async def _list(
    ctx: commands.Context, services: Services, place: Where, title: Phrase, states: list[State]
) -> None:
    listed = await services.store.recent(place, states=states, limit=_LISTED)
    sends = {one.event.id: await _elsewhere(services, one.event) for one in listed}
    channels = {one.event.channel_id for one in listed}.union(*sends.values())
    seen = await within_sight(ctx, Act.LIST, channels)
    events = [one for one in listed if one.event.channel_id in seen]
    if not events:
        await tell(ctx, w.NONE(title=title))
        return
    counts = await services.store.counts(place)
    beyond = sum(counts.get(state, 0) for state in states or State) - len(events)
    report = Report(title)
    prefix = await prefix_for(ctx)
    lines = [
        _line(one, prefix) + "".join(f" · <#{to}>" for to in sends[one.event.id] if to in seen)
        for one in events
    ]
    report.add(w.NEWEST, lines, beyond=max(beyond, 0))
    await report.send(ctx, services)


def _line(listed: Listed, prefix: str) -> str:
    event, tries, speaks = listed
    how = w.ATTEMPTS(count=tries)
    if not speaks and event.state is not State.CANCELLED:
        # Attempts are counted for the one that speaks for the turn.
        how = w.TOGETHER
    return (
        f"{SIGNS[event.state]} {say(state_of(event), prefix)} · {link_to(event)} · "
        f"<@{event.author_id}> · "
        f"<t:{event.accepted_at:.0f}:R> · {say(how)}"
    )


async def _elsewhere(services: Services, event: Event) -> list[int]:
    """Return to which channels the agent sent its answer, where that is not the message's own."""
    if event.reason != Reason.ANSWERED_ELSEWHERE:
        return []
    sends = await services.store.sends(event.id)
    places = (one.channel_id for one in sends if one.channel_id != event.channel_id)
    return list(dict.fromkeys(places))
