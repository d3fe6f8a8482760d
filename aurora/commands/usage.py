"""`[p]aurora usage`: what runs cost, of somebody, a channel or an agent, in numbers and bars."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any, Literal, NamedTuple, Optional

from redbot.core import commands

from ..guard.invoking import asks, manages, within_sight
from ..guard.policy import Act
from ..ledger import EVERYWHERE, Where
from ..model import Used
from ..model.usage import day_of
from ..runs.usage import summed
from ..services import Services
from ..words import Phrase, say, verbatim
from ..words import usage as w
from .asking import refuse, working
from .bars import as_lines, as_picture
from .people import channel_of, person_of
from .report import Report
from .scope import in_words
from .setup import SetupCommands
from .spending import spent_line, spent_lines

What = Literal["me", "user", "channel", "agent", "server"]

DAYS, MOST_DAYS = 30, 366
_SHOWN = 10
_LARGEST_NUMBER = 10**9
"""What is above it is the id of something."""


class UsageCommands:
    """What runs cost."""

    services: Services

    @SetupCommands.aurora.command(name="usage")
    @asks(Act.USAGE)
    async def usage(
        self,
        ctx: commands.Context,
        what: What = "me",
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        days: Optional[int] = None,  # noqa: UP045
        *,
        who: str = "",
    ) -> None:
        """Show what answers took: tokens, time, and an estimate of the money.

        `[what]`: `me`; for those who may manage the server also `user`, `channel`, `agent` or
        `server`. `[days]`: the last 30, if you don't say. `[who]`: which user, which channel or
        the id of which agent; left out, all channels or agents are listed.
        """
        days, who = _read(days, who)
        if not 1 <= days <= MOST_DAYS:
            await refuse(ctx, w.NOT_SO_MANY(most=MOST_DAYS))
            return
        owner = ctx.guild is None and await ctx.bot.is_owner(ctx.author)
        if what != "me" and not owner and not await manages(ctx):
            await refuse(ctx, w.FOR_MANAGERS)
            return
        meant = await _meant(ctx, what, who)
        if meant is None:
            await refuse(ctx, w.WHICH_USER if what == "user" else w.WHICH_CHANNEL)
            return
        # Begun in public, an answer can't be for one person any more; one's own takes no time.
        async with nullcontext() if what == "me" else working(ctx):
            await _show(ctx, self.services, meant, days, ephemeral=what == "me")


class _Meant(NamedTuple):
    """What is asked about: its name, whose runs, which of them, and what they are listed by."""

    name: Phrase
    person: int | None = None
    wanted: Callable[[Used], bool] = lambda _row: True
    by: Literal["agent", "channel"] | None = None


def _read(days: int | None, who: str) -> tuple[int, str]:
    """Tell the days from an id, in whichever order they were typed."""
    if days is not None and days > _LARGEST_NUMBER:
        days, who = None, f"{days} {who}"
    *names, last = who.split() or [""]
    if days is None and last.isdecimal() and len(last) <= len(str(MOST_DAYS)):
        return int(last), " ".join(names)
    return DAYS if days is None else days, who


async def _meant(ctx: commands.Context, what: What, who: str) -> _Meant | None:
    """Return what a command is about; None if nobody can tell."""
    match what:
        case "me":
            return _Meant(w.YOU, ctx.author.id)
        case "user":
            person = await person_of(ctx, who)
            return _Meant(verbatim(person.name), person.id) if person else None
        case "channel" if who:
            channel = await channel_of(ctx, who)
            if channel is None:
                return None
            return _Meant(verbatim(channel.name), None, lambda row: row.channel_id == channel.id)
        case "agent" if who:
            return _Meant(w.AN_AGENT(id=who[:60]), None, lambda row: row.agent_id == who)
        case "channel":
            return _Meant(w.ALL_CHANNELS, by="channel")
        case "agent":
            return _Meant(w.ALL_AGENTS, by="agent")
        case _:
            return _Meant(w.ALL_TOGETHER)


async def _show(
    ctx: commands.Context, services: Services, meant: _Meant, days: int, *, ephemeral: bool
) -> None:
    place: Where = EVERYWHERE if ctx.guild is None else ctx.guild.id
    today = day_of(services.clock.time())
    since = today - days + 1
    found = services.store.usage(place, since, meant.person)
    summary = await summed(found, meant.wanted)
    report = Report(w.TITLE(what=meant.name, where=in_words(place), days=days))
    report.add(w.IN_ALL, spent_lines(summary, services.settings.world.prices))
    if meant.by == "agent":
        report.add(w.BY_AGENT, _listed(summary.agents, "`{}`"))
    elif meant.by == "channel":
        seen = await within_sight(ctx, Act.LIST, summary.channels.keys())
        mine = {channel: one for channel, one in summary.channels.items() if channel in seen}
        report.add(w.BY_CHANNEL, _listed(mine, "<#{}>"))
    if any(summary.models):
        report.add(w.BY_MODEL, _listed(summary.models, "`{}`"))
    picture = await as_picture(ctx, services, summary, since, today)
    if picture is None:
        report.add(w.BY_DAY, as_lines(summary, since, today))
    else:
        report.add(w.COLOURS, [say(w.LEGEND)])
    await report.send(ctx, services, picture=picture, ephemeral=ephemeral)


def _listed(sums: Mapping[Any, Used], form: str) -> Iterable[str]:
    largest = sorted(sums.items(), key=lambda one: one[1].tokens, reverse=True)[:_SHOWN]
    return [spent_line(form.format(name or "?"), one) for name, one in largest]
