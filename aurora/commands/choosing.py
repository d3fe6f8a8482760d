"""Whose Discord tools agents use in a server, and which of Aurora's they get there."""

from __future__ import annotations

from redbot.core import commands
from redbot.core.utils.chat_formatting import box, inline

from ..agents.protocol import ToolLister
from ..services import Services
from ..settings import AURORAS_TOOLS, MCP_TOOLS
from ..tools.choice import ALLOW, CHOICES, OFF, chosen
from ..words import config as w
from ..words import say
from .agents import find_agent
from .asking import prefix_for, refuse, tell

_DONE = {AURORAS_TOOLS: w.AURORAS_TOOLS, MCP_TOOLS: w.MCP_TOOLS}


async def choose_tools(ctx: commands.GuildContext, services: Services, which: str) -> None:
    """Let agents use Aurora's tools or their own, if these can be had."""
    guild_id = ctx.guild.id
    if which == MCP_TOOLS and not isinstance(services.agents.backend, ToolLister):
        await refuse(ctx, w.NO_OWN_TOOLS)
        return
    agent_id = services.settings.agent_for(guild_id)
    if (
        which == AURORAS_TOOLS
        and agent_id is not None
        and services.settings.guild(guild_id).discord_tools == MCP_TOOLS
        and await find_agent(ctx, services, agent_id) is None
    ):
        return
    await services.settings.set_guild(guild_id, discord_tools=which)
    await tell(ctx, _DONE[which])


async def set_tool(ctx: commands.GuildContext, services: Services, name: str, value: str) -> None:
    """Decide about one of Aurora's tools."""
    name, value = name.lower(), value.lower()
    if name not in CHOICES:
        names = ", ".join(f"`{one}`" for one in CHOICES)
        await refuse(ctx, w.NO_TOOL(name=inline(name[:50] or "?"), names=names))
        return
    if value not in (ALLOW, OFF):
        await refuse(ctx, w.NO_TOOL_VALUE(given=inline(value[:50] or "?")))
        return
    mine = services.settings.guild(ctx.guild.id).tools_chosen
    await services.settings.set_guild(ctx.guild.id, tools_chosen={**mine, name: value})
    await tell(ctx, w.TOOL_CHOSEN(tool=name, value=value))


async def show_tools(ctx: commands.GuildContext, services: Services) -> None:
    """Show what holds for the tools that can be decided about."""
    mine = services.settings.guild(ctx.guild.id)
    lines = [f"{name:<24} {chosen(mine, name)}" for name in CHOICES]
    await ctx.send(box("\n".join(lines)) + say(w.CHANGE_TOOL, await prefix_for(ctx)))
