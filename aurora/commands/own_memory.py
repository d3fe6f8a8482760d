"""The question before an agent is let in that changes its memory by tools of its own server."""

from __future__ import annotations

from collections.abc import Iterable

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..agents.own_tools import memory_tools
from ..agents.protocol import AgentInfo, OwnTool, ToolDetacher
from ..reasons import AgentError
from ..services import Services
from ..words import Phrase, clause
from ..words import memory as w
from .asking import confirm, tell, working


async def offer_to_detach(
    ctx: commands.Context, services: Services, agent: AgentInfo, name: str
) -> None:
    """Say what is not promised of such an agent, and take the tools off it if that is wanted.

    `name` is how the agent is called, with markup. It is let in whatever the answer is. Only the
    bot's owner is asked, who has let others choose this agent: it is the same one for all.
    """
    backend = services.agents.backend
    if not isinstance(backend, ToolDetacher) or not await ctx.bot.is_owner(ctx.author):
        return
    try:
        found = memory_tools(await backend.own_tools(agent.id))
    except AgentError as error:
        await tell(ctx, w.TOOLS_UNKNOWN(agent=name, why=clause(error.detail)))
        return
    if not found:
        return
    if not await confirm(ctx, services, w.OWN_MEMORY(agent=name, tools=_listed(found))):
        await tell(ctx, w.TOOLS_KEPT(agent=name))
        return
    async with working(ctx):
        kept, why = await _take(backend, agent.id, found)
    if kept:
        await tell(ctx, w.TOOLS_NOT_TAKEN(agent=name, tools=_listed(kept), why=why))
    else:
        await tell(ctx, w.TOOLS_TAKEN(agent=name))


async def _take(
    backend: ToolDetacher, agent_id: str, tools: Iterable[OwnTool]
) -> tuple[list[OwnTool], Phrase | str]:
    """Take tools off an agent; return those it kept, and why it kept the last of them."""
    kept: list[OwnTool] = []
    why: Phrase | str = ""
    for tool in tools:
        try:
            await backend.detach(agent_id, tool.id)
        except AgentError as error:
            kept.append(tool)
            why = clause(error.detail)
    return kept, why


def _listed(tools: Iterable[OwnTool]) -> str:
    """Write the names, all of which are Letta's own."""
    return ", ".join(inline(tool.name) for tool in tools)
