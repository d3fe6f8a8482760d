"""`[p]aurora agents`: which agents a server's admins may enable; the bot's owner decides."""

from collections.abc import Iterator
from typing import Literal, Optional

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline, pagify

from ..guard.invoking import asks
from ..guard.policy import Act
from ..services import Services
from ..settings import MCP_TOOLS
from ..words import agents as w
from ..words import in_order, say
from .agents import find_agent, named, warnings_about
from .asking import refuse, tell, working
from .enabling import listed, switch_off
from .overview import show_commands
from .scope import Scope, guild_of, named_in, place_of
from .setup import SetupCommands
from .slimming import restore, slim

_PAGE_CHARS = 1900
_NAME_CHARS = 40
_ID_CHARS = 100


class AgentsCommands:
    """The rights of servers' admins to agents."""

    services: Services

    @SetupCommands.aurora.group(name="agents", autohelp=False)
    async def agents(self, ctx: commands.Context) -> None:
        """Decide which agents may be enabled by a server's admins."""
        await show_commands(ctx)

    @agents.command(name="allow")
    @asks(Act.GOVERN)
    async def agents_allow(
        self,
        ctx: commands.Context,
        agent_id: str,
        *,
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        server: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Let this server's admins enable an agent.

        `<agent_id>` is the agent's id on your Letta server. `[server]`: the id or name of another
        server, as in a direct message.
        """
        services, guild = self.services, await guild_of(ctx, server)
        watched = services.settings.guild(guild.id).discord_tools == MCP_TOOLS
        agent = await find_agent(ctx, services, agent_id, watched=watched)
        if agent is None:
            return
        allowed = services.settings.guild(guild.id).agents_allowed
        if agent.id not in allowed:
            await services.settings.set_guild(guild.id, agents_allowed=[*allowed, agent.id])
        done = w.ALLOWED(agent=named(agent), where=named_in(ctx, guild))
        await tell(ctx, in_order(done, *warnings_about(services, agent)))

    @agents.command(name="revoke")
    @asks(Act.GOVERN)
    async def agents_revoke(
        self,
        ctx: commands.Context,
        agent_id: str,
        *,
        server: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Take an agent back from this server's admins.

        Where one of them has enabled it, it stops answering. `[server]`: the id or name of another
        server, as in a direct message.
        """
        settings, guild = self.services.settings, await guild_of(ctx, server)
        mine = settings.guild(guild.id)
        known = {"agent": inline(agent_id[:_ID_CHARS]), "where": named_in(ctx, guild)}
        if agent_id not in mine.agents_allowed:
            allowed = listed(mine.agents_allowed)
            await refuse(ctx, w.WAS_NOT_ALLOWED(**known, agents=allowed))
            return
        rest = [one for one in mine.agents_allowed if one != agent_id]
        await settings.set_guild(guild.id, agents_allowed=rest)
        roles = {name: one for name, one in mine.roles.items() if one[0] != agent_id}
        await settings.set_roles(guild.id, roles)
        if settings.agent_for(guild.id) != agent_id:
            await tell(ctx, w.REVOKED(**known))
        elif mine.enabled_by_right:
            async with working(ctx):
                ended = await switch_off(self.services, guild.id)
            await tell(ctx, w.REVOKED_AND_OFF(**known, count=ended))
        else:
            await tell(ctx, w.REVOKED_STILL_ON(**known))

    @agents.command(name="list")
    @asks(Act.LIST)
    async def agents_list(self, ctx: commands.Context, scope: Scope = "here") -> None:
        """Show which agents may be enabled by this server's admins.

        The bot's owner may add `everywhere`.
        """
        place = await place_of(ctx, scope)
        if isinstance(place, int):
            allowed = self.services.settings.guild(place).agents_allowed
            await tell(ctx, w.ALLOWED_HERE(agents=listed(allowed)))
            return
        lines = list(self._lines(ctx.bot)) or [say(w.NOTHING_ALLOWED)]
        for page in pagify("\n".join(lines), page_length=_PAGE_CHARS):
            await ctx.send(page)

    @agents.command(name="slim", with_app_command=False)
    @asks(Act.GOVERN)
    async def agents_slim(
        self,
        ctx: commands.Context,
        agent_id: str,
        undo: Optional[Literal["undo"]] = None,  # noqa: UP045 - as above
    ) -> None:
        """Give an agent of an App Server a short system prompt.

        Each call of its model pays for all of it. Persona and memory stay; `undo` puts back what
        it had.
        """
        change = slim if undo is None else restore
        await change(ctx, self.services, agent_id)

    def _lines(self, bot: discord.Client) -> Iterator[str]:
        for guild_id, agent_ids in self.services.settings.agents_allowed().items():
            guild = bot.get_guild(guild_id)
            name = discord.utils.escape_markdown(guild.name[:_NAME_CHARS]) if guild else guild_id
            yield say(w.ALLOWED_IN(server=name, agents=listed(agent_ids)))
