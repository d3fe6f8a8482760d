"""`[p]aurora config`: what a server's admins, and for DMs the owner, decide."""

from typing import Any, Literal, Optional

from discord import app_commands
from redbot.core import commands
from redbot.core.utils.chat_formatting import box, inline

from ..agents.protocol import ToolLister
from ..reasons import Reason
from ..runs.cancelling import in_guild
from ..services import Services
from ..settings import (
    AURORAS_TOOLS,
    KEYS,
    MCP_TOOLS,
    RULES,
    SettingError,
    parse,
)
from ..words import say
from ..words.settings import HELP
from .agents import find_agent
from .alerting import set_alerts, set_webhook
from .asking import working
from .helping import helped
from .setup import SetupCommands

_NO_OWN_TOOLS = (
    "Nothing was changed: agents can use Discord tools of their own only behind Letta's REST API. "
    "A Letta App Server lets them use what Aurora offers, and nothing else."
)
_OTHERS = ("tools", "alerts", "retention", "alertwebhook")
_TOOLS_SET = {
    AURORAS_TOOLS: "Done: agents in this server get Aurora's guarded Discord tools.",
    MCP_TOOLS: (
        "Done: agents in this server get no Discord tools of Aurora's; they use their own "
        "`mcp-discord`, and Aurora watches for the answer. Aurora can't guard what they do: that "
        "there is at most one answer, that nobody gets done what they may not do themselves and "
        "that nothing is shown in a wider place is **not promised** in this mode."
        "\n`mcp-discord` must log in as this bot, or Aurora will not see the answers as answers."
    ),
}


def _setting(group: commands.Group, key: str) -> Any:
    """Make the command of one setting; what it says of itself comes from settings.py."""
    rule = RULES[key]

    async def change(self: "ConfigCommands", ctx: commands.GuildContext, value: str) -> None:
        await _change(self.services, ctx, rule.command, value)

    # discord.py takes a function for a method only if it looks like one.
    change.__qualname__ = f"ConfigCommands.{rule.command}"
    guarded = commands.admin_or_permissions(manage_guild=True)(commands.guild_only()(change))
    made = group.command(name=rule.command, with_app_command=False)(guarded)
    return helped(made, HELP(help=rule.help, values=rule.values))


