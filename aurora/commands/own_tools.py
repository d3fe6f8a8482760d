"""The question before an agent with tools of its own is let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..agents.own_tools import Danger
from ..services import Services
from .asking import confirm

_QUESTION = (
    "{agent} has tools of its own that Aurora can't guard:\n{tools}\n"
    "With them it may answer twice, do what the person who asked may not do, or show in one "
    "channel what was said in another: Aurora can prevent none of the three then. Anybody who may "
    "talk to the agent can try to make it use them. Let it answer all the same?"
)
_REFUSED = (
    "Nothing was changed. Take these tools off the agent on its server and try again: Aurora "
    "offers it Discord tools that are guarded."
)
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
    tools = "\n".join(f"- {danger}: {_listed(names)}" for danger, names in found.items())
    if await confirm(ctx, services, _QUESTION.format(agent=agent, tools=tools)):
        return True
    await ctx.send(_REFUSED)
    return False


def _listed(names: Sequence[str]) -> str:
    """Write some names, and how many there are besides."""
    shown = ", ".join(inline(name[:_NAME_CHARS]) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
