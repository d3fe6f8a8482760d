"""`[p]aurora config` of what wakes the agent: replies, prefixes, a role, a nickname, bots."""

from typing import Literal, Optional

from redbot.core import commands

from ..guard.invoking import asks
from ..guard.policy import Act
from ..services import Services
from .calling import (
    change_prefixes,
    change_trusted,
    choose_mention_role,
    choose_replies,
    choose_wake_word,
)
from .config import ConfigCommands


class TriggerCommands:
    """What counts as a message to the agent in a server."""

    services: Services

    @ConfigCommands.config.command(name="replies", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_replies(
        self,
        ctx: commands.GuildContext,
        # discord.py reads the annotation at run time and knows Optional.
        which: Optional[Literal["agent", "any"]] = None,  # noqa: UP045
    ) -> None:
        """Choose which replies to the bot's messages are for the agent.

        `agent`: to what was posted for it, notices included. `any`: also to what other commands
        posted. A reply that mentions the bot in its text always is.
        """
        await choose_replies(ctx, self.services, which)

    @ConfigCommands.config.command(name="ignoreprefixes", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_ignoreprefixes(
        self,
        ctx: commands.GuildContext,
        action: Literal["add", "remove", "clear", "default", "show"] = "show",
        *,
        prefix: str = "",
    ) -> None:
        """List how commands of other bots begin, so that the agent leaves them alone.

        `<prefix>`: such as `?` or `t!`; `*!` is one or two letters and a `!`. It counts if a
        letter follows, and neither in replies nor in direct messages. `default` lists what
        well-known bots use.
        """
        await change_prefixes(ctx, self.services, action, prefix)

    @ConfigCommands.config.command(name="mentionrole", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_mentionrole(
        self,
        ctx: commands.GuildContext,
        *,
        role: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Let a mention of one of the bot's roles count as a mention of the bot.

        `[role]`: a role that the bot has, or `off`; without it you see which it is.
        """
        await choose_mention_role(ctx, self.services, role)

    @ConfigCommands.config.command(name="wakeword", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_wakeword(
        self,
        ctx: commands.GuildContext,
        *,
        nickname: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Let a nickname at the beginning of a message count as a mention of the bot.

        `[nickname]`: such as `Aurora`, however it is written, or `off`; without it you see which
        it is.
        """
        await choose_wake_word(ctx, self.services, nickname)

    @ConfigCommands.config.command(name="trustbot", with_app_command=False)
    @commands.guild_only()
    @asks(Act.GOVERN)
    async def config_trustbot(
        self,
        ctx: commands.GuildContext,
        action: Literal["add", "remove", "show"] = "show",
        *,
        bot: str = "",
    ) -> None:
        """Let another bot or a webhook ask the agent in this server.

        `<bot>`: a bot of this server, or a webhook's id. How often bots are answered in a channel
        between two messages of people is set with `botturns`. Whoever can make it say something
        can have the agent do it.
        """
        await change_trusted(ctx, self.services, action, bot)
