"""Look up an agent that shall answer, and name it."""

from __future__ import annotations

import re

import discord
from redbot.core import commands

from ..agents.lookup import look_up
from ..agents.protocol import AgentInfo
from ..chat.splitting import shorten
from ..reasons import AgentError, Outcome
from ..services import Services
from .asking import working
from .own_tools import allow_own_tools

_WITHHELD = (
    "Your token was not sent: the connection is not encrypted and you did not allow it. "
    "`{prefix}aurora lettaurl <url>` asks again."
)
_AGENT_ID = re.compile(r"[\w.:-]{1,100}")
_DETAIL_CHARS = 300
_NAME_CHARS = 100


async def find_agent(
    ctx: commands.Context, services: Services, agent_id: str, *, watched: bool = False
) -> AgentInfo | None:
    """Look up an agent that shall answer; if it can't or must not, tell the person why.

    `watched` says that it may have Discord tools of its own.
    """
    backend = services.agents.backend
    if backend is None:
        await ctx.send(
            "I don't know your Letta server yet. Set it first: "
            f"`{ctx.clean_prefix}aurora lettaurl <url>`."
        )
        return None
    if not _AGENT_ID.fullmatch(agent_id):
        await ctx.send(
            "That is no agent id. One looks like `agent-…`: copy it whole from your Letta server, "
            "without brackets or quotes. Nothing was changed."
        )
        return None
    try:
        async with working(ctx):
            agent, found = await look_up(backend, agent_id, watched=watched)
    except AgentError as error:
        hint = "Check the agent's id." if error.outcome is Outcome.CONFIG else "Is it running?"
        text = f"The Letta server at <{backend.url}> says: {shorten(error.detail, _DETAIL_CHARS)}"
        await ctx.send(plainly(ctx, services, f"{text}. {hint} Nothing was changed."))
        return None
    return agent if await allow_own_tools(ctx, services, named(agent), found) else None


def named(agent: AgentInfo) -> str:
    """Write an agent's name and id; the name is whatever its maker typed."""
    name = discord.utils.escape_markdown(agent.name[:_NAME_CHARS])
    return f"**{name}** (`{agent.id}`)" if name else f"`{agent.id}`"


def plainly(ctx: commands.Context, services: Services, text: str) -> str:
    """Name the real prefix, and say if the token was held back, which explains much."""
    if services.agents.withheld_token:
        text = f"{text}\n{_WITHHELD.format(prefix=ctx.clean_prefix)}"
    return text.replace("[p]", ctx.clean_prefix)
