"""`[p]aurora config`: what a server's admins, and for DMs the owner, decide."""

from typing import Literal, Optional

import discord
from discord import app_commands
from redbot.core import commands

from ..guard.invoking import asks, ensure
from ..guard.policy import Act
from ..reasons import Reason
from ..runs.cancelling import in_guild
from ..services import Services
from ..settings import (
    AURORAS_TOOLS,
    BUDGET,
    KEYS,
    MCP_TOOLS,
)
from ..words import config as w
from ..words import in_order, say
from .agents import find_agent, warnings_about
from .alerting import set_alerts, set_webhook
from .asking import refuse, tell, working
from .audience import Action, pairs_in_words, set_audience
from .choosing import choose_tools, set_tool, show_tools
from .memory import choose_role
from .overview import show_commands
from .previews import change_hosts
from .rows import show_rows
from .scope import guild_of
from .settings import change_setting, setting, setting_rows, world_setting
from .setup import SetupCommands

_TOOLS_OF = (AURORAS_TOOLS, MCP_TOOLS)


class ConfigCommands:
    """The settings of a server, and those of direct messages."""

    services: Services

    @SetupCommands.aurora.group(name="config", autohelp=False)
    async def config(self, ctx: commands.Context) -> None:
        """Change how Aurora works in this server, or in direct messages."""
        await show_commands(ctx)

    config_replydepth = setting(config, "reply_thread_depth")
    config_typing = setting(config, "enable_typing_indicator")
    config_progress = setting(config, "progress")
    config_ratelimit = setting(config, "rate_limit_seconds")
    config_queuesize = setting(config, "max_queue_size")
    config_userqueue = setting(config, "user_queue_size")
    config_userruns = setting(config, "user_runs")
    config_guildruns = world_setting(config, "guild_runs")
    config_globalruns = world_setting(config, "global_runs")
    config_timeout = setting(config, "agent_timeout")
    config_mcpguidance = setting(config, "mcp_guidance_enabled")
    config_fallback = setting(config, "deliver_text")
    config_answer = setting(config, "answer_way")
    config_coalesce = setting(config, "coalesce_messages")
    config_debounce = setting(config, "debounce_seconds")
    config_messages = setting(config, "messages")
    config_steps = setting(config, "max_steps")
    config_router = setting(config, "router")

    @config.command(name="budget", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_budget(
        self,
        ctx: commands.GuildContext,
        what: Optional[str] = None,  # noqa: UP045 - as below
        value: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Show or change what one run of the agent may do.

        `[what]` is what the list names after `budget`, `[value]` how much of it. Over it the agent
        is told; past twice as much its run is stopped.
        """
        if what is not None and value is not None:
            await change_setting(self.services, ctx, ctx.guild, f"{BUDGET} {what}", value)
            return
        rows = setting_rows(self.services.settings, ctx.guild.id)
        mine = (row for row in rows if row[0].startswith(BUDGET))
        await show_rows(ctx, mine, say(w.CHANGE_BUDGET, ctx.clean_prefix))

    @config.command(name="userlimit", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_userlimit(
        self, ctx: commands.GuildContext, per_minute: str, per_hour: str = ""
    ) -> None:
        """Bound how often one person is answered in this server.

        `<per_minute>` and `[per_hour]`: 1 to 1000 times each; or `off` alone. Messages that are
        answered together count once.
        """
        await change_setting(
            self.services, ctx, ctx.guild, "userlimit", f"{per_minute} {per_hour}"
        )

    config_schedules = setting(config, "schedules_enabled")
    config_invites = setting(config, "allow_invites")
    config_botturns = setting(config, "bot_turns")

    @config.command(name="set")
    @asks(Act.CONFIGURE)
    async def config_set(
        self,
        ctx: commands.Context,
        setting: str,
        value: str,
        *,
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        server: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Change any setting of this server.

        `<setting>` is a name that `[p]aurora config show` lists with its values. What else it
        lists has a command of its own. `[server]`: the id or name of another server, for the bot's
        owner.
        """
        if setting.lower() == BUDGET:
            # As it is typed; chosen in a slash command it is one word.
            setting = f"{setting} {value}"
            value, _, server = (server or "").partition(" ")
        guild = await guild_of(ctx, server or None)
        await change_setting(self.services, ctx, guild, setting, value)

    @config_set.autocomplete("setting")
    async def config_set_settings(
        self,
        _interaction: discord.Interaction,
        typed: str,
    ) -> list[app_commands.Choice[str]]:
        """Offer the settings whose names hold what is typed; Discord shows 25."""
        found = [name for name in KEYS if typed.lower() in name]
        return [app_commands.Choice(name=name, value=name) for name in found[:25]]

    @config.command(name="show")
    @asks(Act.LIST)
    async def config_show(
        self,
        ctx: commands.Context,
        *,
        server: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Show the settings of this server, and what values they take.

        `[server]`: the id or name of another server, for the bot's owner.
        """
        guild = await guild_of(ctx, server)
        # The only hint at a slash command: the others may not have been synced.
        prefix = ctx.clean_prefix
        if guild != ctx.guild:
            change = w.CHANGE_ONE_THERE(server=guild.id)
        else:
            change = w.CHANGE_ONE(command="config set" if ctx.interaction else "config")
        said = [say(change, prefix)]
        if (alerts := self.services.settings.guild(guild.id).alert_channel_id) is not None:
            said.append(say(w.ALERTS_GO_TO(channel=f"<#{alerts}>")))
        pairs = pairs_in_words(guild, self.services.settings.loosened(guild.id))
        if pairs is not None:
            said.append(say(pairs))
        await show_rows(ctx, setting_rows(self.services.settings, guild.id), " ".join(said))

    @config.command(name="alerts", with_app_command=False)
    @commands.guild_only()
    @asks(Act.ALERT)
    async def config_alerts(self, ctx: commands.GuildContext, *, channel: str) -> None:
        """Tell a channel when this server's agent fails, and when it answers again.

        `<channel>`: one that you can see and I may write in, or `off`.
        """
        await set_alerts(ctx, self.services, channel)

    @config.command(name="audience", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_audience(
        self,
        ctx: commands.GuildContext,
        action: Action = "show",
        source: str = "",
        place: str = "",
    ) -> None:
        """Choose what the agent may carry to people who could not read it where it comes from.

        `off <from> <to>`: anything from the one place to the other, both of which you can see.
        `block <from> <to>` takes that back, and `block` alone all of it: then nothing is carried.
        """
        await set_audience(ctx, self.services, action, source, place)

    @config.command(name="embedhosts", with_app_command=False)
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_embedhosts(
        self,
        ctx: commands.GuildContext,
        action: Literal["add", "remove", "clear", "show"] = "show",
        host: str = "",
    ) -> None:
        """List hosts whose links are previewed, whoever made them up.

        `<host>`: such as `example.com`; what is below it is meant, too. Discord asks a host for
        each preview, so list none that could tell of it to people you do not trust.
        """
        await change_hosts(ctx, self.services, action, host)

    @config.command(name="alertwebhook", with_app_command=False)
    @asks(Act.GOVERN)
    async def config_alertwebhook(self, ctx: commands.Context, *, url: str) -> None:
        """Send what you are alerted of to a webhook of Discord's, too.

        `<url>`: its address, best sent in a direct message, for it is a secret; or `off`.
        """
        await set_webhook(ctx, self.services, url)

    @config.command(name="memory", with_app_command=False)
    @commands.guild_only()
    @asks(Act.GOVERN)
    async def config_memory(
        self,
        ctx: commands.GuildContext,
        what: Literal["role"],  # noqa: ARG002 - there is no other yet
        *,
        role: Optional[str] = None,  # noqa: UP045 - as above
    ) -> None:
        """Choose who besides you may have the agent change memory files for all places.

        `<what>`: `role`. `[role]`: a role of this server, or `off`; without it you see which it
        is. Files in the root of its memory stand in the agent's system prompt everywhere.
        """
        await choose_role(ctx, self.services, role)

    @config.command(name="retention", with_app_command=False)
    @asks(Act.GOVERN)
    async def config_retention(
        self, ctx: commands.Context, days: commands.Range[int, 7, 365]
    ) -> None:
        """Choose how long it stays known what became of a message.

        `<days>`: 7 to 365. Texts are erased as soon as a message has been dealt with.
        """
        await self.services.settings.set_world(retention_days=days)
        await tell(ctx, w.RETENTION_SET(days=days))

    @config.command(name="tools")
    @commands.guild_only()
    @asks(Act.CONFIGURE)
    async def config_tools(
        self,
        ctx: commands.GuildContext,
        which: Literal["show", "set", "aurora", "mcp"] = "show",
        tool: str = "",
        value: str = "",
    ) -> None:
        """Choose which Discord tools agents use in this server.

        `show`, `set <tool> <allow or off>`: single ones of Aurora's. For the bot's owner:
        `aurora`, Aurora's guarded ones, or `mcp`, the agent's own `mcp-discord`, watched only.
        """
        if which in _TOOLS_OF:
            await ensure(ctx, Act.GOVERN)
            await choose_tools(ctx, self.services, which)
        elif which == "set":
            await set_tool(ctx, self.services, tool, value)
        else:
            await show_tools(ctx, self.services)

    @config.command(name="dm")
    @asks(Act.GOVERN)
    async def config_dm(
        self,
        ctx: commands.Context,
        action: Literal["on", "off", "agent", "show"] = "show",
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        agent_id: Optional[str] = None,  # noqa: UP045
    ) -> None:
        """Decide about direct messages.

        `on` and `off` switch them; `agent <id>` chooses who answers them, for no server's agent
        does by itself.
        """
        settings, chosen = self.services.settings, None
        if action == "agent":
            if agent_id is None:
                await refuse(ctx, w.WHICH_AGENT)
                return
            chosen = await find_agent(ctx, self.services, agent_id)
            if chosen is None:
                return
            await settings.set_world(dm_agent_id=chosen.id)
        elif action != "show":
            async with working(ctx):
                await settings.set_world(enable_dm_responses=action == "on")
                if action == "off":
                    await self.services.cancelling.cancel(in_guild(None), Reason.DISABLED)
        self.services.queue.reconsider()
        on, agent_id = settings.world.enable_dm_responses, settings.world.dm_agent_id
        if agent_id is None:
            await tell(ctx, w.DMS_ON_NOBODY if on else w.DMS_OFF_NOBODY)
            return
        said = (w.DMS_ON if on else w.DMS_OFF)(agent=f"`{agent_id}`")
        warnings = () if chosen is None else warnings_about(self.services, chosen)
        await tell(ctx, in_order(said, *warnings))
