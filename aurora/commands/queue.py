"""`[p]aurora queue`: what waits, what ended how, and a second chance for what failed."""

import re
from collections import Counter
from typing import Literal, Optional

import discord
from redbot.core import commands

from ..ledger import EVERYWHERE, Where
from ..model import Event, State
from ..queue import EXPIRY_SECONDS
from ..queue.limits import (
    AGENT_RUNS,
    GLOBAL_RUNS,
    GUILD_RUNS,
    USER_RUNS,
)
from ..runs.retrying import RETRIED
from ..services import Services
from .asking import confirm, working
from .refusals import NOT_RETRIED
from .report import Report
from .scope import (
    Scope,
    covers,
    in_words,
    place_of,
)
from .setup import SetupCommands

StateName = Literal["waiting", "running", "answered", "declined", "failed", "cancelled", "expired"]

_SIGNS = {
    State.WAITING: "⏳",
    State.RUNNING: "▶️",
    State.ANSWERED: "✅",
    State.DECLINED: "💤",
    State.FAILED: "⚠️",
    State.CANCELLED: "⏹️",
    State.EXPIRED: "⌛",
}
_MESSAGE = re.compile(r"(?:https://\S+/)?(\d{15,20})")
_LISTED = 40
_RETRIED_AT_ONCE = 25
_GUILDS_SHOWN = 5
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
        report = Report(f"Aurora's queue {in_words(place)}")
        counts = await self.services.store.counts(place)
        report.add("Now", *await queue_lines(self.services, place))
        report.add("Limits", *_limits(self.services, place))
        report.add(
            f"Ended in the last {self.services.settings.world.retention_days} days",
            *(
                f"{_SIGNS[state]} {state}: {counts.get(state, 0)}"
                for state in State
                if state.final
            ),
        )
        if place == EVERYWHERE:
            totals = self.services.queue.get_stats()["totals"]
            report.add(
                "Since Aurora was loaded",
                *(f"{name}: {totals.get(name, 0)}" for name in ("accepted", "duplicate", "full")),
            )
            report.add("Where most waits", *_fullest(self.services))
        await report.send(ctx)

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
        if not await confirm(ctx, question):
            await ctx.send("Nothing was changed.")
            return
        async with working(ctx):
            ended = await self.services.cancel(
                lambda event: covers(place, event.guild_id), "cleared"
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
        found = _MESSAGE.fullmatch(message.strip("<>"))
        event = await self.services.store.find(int(found[1])) if found else None
        if event is None or not covers(place, event.guild_id):
            where = in_words(place, "anywhere")
            return _UNKNOWN.format(where=where, prefix=ctx.clean_prefix)
        reason = await self.services.retries.retry(event)
        if reason is not None:
            return f"I can't try that again: {NOT_RETRIED[reason]}."
        return f"Done: {_link(event)} waits for its turn again."

    async def _retry_all(self, place: Where) -> str:
        # What was cancelled was cancelled by somebody, for a reason.
        states = [state for state in RETRIED if state is not State.CANCELLED]
        events = await self.services.store.recent(place, states=states, limit=_RETRIED_AT_ONCE)
        if not events:
            return f"Nothing failed or expired {in_words(place, 'anywhere')}."
        reasons: Counter[str] = Counter()
        for event in reversed(events):
            reasons[await self.services.retries.retry(event) or ""] += 1
        done = reasons.pop("", 0)
        kept = "".join(
            f"\n- {count} not: {NOT_RETRIED[reason]}" for reason, count in reasons.most_common()
        )
        return f"Done: {done} of the latest {len(events)} wait for their turn again.{kept}"


async def queue_lines(services: Services, place: Where) -> list[str]:
    """Say how much waits and runs in a place, and since when."""
    counts = await services.store.counts(place)
    waiting = counts.get(State.WAITING, 0)
    room = f" of {services.settings.guild(place).max_queue_size}" if isinstance(place, int) else ""
    lines = [f"waiting: {waiting}{room}", f"running: {counts.get(State.RUNNING, 0)}"]
    if waiting:
        times = [
            event.accepted_at
            for event in services.queue.waiting()
            if covers(place, event.guild_id)
        ]
        if times:
            lines.append(f"waiting longest: since <t:{min(times):.0f}:R>")
    if (since := pause_of(services, place)) is not None:
        lines.append(f"⏸️ paused since <t:{since:.0f}:R>")
    if place == EVERYWHERE:
        lines += _paused_for_themselves(services)
    return lines


def pause_of(services: Services, place: Where) -> float | None:
    """Return since when a place is paused, by whomever."""
    if isinstance(place, int):
        return services.settings.paused_since(place)
    return services.settings.world.paused_since


def _paused_for_themselves(services: Services) -> list[str]:
    """Name the servers whose own admins have paused them: what waits there looks stuck."""
    paused = [
        _guild_name(services, guild.id)
        for guild in services.bot.guilds
        if services.settings.guild(guild.id).paused_since is not None
    ]
    lines = [f"⏸️ paused by its admins: {name}" for name in paused[:_GUILDS_SHOWN]]
    if more := len(paused) - len(lines):
        lines.append(f"⏸️ and {more} more")
    return lines


def _limits(services: Services, place: Where) -> list[str]:
    lines = [f"answered at a time: {GLOBAL_RUNS}, of one server {GUILD_RUNS}"]
    lines.append(f"by one agent {AGENT_RUNS}, for one person {USER_RUNS}")
    if isinstance(place, int):
        pace = services.settings.guild(place).rate_limit_seconds
        lines.append(f"in a channel one each {pace:g} s")
    lines.append(f"nobody waits longer than {EXPIRY_SECONDS / 60:.0f} min, pauses left out")
    return lines


def _fullest(services: Services) -> list[str]:
    waiting: dict[int | None, int] = services.queue.get_stats()["waiting_by_guild"]
    return [
        f"{_guild_name(services, guild_id)}: {count}"
        for guild_id, count in Counter(waiting).most_common(_GUILDS_SHOWN)
    ]


def _guild_name(services: Services, guild_id: int | None) -> str:
    if guild_id is None:
        return "direct messages"
    guild = services.bot.get_guild(guild_id)
    return discord.utils.escape_markdown(guild.name[:40]) if guild else str(guild_id)


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
    report.add("Newest first", *map(_line, events), beyond=max(beyond, 0))
    await report.send(ctx)


def _line(event: Event) -> str:
    reason = f" (`{event.reason}`)" if event.reason else ""
    tries = event.attempts + event.misses
    how = f"{tries} {'attempt' if tries == 1 else 'attempts'}"
    if event.turn_id not in (None, event.id) and event.state is not State.CANCELLED:
        # Attempts are counted for the one that speaks for the turn.
        how = "together with a later one"
    return (
        f"{_SIGNS[event.state]} {event.state}{reason} · {_link(event)} · <@{event.author_id}> · "
        f"<t:{event.accepted_at:.0f}:R> · {how}"
    )


def _link(event: Event) -> str:
    where = "@me" if event.guild_id is None else event.guild_id
    return f"<https://discord.com/channels/{where}/{event.channel_id}/{event.message_id}>"
