"""What the commands of settings share: making one, changing one, showing all."""

from collections.abc import Iterator
from typing import Any

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..guard.invoking import asks
from ..guard.policy import Act
from ..services import Services
from ..settings import (
    AURORAS_TOOLS,
    KEYS,
    MCP_TOOLS,
    RULES,
    WORLD_RULES,
    Rule,
    SettingError,
    Settings,
    parse,
    typed,
)
from ..words import config as w
from ..words import say
from ..words.memory import ROLE_VALUES
from ..words.models import VALUES as MODEL_VALUES
from ..words.settings import HELP
from ..words.silence import VALUES as SILENCE_VALUES
from .asking import refuse, tell
from .calling import calling_rows
from .clocks import clock_rows
from .rows import Row

_LISTS = ("channels", "roles", "users")
_OTHERS = {
    "tools": w.OWN_COMMAND,
    "alerts": w.OWN_COMMAND,
    "audience": w.OWN_COMMAND,
    "embedhosts": w.OWN_COMMAND,
    "silence": w.OWN_COMMAND,
    "files": w.OWNERS_COMMAND,
    "retention": w.OWNERS_COMMAND,
    "models": w.OWNERS_COMMAND,
    "alertwebhook": w.OWNERS_COMMAND,
    **{rule.command: w.OWNERS_COMMAND for rule in WORLD_RULES.values()},
    **dict.fromkeys(_LISTS, w.OWN_COMMAND),
    **dict.fromkeys(
        ("replies", "ignoreprefixes", "mentionrole", "wakeword", "timezone", "quiethours"),
        w.OWN_COMMAND,
    ),
    **dict.fromkeys(("memory", "trustbot"), w.OWNERS_COMMAND_THERE),
}


def setting(group: commands.Group, key: str) -> Any:
    """Make the command of one setting; what it says of itself comes from settings.py."""
    rule = RULES[key]

    async def change(self: Any, ctx: commands.GuildContext, value: str) -> None:
        await change_setting(self.services, ctx, ctx.guild, rule.command, value)

    return _made(group, rule, asks(Act.CONFIGURE)(commands.guild_only()(change)))


def world_setting(group: commands.Group, key: str) -> Any:
    """Make the command of a setting that holds for all servers, for the bot's owner."""
    rule = WORLD_RULES[key]

    async def change(self: Any, ctx: commands.Context, value: str) -> None:
        try:
            parsed = parse(key, value)
        except SettingError as error:
            await refuse(ctx, error.phrase)
            return
        await self.services.settings.set_world(**{key: parsed})
        self.services.queue.reconsider()
        await tell(ctx, w.SET(name=rule.command, value=typed(parsed)))

    return _made(group, rule, asks(Act.GOVERN)(change))


def _made(group: commands.Group, rule: Rule, change: Any) -> Any:
    told = HELP(help=rule.help, values=rule.values)
    # Red looks for a docstring before it asks the translator.
    change.__doc__ = str(told)
    # discord.py takes a function for a method only if it looks like one.
    change.__qualname__ = f"Commands.{rule.command}"
    # Given like this, it is kept by the copies that the cog makes of its commands.
    made = group.command(
        name=rule.command, with_app_command=False, i18n=lambda _english: say(told)
    )
    return made(change)


async def change_setting(
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


def setting_rows(settings: Settings, guild_id: int) -> Iterator[Row]:
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
    yield from clock_rows(mine)
    for key, rule in RULES.items():
        yield rule.command, typed(getattr(mine, key)), rule.values
    for kind in _LISTS:
        any_listed = getattr(mine, f"{kind}_allowed") or getattr(mine, f"{kind}_denied")
        yield kind, typed(bool(any_listed)), w.ACCESS_VALUES
    for key, rule in WORLD_RULES.items():
        yield rule.command, typed(getattr(world, key)), rule.values
    yield "models", str(len(world.models)), MODEL_VALUES
    retention = w.RETENTION_VALUES(lowest=7, highest=365)
    yield "retention", typed(world.retention_days), retention
    webhook = world.alert_webhook is not None
    yield "alertwebhook", typed(webhook), w.WEBHOOK_VALUES(off="off")
