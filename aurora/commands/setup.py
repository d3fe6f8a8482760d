"""`[p]aurora enable|disable|lettaurl|context`: connect Aurora, switch it on and look inside."""

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import box, pagify, text_to_file
from redbot.core.utils.views import ConfirmView

from ..agents.address import AddressError, parse_address
from ..agents.protocol import AgentError, AgentInfo, Outcome
from ..context import build_event_context
from ..policy import can_view
from ..prompts import build_prompt
from ..services import Services
from ..triggers import addressed

_NO_MESSAGE = (
    "I found no such message that you can see. Give me the id of a message in this channel, "
    "or a link to one in another."
)


class SetupCommands:
    """The commands right under `[p]aurora`."""

    services: Services

    @commands.hybrid_group(name="aurora")
    async def aurora(self, ctx: commands.Context) -> None:
        """Talk to a stateful Letta agent in Discord."""

    @aurora.command(name="enable")
    @commands.guild_only()
    @commands.is_owner()
    async def aurora_enable(self, ctx: commands.GuildContext, agent_id: str) -> None:
        """Let an agent answer in this server.

        `<agent_id>` is the agent's id on your Letta server.
        """
        async with ctx.typing():
            agent = await find_agent(ctx, self.services, agent_id)
        if agent is None:
            return
        await self.services.settings.set_guild(ctx.guild.id, agent_id=agent.id, enabled=True)
        self.services.queue.reconsider()
        await ctx.send(
            f"Done: **{discord.utils.escape_markdown(agent.name)}** (`{agent.id}`) answers in "
            "this server. Mention me, or reply to one of my messages, to talk to it."
        )

    @aurora.command(name="disable")
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def aurora_disable(self, ctx: commands.GuildContext) -> None:
        """Stop answering in this server; what waits for an answer is cancelled."""
        await self.services.settings.set_guild(ctx.guild.id, enabled=False)
        ended = await self.services.queue.cancel(
            lambda event: event.guild_id == ctx.guild.id, "disabled"
        )
        waiting = f" {len(ended)} waiting messages were cancelled." if ended else ""
        await ctx.send(f"Done: I no longer answer in this server.{waiting}")

    @aurora.command(name="lettaurl")
    @commands.is_owner()
    async def aurora_lettaurl(self, ctx: commands.Context, url: str) -> None:
        """Set the address of your Letta App Server.

        Such as `ws://127.0.0.1:4500`. Its token: `[p]set api letta token,<token>`.
        """
        try:
            address = parse_address(url)
        except AddressError as error:
            await ctx.send(str(error).replace("[p]", ctx.clean_prefix))
            return
        clear_ok = address.token_is_safe or await _confirm_clear(ctx, address.url)
        await self.services.settings.set_world(
            letta_base_url=address.url, token_in_clear_allowed=clear_ok
        )
        async with ctx.typing():
            await self.services.configure_agents()
            trouble = await self.services.probe()
        await ctx.send(trouble or f"Done: the Letta App Server at <{address.url}> answers.")

    @aurora.command(name="context")
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def aurora_context(self, ctx: commands.GuildContext, message: str) -> None:
        """Show exactly what the agent would get for a message.

        `<message>` is the id of a message in this channel, or a link to one.
        """
        found = await _find_message(ctx, message)
        if found is None:
            await ctx.send(_NO_MESSAGE)
            return
        me, settings = ctx.me._user, self.services.settings.guild(ctx.guild.id)
        context = await build_event_context(
            found, addressed(found, me) or "mention", me=me, depth=settings.reply_thread_depth
        )
        prompt = build_prompt(
            context, now=self.services.clock.time(), guidance=settings.mcp_guidance_enabled
        )
        await _show(ctx, prompt, f"context-{found.id}.txt")


async def find_agent(ctx: commands.Context, services: Services, agent_id: str) -> AgentInfo | None:
    """Look an agent up; if there is none, tell the person why and what to do."""
    backend = services.agents.current()
    if backend is None:
        await ctx.send(
            "I don't know your Letta server yet. Set it first: "
            f"`{ctx.clean_prefix}aurora lettaurl <url>`."
        )
        return None
    try:
        return await backend.agent(agent_id)
    except AgentError as error:
        if error.outcome is Outcome.CONFIG:
            hint = (
                "Check the id, the address "
                f"(`{ctx.clean_prefix}aurora lettaurl`) and the token "
                f"(`{ctx.clean_prefix}set api letta token,<token>`)."
            )
        else:
            hint = "Is it running? Nothing was changed; try again when it is up."
        await ctx.send(f"The Letta server at <{backend.url}> says: {error.detail}. {hint}")
        return None


async def _confirm_clear(ctx: commands.Context, url: str) -> bool:
    """Ask whether a token may travel unencrypted."""
    view = ConfirmView(ctx.author, timeout=60, disable_buttons=True)
    view.message = await ctx.send(
        f"<{url}> is another machine and the connection is not encrypted: anybody on the way can "
        "read the token. Send the token there all the same? (No: I connect without it. "
        "Better: use `wss://`.)",
        view=view,
    )
    await view.wait()
    return bool(view.result)


async def _find_message(ctx: commands.GuildContext, text: str) -> discord.Message | None:
    """Return the message if it exists in this server and the invoker can see it."""
    try:
        found = await commands.MessageConverter().convert(ctx, text)
    except commands.BadArgument:
        return None
    except discord.HTTPException:
        return None
    if found.guild != ctx.guild or not await can_view(ctx.author, found.channel):
        return None
    return found


async def _show(ctx: commands.Context, text: str, filename: str) -> None:
    """Show a text as it is: as a file, or in pages where files are not allowed."""
    if ctx.bot_permissions.attach_files:
        await ctx.send("This is what the agent would get now:", file=text_to_file(text, filename))
        return
    # A zero-width space keeps the text's own code fences from ending the box.
    for page in pagify(text.replace("```", "`\u200b``"), page_length=1900):
        await ctx.send(box(page))
