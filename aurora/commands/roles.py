"""`[p]aurora agents role`: who besides a server's agent answers there, and what for."""

import re

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..chat.splitting import shorten
from ..guard.invoking import asks
from ..guard.policy import Act
from ..services import Services
from ..words import roles as w
from ..words import say
from .agents import find_agent
from .allowing import AgentsCommands
from .asking import prefix_for, refuse, tell
from .enabling import may_enable

MOST_ROLES = 12
_NAME = re.compile(r"[a-z0-9-]{1,20}")
_RESERVED = ("list", "remove", "default")
_DESCRIPTION_CHARS, _GIVEN_CHARS = 200, 40


class RolesCommands:
    """A server's roles."""

    services: Services

    @AgentsCommands.agents.command(name="role", with_app_command=False)
    @commands.guild_only()
    @asks(Act.ENABLE)
    async def agents_role(
        self, ctx: commands.GuildContext, name: str, agent: str = "", *, description: str = ""
    ) -> None:
        """Name agents that people may ask here besides the one that answers.

        `<name> <agent> <description>`: an agent that you may enable, by its id, and what it is
        for. `list` shows all of them, and `remove <name>` takes one away.
        """
        if name == "list":
            await self._list_roles(ctx)
        elif name == "remove":
            await self._remove_role(ctx, agent)
        else:
            await self._add_role(ctx, name, agent, " ".join(description.split()))

    async def _add_role(
        self, ctx: commands.GuildContext, name: str, agent_id: str, description: str
    ) -> None:
        settings, guild = self.services.settings, ctx.guild
        mine = settings.guild(guild.id).roles
        if not _NAME.fullmatch(name) or name in _RESERVED:
            await refuse(ctx, w.NO_NAME)
        elif settings.agent_for(guild.id) is None:
            await refuse(ctx, w.NOT_ON)
        elif not (agent_id and description):
            await refuse(ctx, w.WHICH_AGENT)
        elif name not in mine and len(mine) >= MOST_ROLES:
            await refuse(ctx, w.TOO_MANY(most=MOST_ROLES))
        elif await may_enable(ctx, self.services, guild, agent_id):
            found = await find_agent(ctx, self.services, agent_id)
            if found is None:
                return
            about = description[:_DESCRIPTION_CHARS]
            await settings.set_roles(guild.id, {**mine, name: [found.id, about]})
            shown = discord.utils.escape_markdown(about)
            said = w.ADDED(name=name, agent=inline(found.id), description=shown)
            await tell(ctx, said, allowed_mentions=discord.AllowedMentions.none())

    async def _remove_role(self, ctx: commands.GuildContext, name: str) -> None:
        settings = self.services.settings
        mine = settings.guild(ctx.guild.id).roles
        if name not in mine:
            names = ", ".join(map(inline, mine)) or say(w.NOBODY)
            given = inline(name[:_GIVEN_CHARS] or "?")
            await refuse(ctx, w.NO_SUCH_ROLE(name=given, names=names))
            return
        rest = {one: role for one, role in mine.items() if one != name}
        await settings.set_roles(ctx.guild.id, rest)
        self.services.queue.reconsider([ctx.guild.id])
        await tell(ctx, w.REMOVED(name=name))

    async def _list_roles(self, ctx: commands.GuildContext) -> None:
        roles = self.services.settings.guild(ctx.guild.id).roles
        lines = [
            say(w.ROLE(name=name, agent=inline(agent_id), description=_shown(about)))
            for name, (agent_id, about) in roles.items()
        ]
        said = shorten("\n".join(lines), 1900) or say(w.NONE_YET, await prefix_for(ctx))
        await ctx.send(said, allowed_mentions=discord.AllowedMentions.none())


def _shown(description: str) -> str:
    return discord.utils.escape_markdown(description[:_DESCRIPTION_CHARS])