class ConfigCommands:
    """The settings of a server, and those of direct messages."""

    services: Services

    @SetupCommands.aurora.group(name="config")
    async def config(self, ctx: commands.Context) -> None:
        """Change how Aurora works in this server, or in direct messages."""

    config_replydepth = _setting(config, "reply_thread_depth")
    config_typing = _setting(config, "enable_typing_indicator")
    config_ratelimit = _setting(config, "rate_limit_seconds")
    config_queuesize = _setting(config, "max_queue_size")
    config_timeout = _setting(config, "agent_timeout")
    config_mcpguidance = _setting(config, "mcp_guidance_enabled")
    config_fallback = _setting(config, "deliver_text")
    config_coalesce = _setting(config, "coalesce_messages")

    @config.command(name="set")
    @app_commands.choices(
        setting=[app_commands.Choice(name=name, value=name) for name in KEYS],
    )
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def config_set(self, ctx: commands.GuildContext, setting: str, value: str) -> None:
        """Change any setting of this server.

        `<setting>` is a name that `[p]aurora config show` lists with its values. What else it
        lists has a command of its own.
        """
        await _change(self.services, ctx, setting, value)

    @config.command(name="show")
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def config_show(self, ctx: commands.GuildContext) -> None:
        """Show the settings of this server, and what values they take."""
        mine = self.services.settings.guild(ctx.guild.id)
        agent = self.services.settings.agent_for(ctx.guild.id)
        lines = [f"{'agent':<12} {agent or 'none: not enabled here'}"]
        lines.append(f"{'tools':<12} {mine.discord_tools:<4} (aurora or mcp, owner only)")
        alerts = mine.alert_channel_id
        lines.append(f"{'alerts':<12} {_shown(alerts is not None):<4} (a channel or off)")
        lines += [
            f"{rule.command:<12} {_shown(getattr(mine, key)):<4} ({say(rule.values)})"
            for key, rule in RULES.items()
        ]
        world = self.services.settings.world
        lines.append(f"{'retention':<12} {world.retention_days:<4} (7 to 365 days, owner only)")
        webhook = _shown(world.alert_webhook is not None)
        lines.append(f"{'alertwebhook':<12} {webhook:<4} (a webhook's address or off, owner only)")
        change = "config set" if ctx.interaction else "config"
        how = f"Change one with `{ctx.clean_prefix}aurora {change} <setting> <value>`."
        if alerts is not None:
            how += f" Alerts go to <#{alerts}>."
        await ctx.send(box("\n".join(lines)) + how)

    @config.command(name="alerts", with_app_command=False)
    @commands.guild_only()
    @commands.admin_or_permissions(manage_guild=True)
    async def config_alerts(self, ctx: commands.GuildContext, *, channel: str) -> None:
        """Tell a channel when this server's agent fails, and when it answers again.

        `<channel>`: one that you can see and I may write in, or `off`.
        """
        await set_alerts(ctx, self.services, channel)

    @config.command(name="alertwebhook", with_app_command=False)
    @commands.is_owner()
    async def config_alertwebhook(self, ctx: commands.Context, *, url: str) -> None:
        """Send what you are alerted of to a webhook of Discord's, too.

        `<url>`: its address, best sent in a direct message, for it is a secret; or `off`.
        """
        await set_webhook(ctx, self.services, url)

    @config.command(name="retention", with_app_command=False)
    @commands.is_owner()
    async def config_retention(
        self, ctx: commands.Context, days: commands.Range[int, 7, 365]
    ) -> None:
        """Choose how long it stays known what became of a message.

        `<days>`: 7 to 365. Texts are erased as soon as a message has been dealt with.
        """
        await self.services.settings.set_world(retention_days=days)
        await ctx.send(f"Done: what became of a message stays known for **{days} days**.")

    @config.command(name="tools")
    @commands.guild_only()
    @commands.is_owner()
    async def config_tools(
        self, ctx: commands.GuildContext, which: Literal["aurora", "mcp"]
    ) -> None:
        """Choose whose Discord tools agents use in this server.

        `aurora`: Aurora's guarded ones. `mcp`: the agent's own `mcp-discord`, and Aurora watches.
        """
        services, guild_id = self.services, ctx.guild.id
        if which == MCP_TOOLS and not isinstance(services.agents.backend, ToolLister):
            await ctx.send(_NO_OWN_TOOLS)
            return
        agent_id = services.settings.agent_for(guild_id)
        if (
            which == AURORAS_TOOLS
            and agent_id is not None
            and services.settings.guild(guild_id).discord_tools == MCP_TOOLS
            and await find_agent(ctx, services, agent_id) is None
        ):
            return
        await services.settings.set_guild(guild_id, discord_tools=which)
        await ctx.send(_TOOLS_SET[which])

    @config.command(name="dm")
    @commands.is_owner()
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
        settings = self.services.settings
        if action == "agent":
            if agent_id is None:
                await ctx.send(f"Which one? `{ctx.clean_prefix}aurora config dm agent <agent_id>`")
                return
            agent = await find_agent(ctx, self.services, agent_id)
            if agent is None:
                return
            await settings.set_world(dm_agent_id=agent.id)
        elif action != "show":
            async with working(ctx):
                await settings.set_world(enable_dm_responses=action == "on")
                if action == "off":
                    await self.services.cancelling.cancel(in_guild(None), Reason.DISABLED)
        self.services.queue.reconsider()
        world = settings.world
        await ctx.send(
            f"Direct messages are **{_shown(world.enable_dm_responses)}**, "
            f"answered by {f'`{world.dm_agent_id}`' if world.dm_agent_id else 'no agent yet'}."
        )


async def _change(
    services: Services, ctx: commands.GuildContext, command: str, value: str
) -> None:
    """Set one setting of this server and say what it is now."""
    key = KEYS.get(command.lower())
    if key is None and command.lower() in _OTHERS:
        await ctx.send(f"{inline(command)} has a command of its own: `config {command.lower()}`.")
        return
    if key is None:
        await ctx.send(f"{inline(command[:50])} is no setting. There are: {', '.join(KEYS)}.")
        return
    try:
        parsed = parse(key, value)
    except SettingError as error:
        await ctx.send(say(error.phrase))
        return
    await services.change_guild(ctx.guild.id, **{key: parsed})
    await ctx.send(f"Done: `{command.lower()}` is now **{_shown(parsed)}**.")


def _shown(value: object) -> str:
    """Write a value the way it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
