"""Settings: their values, what may be typed for them, and where they are asked for."""

from .keeping import Keeper, Settings
from .parsing import parse, typed
from .rules import NO_LIMIT, Rule, SettingError, TurnLimit
from .values import (
    AURORAS_TOOLS,
    BUDGET,
    BY_TEXT,
    BY_TOOL,
    EVERY_TOOL,
    GLOBAL_DEFAULTS,
    GUILD_DEFAULTS,
    KEYS,
    MCP_TOOLS,
    NO_PROGRESS,
    PREFIXES,
    QUIET,
    RULES,
    TO_AGENT,
    TO_ANY,
    WORLD_RULES,
    GlobalSettings,
    GuildSettings,
)

__all__ = [
    "AURORAS_TOOLS",
    "BUDGET",
    "BY_TEXT",
    "BY_TOOL",
    "EVERY_TOOL",
    "GLOBAL_DEFAULTS",
    "GUILD_DEFAULTS",
    "KEYS",
    "MCP_TOOLS",
    "NO_LIMIT",
    "NO_PROGRESS",
    "PREFIXES",
    "QUIET",
    "RULES",
    "TO_AGENT",
    "TO_ANY",
    "WORLD_RULES",
    "GlobalSettings",
    "GuildSettings",
    "Keeper",
    "Rule",
    "SettingError",
    "Settings",
    "TurnLimit",
    "parse",
    "typed",
]
