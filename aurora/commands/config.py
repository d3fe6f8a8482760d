"""`[p]aurora config`: what a server's admins, and for DMs the owner, decide."""

from collections.abc import Iterator
from typing import Any, Literal, Optional

import discord
from discord import app_commands
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

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
    RULES,
    SettingError,
    Settings,
    parse,
    typed,
)
from ..words import config as w
from ..words import in_order, say
from ..words.memory import ROLE_VALUES
from ..words.settings import HELP
from ..words.silence import VALUES as SILENCE_VALUES
from .agents import find_agent, warnings_about
from .alerting import set_alerts, set_webhook
from .asking import refuse, tell, working
from .audience import Action, pairs_in_words, set_audience
from .calling import calling_rows
from .choosing import choose_tools, set_tool, show_tools
from .memory import choose_role
from .overview import show_commands
from .previews import change_hosts
from .rows import Row, show_rows
from .scope import guild_of
from .setup import SetupCommands

_LISTS = ("channels", "roles", "users")
_OTHERS = {
    "tools": w.OWN_COMMAND,
    "alerts": w.OWN_COMMAND,
    "audience": w.OWN_COMMAND,
    "embedhosts": w.OWN_COMMAND,
    "silence": w.OWN_COMMAND,
    "files": w.OWNERS_COMMAND,
    "retention": w.OWNERS_COMMAND,
    "alertwebhook": w.OWNERS_COMMAND,
    **dict.fromkeys(_LISTS, w.OWN_COMMAND),
    **dict.fromkeys(("replies", "ignoreprefixes", "mentionrole", "wakeword"), w.OWN_COMMAND),
    **dict.fromkeys(("memory", "trustbot"), w.OWNERS_COMMAND_THERE),
}
_TOOLS_OF = (AURORAS_TOOLS, MCP_TOOLS)


def _setting(group: commands.Group, key: str) -> Any:
    """Make the command of one setting; what it says of itself comes from settings.py."""
    rule = RULES[key]

    async def change(self: "ConfigCommands", ctx: commands.GuildContext, value: str) -> None:
        await _change(self.services, ctx, ctx.guild, rule.command, value)

    told = HELP(help=rule.help, values=rule.values)
    # Red looks for a docstring before it asks the translator.
    change.__doc__ = str(told)
    # discord.py takes a function for a method only if it looks like one.
    change.__qualname__ = f"ConfigCommands.{rule.command}"
    guarded = asks(Act.CONFIGURE)(commands.guild_only()(change))
    # Given like this, it is kept by the copies that the cog makes of its commands.
    made = group.command(
        name=rule.command, with_app_command=False, i18n=lambda _english: say(told)
    )
    return made(guarded)


class ConfigCommands:
    """The settings of a server, and those of direct messages."""

    services: Services

    @SetupCommands.aurora.group(name="config", autohelp=False)
    async def config(self, ctx: commands.Context) -> None:
        """Change how Aurora works in this server, or in direct messages."""
        await show_commands(ctx)

    config_replydepth = _setting(config, "reply_thread_depth")
    config_typing = _setting(config, "enable_typing_indicator")
    config_ratelimit = _setting(config, "rate_limit_seconds")
    config_queuesize = _setting(config, "max_queue_size")
    config_userqueue = _setting(config, "user_queue_size")
    config_timeout = _setting(config, "agent_timeout")
    config_mcpguidance = _setting(config, "mcp_guidance_enabled")
    config_fallback = _setting(config, "deliver_text")
    config_answer = _setting(config, "answer_way")
    config_coalesce = _setting(config, "coalesce_messages")
    config_debounce = _setting(config, "debounce_seconds")
    config_messages = _setting(config, "messages")
    config_steps = _setting(config, "max_steps")

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
            await _change(self.services, ctx, ctx.guild, f"{BUDGET} {what}", value)
            return
        rows = _rows(self.services.settings, ctx.guild.id)
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
        await _change(self.services, ctx, ctx.guild, "userlimit", f"{per_minute} {per_hour}")

    config_invites = _setting(config, "allow_invites")
    config_botturns = _setting(config, "bot_turns")

    @config.command(name="set")
    @app_commands.choices(
        setting=[app_commands.Choice(name=name, value=name) for name in KEYS],
    )
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
        await _change(self.services, ctx, guild, setting, value)

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
        await show_rows(ctx, _rows(self.services.settings, guild.id), " ".join(said))

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


async def _change(
    services: Services, ctx: commands.Context, guild: discord.Guild, command: str, value: str
) -> None:
    """Set one setting of a server and say what it is now."""
    key = KEYS.get(command.lower())
    if key is None and (other := _OTHERS.get(command.lower())) is not None:
        await refuse(ctx, other(name=command.lower()))
        return
    if key is None:
        await refuse(ctx, w.NO_SETTING(name=inline(command[:50]), names=", ".join(KEYS)))
        return
    try:
        parsed = parse(key, value)
        await services.change_guild(guild.id, **{key: parsed})
    except SettingError as error:
        await refuse(ctx, error.phrase)
        return
    await tell(ctx, w.SET(name=command.lower(), value=typed(parsed)))


def _rows(settings: Settings, guild_id: int) -> Iterator[Row]:
    """Yield the name of each setting, its value in a guild, and what values it takes."""
    mine, world = settings.guild(guild_id), settings.world
    yield "agent", settings.agent_for(guild_id) or say(w.NOT_ENABLED), None
    tools = w.TOOLS_VALUES(one=AURORAS_TOOLS, other=MCP_TOOLS)
    yield "tools", mine.discord_tools, tools
    alerts = mine.alert_channel_id is not None
    yield "alerts", typed(alerts), w.ALERTS_VALUES(off="off")
    loosened = len(settings.loosened(guild_id))
    audience = say(w.PAIRS_OFF(count=loosened)) if loosened else "block"
    yield "audience", audience, w.AUDIENCE_VALUES(one="block", other="off")
    memory = mine.memory_role_id is not None
    yield "memory", typed(memory), ROLE_VALUES(off="off")
    yield "embedhosts", str(len(mine.embed_hosts)), w.HOSTS_VALUES
    yield "silence", str(len(mine.silence_words)), SILENCE_VALUES
    yield from calling_rows(mine)
    for key, rule in RULES.items():
        yield rule.command, typed(getattr(mine, key)), rule.values
    for kind in _LISTS:
        any_listed = getattr(mine, f"{kind}_allowed") or getattr(mine, f"{kind}_denied")
        yield kind, typed(bool(any_listed)), w.ACCESS_VALUES
    retention = w.RETENTION_VALUES(lowest=7, highest=365)
    yield "retention", typed(world.retention_days), retention
    webhook = world.alert_webhook is not None
    yield "alertwebhook", typed(webhook), w.WEBHOOK_VALUES(off="off")
