"""`[p]aurora schedule`: at what times the agent is woken, and what for."""

from datetime import tzinfo
from typing import Optional

import discord
from redbot.core import commands

from ..guard.invoking import asks, within_sight
from ..guard.policy import Act
from ..model import Schedule
from ..runs.schedules import Schedules
from ..runs.times import TimeError, in_hours, kept_when, read_when, typed_when
from ..services import Services
from ..words import Phrase, in_order, say
from ..words import schedules as w
from .asking import refuse, tell
from .clocks import choose_hours, choose_zone
from .config import ConfigCommands
from .overview import show_commands
from .report import Report
from .setup import SetupCommands

_MOST = 25
_PROMPT_CHARS = 1500
_SHOWN_CHARS = 150
_ALWAYS = "always"


class ScheduleCommands:
    """The schedules of a server."""

    services: Services

    @SetupCommands.aurora.group(name="schedule", autohelp=False)
    async def schedule(self, ctx: commands.Context) -> None:
        """Wake the agent at times of your choice, in a channel of this server."""
        await show_commands(ctx)

    @schedule.command(name="add")
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def schedule_add(self, ctx: commands.GuildContext, *, when_and_what: str) -> None:
        """Have the agent woken in this channel.

        `<when_and_what>`: `in 2h`, `2026-12-01 09:00`, `every 6h`, `daily 09:00` or
        `mon,thu 18:30`, and then its task. With `always` before it also where nobody has written
        since it was woken last.
        """
        always, text = _always(when_and_what)
        settings, now = self.services.settings, self.services.clock.time()
        mine, zone = settings.guild(ctx.guild.id), self.services.waking.zone(ctx.guild.id)
        try:
            when, prompt = read_when(text, now, zone)
        except TimeError as error:
            await refuse(ctx, error.phrase)
            return
        due = when.after(now, zone) or now
        first, last = mine.quiet_hours
        if (why := self._refusal(ctx, prompt)) is None and in_hours(due, first, last, zone):
            why = w.IN_QUIET_HOURS(first=first, last=last)
        if why is not None:
            await refuse(ctx, why)
            return
        new = Schedule(ctx.guild.id, ctx.channel.id, ctx.author.id, "", prompt, None, always)
        made = await self.services.schedules.add(new, when)
        said = w.ADDED(number=made.id, when=typed_when(when, zone), next=f"<t:{due:.0f}:F>")
        await tell(ctx, said if mine.schedules_enabled else in_order(said, w.ARE_OFF))

    @schedule.command(name="list")
    @commands.guild_only()
    @asks(Act.LIST)
    async def schedule_list(self, ctx: commands.GuildContext) -> None:
        """Show the schedules of this server, as far as you can see their channels."""
        found = await _seen(ctx, self.services.schedules)
        if not found:
            await tell(ctx, w.NONE)
            return
        zone = self.services.waking.zone(ctx.guild.id)
        report = Report(w.TITLE)
        for one in found:
            report.add(w.NUMBER(number=one.id), _lines(one, zone))
        await report.send(ctx, self.services)
        if not self.services.settings.guild(ctx.guild.id).schedules_enabled:
            await tell(ctx, w.ARE_OFF)

    @schedule.command(name="pause")
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def schedule_pause(self, ctx: commands.GuildContext, number: int) -> None:
        """Pause a schedule, or let a paused one go on.

        `<number>`: as `[p]aurora schedule list` shows it.
        """
        if (one := await _found(ctx, self.services.schedules, number)) is not None:
            changed = await self.services.schedules.pause(one.id)
            said = w.PAUSED if changed is not None and changed.paused else w.GOES_ON
            await tell(ctx, said(number=number))

    @schedule.command(name="remove")
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def schedule_remove(self, ctx: commands.GuildContext, number: int) -> None:
        """Remove a schedule.

        `<number>`: as `[p]aurora schedule list` shows it.
        """
        if (one := await _found(ctx, self.services.schedules, number)) is not None:
            await self.services.schedules.remove(one)
            await tell(ctx, w.REMOVED(number=number))

    def _refusal(self, ctx: commands.GuildContext, prompt: str) -> Phrase | None:
        if not prompt:
            return w.NO_TASK
        if len(prompt) > _PROMPT_CHARS:
            return w.LONG_TASK(count=len(prompt), most=_PROMPT_CHARS)
        if len(self.services.schedules.of(ctx.guild.id)) >= _MOST:
            return w.TOO_MANY(most=_MOST)
        return None

    @ConfigCommands.config.command(name="timezone", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_timezone(
        self,
        ctx: commands.GuildContext,
        # discord.py reads the annotation at run time and knows Optional.
        zone: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Choose by what clocks schedules and quiet hours go.

        `[zone]`: a name such as `Europe/Berlin`; without it you see which it is.
        """
        await choose_zone(ctx, self.services, zone)

    @ConfigCommands.config.command(name="quiethours", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_quiethours(
        self,
        ctx: commands.GuildContext,
        *,
        hours: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Choose in which hours schedules wake nobody.

        `[hours]`: such as `22-7`, or `off`; without it you see which they are.
        """
        await choose_hours(ctx, self.services, hours)


async def _seen(ctx: commands.GuildContext, schedules: Schedules) -> list[Schedule]:
    """Return the schedules of a server whose channels their reader can see."""
    mine = schedules.of(ctx.guild.id)
    seen = await within_sight(ctx, Act.LIST, {one.channel_id for one in mine})
    return [one for one in mine if one.channel_id in seen]


async def _found(ctx: commands.GuildContext, schedules: Schedules, number: int) -> Schedule | None:
    """Return a schedule by its number, or say that there is none."""
    found = next((one for one in await _seen(ctx, schedules) if one.id == number), None)
    if found is None:
        await refuse(ctx, w.NO_SUCH(number=number))
    return found


def _always(text: str) -> tuple[bool, str]:
    word, _, rest = text.strip().partition(" ")
    return (True, rest) if word.lower() == _ALWAYS else (False, text)


def _lines(one: Schedule, zone: tzinfo) -> list[str]:
    paused = {"": None, "by hand": w.BY_HAND, "fails": w.FAILED, "not allowed": w.NOT_ALLOWED}
    why = paused[one.paused]
    facts = w.FACTS(
        when=typed_when(kept_when(one.when), zone),
        channel=f"<#{one.channel_id}>",
        person=f"<@{one.author_id}>",
    )
    state = w.NEXT(next=f"<t:{one.due or 0:.0f}:R>") if why is None else why
    lines = [say(facts), say(state)]
    if one.always:
        lines.append(say(w.ALWAYS))
    return [*lines, discord.utils.escape_markdown(one.prompt[:_SHOWN_CHARS])]
