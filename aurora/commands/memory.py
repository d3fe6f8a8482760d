"""`[p]aurora memory`: what was changed in agents' memories through Aurora, and undoing it."""

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import pagify

from ..guard.invoking import asks
from ..guard.policy import Act
from ..model import MemoryChange
from ..services import Services
from ..tools.memories import NotUndone
from ..words import Phrase, in_order, say
from ..words import memory as w
from .asking import confirm, prefix_for, refuse, tell, unfenced, working
from .overview import show_commands
from .setup import SetupCommands

_ACTS = {"write": w.WRITTEN, "delete": w.DELETED, "undo": w.UNDONE}
_OFF = "off"
_SHOWN = 10
_MOST = 50


class MemoryCommands:
    """The owner's view of the agents' memories."""

    services: Services

    @SetupCommands.aurora.group(name="memory", autohelp=False)
    async def memory(self, ctx: commands.Context) -> None:
        """See what was changed in the agents' memories, and undo it."""
        await show_commands(ctx)

    @memory.command(name="log")
    @asks(Act.GOVERN)
    async def memory_log(
        self, ctx: commands.Context, count: commands.Range[int, 1, _MOST] = _SHOWN
    ) -> None:
        """List the latest changes: which file, when, and who asked for it where.

        `[count]`: how many, 1 to 50. In a server its own; in a direct message all.
        """
        # In a server others read along.
        guild_id = ctx.guild.id if ctx.guild is not None else None
        found = await self.services.store.memory_log(count, guild_id)
        if not found:
            await tell(ctx, w.NOTHING)
            return
        prefix = await prefix_for(ctx)
        lines = [w.LOG_TITLE, *map(_line, found), w.HOW_TO_UNDO]
        text = "\n".join(say(line, prefix) for line in lines)
        for page in pagify(text, page_length=1900):
            await ctx.send(page, allowed_mentions=discord.AllowedMentions.none())

    @memory.command(name="undo")
    @asks(Act.GOVERN)
    async def memory_undo(self, ctx: commands.Context, number: int) -> None:
        """Put a file back to what it was before a change, if it was not changed since.

        `<number>` is that of the change in `[p]aurora memory log`.
        """
        services = self.services
        change = await services.store.memory_change(number)
        if change is None:
            await refuse(ctx, w.NO_CHANGE(number=number))
            return
        if not await confirm(ctx, services, w.ASK_UNDO(line=_line(change))):
            await tell(ctx, w.NOT_UNDONE)
            return
        try:
            async with working(ctx):
                known = await services.memories.undo(change, ctx.author.id)
        except NotUndone as refusal:
            await tell(ctx, w.FAILED(number=number, why=refusal.phrase))
            return
        done = w.DONE if known else w.DONE_UNREAD
        await tell(ctx, done(path=unfenced(change.path), number=number))


async def choose_role(ctx: commands.GuildContext, services: Services, text: str | None) -> None:
    """Choose which role may have a server's agent change what is for all places; or none."""
    settings = services.settings
    if text is None:
        role_id = settings.guild(ctx.guild.id).memory_role_id
        role = ctx.guild.get_role(role_id) if role_id is not None else None
        await tell(ctx, w.ROLE_IS(role=role.mention) if role else w.ROLE_NONE, **_QUIET)
        return
    if text.strip().lower() == _OFF:
        await settings.set_guild(ctx.guild.id, memory_role_id=None)
        await tell(ctx, w.ROLE_OFF)
        return
    try:
        role = await commands.RoleConverter().convert(ctx, text.strip())
    except commands.BadArgument:
        await refuse(ctx, w.NO_ROLE)
        return
    if role.is_default():
        await refuse(ctx, w.EVERYONE)
        return
    await settings.set_guild(ctx.guild.id, memory_role_id=role.id)
    await tell(ctx, w.ROLE_SET(role=role.mention), **_QUIET)


_QUIET = {"allowed_mentions": discord.AllowedMentions.none()}


def _line(change: MemoryChange) -> Phrase:
    """Write a change in one line, with all that is known of it but the text."""
    if change.author_id is None:
        person: Phrase | str = w.SOMEBODY
    else:
        person = f"<@{change.author_id}>"
    if change.act == "undo" or change.channel_id is None:
        who = w.ASKED_BY(person=person)
    elif change.guild_id is None:
        who = w.ASKED_IN_DM(person=person)
    else:
        who = w.ASKED_IN(person=person, place=f"<#{change.channel_id}>")
    line = w.LINE(
        number=change.number,
        when=f"<t:{int(change.at)}:R>",
        act=_ACTS[change.act],
        path=unfenced(change.path),
        length=w.LENGTH(count=change.length) if change.act == "write" else "",
        agent=unfenced(change.agent_id),
        who=who,
    )
    return line if change.version else in_order(line, w.UNSURE)
