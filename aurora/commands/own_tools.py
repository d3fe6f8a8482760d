"""The question before an agent with tools of its own is let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..agents.own_tools import Danger
from ..services import Services
from ..words import say
from ..words import setup as w
from .asking import confirm, tell

_DANGERS = {
    Danger.DISCORD: w.ACTS_IN_DISCORD,
    Danger.COMMANDS: w.RUNS_COMMANDS,
    Danger.FILES: w.READS_FILES,
}
_NAMES_SHOWN = 8
_NAME_CHARS = 40


async def allow_own_tools(
    ctx: commands.Context,
    services: Services,
    agent: str,
    found: Mapping[Danger, Sequence[str]],
) -> bool:
    """Ask whether an agent may answer in spite of its tools, and say so if it may not.

    Args:
        ctx: the owner's command.
        services: what it works with.
        agent: how the agent is called, with markup.
        found: names of its tools that get round Aurora's guard.

    """
    if not found:
        return True
    tools = "\n".join(f"- {say(_DANGERS[one])}: {_listed(names)}" for one, names in found.items())
    if await confirm(ctx, services, w.OWN_TOOLS(agent=agent, tools=tools)):
        return True
    await tell(ctx, w.OWN_TOOLS_REFUSED)
    return False


def _listed(names: Sequence[str]) -> str:
    """Write some names, and how many there are besides."""
    shown = ", ".join(inline(name[:_NAME_CHARS]) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return say(w.AND_MORE(names=shown, count=more)) if more > 0 else shown
