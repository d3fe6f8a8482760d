"""Look up an agent that shall answer, and name it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import discord
from redbot.core import commands

from ..agents.lookup import look_up
from ..agents.protocol import AgentInfo
from ..chat.splitting import shorten
from ..reasons import AgentError
from ..services import Services
from ..words import Phrase, clause, in_order, say, verbatim
from ..words import setup as w
from ..words.commands import UNCHANGED
from ..words.remedies import remedy_for
from .asking import prefix_for, refuse, tell, working
from .own_memory import offer_to_detach
from .own_tools import allow_own_tools

_AGENT_ID = re.compile(r"[\w.:-]{1,100}")
_DETAIL_CHARS = 300
_NAME_CHARS = 100


async def find_agent(
    ctx: commands.Context, services: Services, agent_id: str, *, watched: bool = False
) -> AgentInfo | None:
    """Look up an agent that shall answer; if it can't or must not, tell the person why.

    `watched` says that it may have Discord tools of its own.
    """
    backend, owner = services.agents.backend, await ctx.bot.is_owner(ctx.author)
    if backend is None:
        await refuse(ctx, w.NO_SERVER_YET if owner else w.NOT_LOOKED_UP)
        return None
    if not _AGENT_ID.fullmatch(agent_id):
        await refuse(ctx, w.NO_AGENT_ID)
        return None
    try:
        async with working(ctx):
            agent, found = await look_up(backend, services.own_tools, agent_id, watched=watched)
    except AgentError as error:
        if not owner:
            # Where the server is, and what is wrong with it, is for the owner.
            await refuse(ctx, w.NOT_LOOKED_UP)
            return None
        prefix = await prefix_for(ctx)
        detail = shorten(say(verbatim(clause(error.detail)), prefix), _DETAIL_CHARS)
        said = w.AGENT_NOT_FOUND(url=backend.url, detail=detail)
        said = in_order(said, remedy_for(error.detail), UNCHANGED)
        await tell(ctx, plainly(services, said))
        return None
    if not await allow_own_tools(ctx, services, agent, named(agent), found):
        return None
    await offer_to_detach(ctx, services, agent, named(agent))
    return agent


def warnings_about(services: Services, agent: AgentInfo) -> Iterator[Phrase]:
    """Yield what has to be said of an agent that was just looked up and let in."""
    if services.own_tools.searches(agent.id):
        yield w.SEARCH_ALLOWED
    count = len(services.settings.guilds_of(agent.id))
    if count > 1:
        yield w.SHARED(count=count)


def named(agent: AgentInfo) -> str:
    """Write an agent's name and id; the name is whatever its maker typed."""
    name = discord.utils.escape_markdown(agent.name[:_NAME_CHARS])
    return f"**{name}** (`{agent.id}`)" if name else f"`{agent.id}`"


def plainly(services: Services, what: Phrase) -> Phrase:
    """Say also if the token was held back, which explains much."""
    return w.WITHHELD(said=what) if services.agents.withheld_token else what
