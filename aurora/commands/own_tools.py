"""The question before an agent with tools of its own is let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..agents.own_tools import Danger
from ..agents.protocol import AgentInfo
from ..services import Services
from ..words import say
from ..words import setup as w
from .asking import confirm, refuse, tell

_DANGERS = {
    Danger.DISCORD: w.ACTS_IN_DISCORD,
    Danger.COMMANDS: w.RUNS_COMMANDS,
    Danger.FILES: w.READS_FILES,
    Danger.SEARCH: w.SEARCHES,
    Danger.UNKNOWN: w.DOES_ANYTHING,
}
_NAMES_SHOWN = 8
_NAME_CHARS = 40


async def allow_own_tools(
    ctx: commands.Context,
    services: Services,
    agent: AgentInfo,
    named: str,
    found: Mapping[Danger, Sequence[str]],
) -> bool:
    """Ask whether an agent may answer in spite of its tools, and say so if it may not.

    Only the bot's owner is asked; a yes is remembered for exactly these tools.

    Args:
        ctx: the command of whoever chooses the agent.
        services: what it works with.
        agent: the agent.
        named: its name and id, with markup.
        found: names of its tools that get round Aurora's guard, and that nobody has allowed.

    """
    if not found:
        return True
    tools = "\n".join(f"- {say(_DANGERS[one])}: {_listed(names)}" for one, names in found.items())
    if not await ctx.bot.is_owner(ctx.author):
        await refuse(ctx, w.OWN_TOOLS_FOR_OWNER(agent=named, tools=tools))
        return False
    if not await confirm(ctx, services, w.OWN_TOOLS(agent=named, tools=tools)):
        await tell(ctx, w.OWN_TOOLS_REFUSED)
        return False
    names = [name for some in found.values() for name in some]
    await services.settings.allow_tools(agent.id, names)
    return True


def _listed(names: Sequence[str]) -> str:
    """Write some names, and how many there are besides."""
    shown = ", ".join(inline(name[:_NAME_CHARS]) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return say(w.AND_MORE(names=shown, count=more)) if more > 0 else shown
