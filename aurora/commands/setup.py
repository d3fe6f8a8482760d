"""`[p]aurora enable|disable|lettaurl|context`: connect Aurora, switch it on and look inside."""

from typing import Optional

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import box, pagify, text_to_file

from ..agents.memory import Memory
from ..guard.invoking import asks
from ..guard.policy import Act
from ..intake.preview import preview
from ..reasons import REASONS
from ..services import Services
from ..settings import MCP_TOOLS
from ..words import Phrase, in_order
from ..words import setup as w
from .address import change_address, show_address
from .agents import find_agent, named, warnings_about
from .asking import tell, unfenced, working
from .enabling import may_enable, switch_off
from .messages import find_message
from .overview import show_commands
from .scope import guild_of, named_in

group = commands.hybrid_group
"""Under this name redgettext takes a docstring for the help of a command."""


class SetupCommands:
    """The commands right under `[p]aurora`."""

    services: Services

    # mypy can't tell which of the two shapes of callback this is.
    @group(name="aurora", autohelp=False)  # type: ignore[arg-type]
    async def aurora(self, ctx: commands.Context) -> None:
        """Talk to a stateful Letta agent in Discord."""
        await show_commands(ctx)

    @aurora.command(name="enable")
    @asks(Act.ENABLE)
    async def aurora_enable(
        self,
        ctx: commands.Context,
        agent_id: str,
        *,
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        server: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Let an agent answer in this server.

        `<agent_id>` is the agent's id on the Letta server; who manages a server may choose among
        those that the bot's owner has allowed it. `[server]`: the id or name of another server,
        for the bot's owner.
        """
        services = self.services
        guild = await guild_of(ctx, server)
        if not await may_enable(ctx, services, guild, agent_id):
            return
        watched = services.settings.guild(guild.id).discord_tools == MCP_TOOLS
        agent = await find_agent(ctx, services, agent_id, watched=watched)
        # The owner may have thought better of it meanwhile, and the server may know it by another.
        if agent is None or not await may_enable(ctx, services, guild, agent.id):
            return
        by_right = not await ctx.bot.is_owner(ctx.author)
        await services.change_guild(
            guild.id, agent_id=agent.id, enabled=True, enabled_by_right=by_right
        )
        done = w.ENABLED(agent=named(agent), where=named_in(ctx, guild))
        await tell(ctx, in_order(done, *warnings_about(services, agent)))

    @aurora.command(name="disable")
    @asks(Act.DISABLE)
    async def aurora_disable(
        self,
        ctx: commands.Context,
        *,
        server: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Stop answering in this server; what waits for an answer is cancelled.

        `[server]`: the id or name of another server, for the bot's owner.
        """
        guild = await guild_of(ctx, server)
        async with working(ctx):
            ended = await switch_off(self.services, guild.id)
        said = w.DISABLED_WAITING if ended else w.DISABLED
        await tell(ctx, said(where=named_in(ctx, guild), count=ended))

    @aurora.command(name="lettaurl")
    @asks(Act.GOVERN)
    async def aurora_lettaurl(
        self,
        ctx: commands.Context,
        url: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Show the address of your Letta server, or set it.

        `[url]`: such as `ws://127.0.0.1:4500` (Letta App Server) or `https://api.letta.com` (Letta
        Cloud; a Letta server of your own with a REST API is `http://…`).
        Its token or API key: `[p]set api letta token,<token>`, best in a direct message.
        """
        if url is None:
            await show_address(ctx, self.services)
        else:
            await change_address(ctx, self.services, url)

    @aurora.command(name="context")
    @commands.guild_only()
    @asks(Act.PREVIEW)
    async def aurora_context(self, ctx: commands.GuildContext, message: str) -> None:
        """Show exactly what the agent would get for a message.

        `<message>` is the id of a message in this channel, or a link to one.
        """
        services = self.services
        async with working(ctx):
            found = await find_message(ctx, message)
            if found is not None:
                settings, clock = services.settings, services.clock
                remembers = isinstance(services.agents.backend, Memory)
                reason = await services.intake.triggers.why_not(found)
                prompt = await preview(
                    found,
                    ctx.guild,
                    ctx.me,
                    settings,
                    services.intake.triggers,
                    clock,
                    remembers=remembers,
                )
        if found is None:
            await tell(ctx, w.NO_MESSAGE)
            return
        note = None if reason is None else w.NOT_ANSWERED(why=REASONS[reason].admin)
        await _show(ctx, note, prompt, f"context-{found.id}.txt")


async def _show(ctx: commands.Context, note: Phrase | None, text: str, filename: str) -> None:
    """Show a text as it is: as a file, or in pages where files are not allowed."""
    if ctx.bot_permissions.attach_files:
        await tell(ctx, in_order(note, w.CONTEXT), file=text_to_file(text, filename))
        return
    if note is not None:
        await tell(ctx, note)
    for page in pagify(unfenced(text), page_length=1900):
        await ctx.send(box(page), allowed_mentions=discord.AllowedMentions.none())
