"""`[p]aurora enable|disable|lettaurl|context`: connect Aurora, switch it on and look inside."""

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import box, pagify, text_to_file

from ..agents.address import (
    Address,
    AddressError,
    Kind,
    parse_address,
)
from ..intake.preview import preview
from ..reasons import Reason
from ..runs.cancelling import in_guild
from ..services import Services
from ..settings import MCP_TOOLS
from ..words import setup as w
from .agents import find_agent, named, plainly
from .asking import ask, tell, unfenced, working
from .messages import find_message
from .sdk import provide_sdk

group = commands.hybrid_group
"""Under this name redgettext takes a docstring for the help of a command."""


class SetupCommands:
    """The commands right under `[p]aurora`."""

    services: Services

    # mypy can't tell which of the two shapes of callback this is.
    @group(name="aurora")  # type: ignore[arg-type]
    async def aurora(self, ctx: commands.Context) -> None:
        """Talk to a stateful Letta agent in Discord."""

    @aurora.command(name="enable")
    @commands.guild_only()
    @commands.is_owner()
    async def aurora_enable(self, ctx: commands.GuildContext, agent_id: str) -> None:
        """Let an agent answer in this server.

        `<agent_id>` is the agent's id on your Letta server.
        """
        settings = self.services.settings
        watched = settings.guild(ctx.guild.id).discord_tools == MCP_TOOLS
        agent = await find_agent(ctx, self.services, agent_id, watched=watched)
        if agent is None:
            return
        await self.services.change_guild(ctx.guild.id, agent_id=agent.id, enabled=True)
        await tell(ctx, w.ENABLED(agent=named(agent)))

    @aurora.command(name="disable")
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def aurora_disable(self, ctx: commands.GuildContext) -> None:
        """Stop answering in this server; what waits for an answer is cancelled."""
        async with working(ctx):
            await self.services.settings.set_guild(ctx.guild.id, enabled=False)
            ended = await self.services.cancelling.cancel(in_guild(ctx.guild.id), Reason.DISABLED)
        await tell(ctx, w.DISABLED_WAITING(count=ended) if ended else w.DISABLED)

    @aurora.command(name="lettaurl")
    @commands.is_owner()
    async def aurora_lettaurl(self, ctx: commands.Context, url: str) -> None:
        """Set the address of your Letta server.

        Such as `ws://127.0.0.1:4500` (Letta App Server) or `https://api.letta.com` (Letta Cloud;
        a Letta server of your own with a REST API is `http://…`).
        Its token or API key: `[p]set api letta token,<token>`.
        """
        try:
            address = parse_address(url)
        except AddressError as error:
            await tell(ctx, error.phrase)
            return
        settings, trouble = self.services.settings, None
        before = settings.world.letta_base_url
        clear_ok: bool | None = False
        if not address.token_is_safe:
            clear_ok = await _ask_clear(ctx, self.services, address)
        if clear_ok is None:
            await tell(ctx, w.NOT_CONFIRMED)
            return
        if address.kind is Kind.REST:
            trouble = await provide_sdk(ctx, self.services)
        if settings.world.letta_base_url != before:
            await tell(ctx, w.CHANGED_MEANWHILE)
            return
        async with working(ctx):
            await self.services.use_server(address.url, clear_ok=clear_ok)
            trouble = trouble or await self.services.probe()
        done = w.SERVER_ANSWERS(kind=address.kind, url=address.url)
        await tell(ctx, plainly(self.services, trouble or done))

    @aurora.command(name="context")
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def aurora_context(self, ctx: commands.GuildContext, message: str) -> None:
        """Show exactly what the agent would get for a message.

        `<message>` is the id of a message in this channel, or a link to one.
        """
        services = self.services
        async with working(ctx):
            found = await find_message(ctx, message)
            if found is not None:
                settings, clock = services.settings, services.clock
                prompt = await preview(found, ctx.author, ctx.me, settings, clock)
        if found is None:
            await tell(ctx, w.NO_MESSAGE)
            return
        await _show(ctx, prompt, f"context-{found.id}.txt")


async def _ask_clear(ctx: commands.Context, services: Services, address: Address) -> bool | None:
    """Ask whether a token may travel unencrypted; None without an answer."""
    better = "wss://" if address.kind is Kind.APP_SERVER else "https://"
    return await ask(ctx, services, w.ASK_CLEAR(url=address.url, better=better))


async def _show(ctx: commands.Context, text: str, filename: str) -> None:
    """Show a text as it is: as a file, or in pages where files are not allowed."""
    if ctx.bot_permissions.attach_files:
        await tell(ctx, w.CONTEXT, file=text_to_file(text, filename))
        return
    for page in pagify(unfenced(text), page_length=1900):
        await ctx.send(box(page), allowed_mentions=discord.AllowedMentions.none())
