"""Every setting, once: key, default, range, scope and help; all else derives from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from ..words import settings as w
from .rules import Rule, TurnLimit, setting

AURORAS_TOOLS = "aurora"
"""Agents get Aurora's guarded Discord tools."""
MCP_TOOLS = "mcp"
"""Agents use Discord tools of their own, and Aurora watches; the owner alone may set this."""
BY_TOOL, BY_TEXT = "tool", "text"
"""How agents answer: with discord_send, or with the text that they end with."""

COMPLEXITY: Mapping[str, int] = {"simple": 10, "medium": 20, "complex": 35}
"""How many steps a task takes, by how hard it is."""
LIGHT, NORMAL, STRONG = MODELS = ("light", "normal", "strong")
"""The models that the owner may name, from weak to strong."""

NO_PROGRESS, QUIET, EVERY_TOOL = "off", "quiet", "tools"
"""What a run shows of itself: nothing but typing, one line, or one with all that it has called."""

TO_AGENT, TO_ANY = "agent", "any"
"""Which replies count: those to what was posted for the agent, or to anything of the bot's."""
PREFIXES = (
    *("!", "?", ".", "-", "$", "+", ";", "~", ">", "%", "&"),
    *("!!", "??", ";;", ">>", "--", "*!", "pk;", "tul!"),
)
"""How commands of well-known bots begin; `*` stands for one or two letters."""


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """What each guild decides for itself. A DM goes by the defaults."""

    agent_id: str | None = None
    enabled: bool = False
    discord_tools: str = AURORAS_TOOLS
    tools_chosen: Mapping[str, str] = field(default_factory=dict)
    """What admins have decided about single tools, by their names; see `tools/choice.py`."""
    reply_thread_depth: int = setting(5, Rule("replydepth", w.REPLYDEPTH, w.MESSAGES, 1, 10))
    enable_typing_indicator: bool = setting(True, Rule("typing", w.TYPING))
    progress: str = setting(
        QUIET, Rule("progress", w.PROGRESS, words=(NO_PROGRESS, QUIET, EVERY_TOOL))
    )
    rate_limit_seconds: float = setting(2.0, Rule("ratelimit", w.RATELIMIT, w.SECONDS, 0.5, 10))
    max_queue_size: int = setting(50, Rule("queuesize", w.QUEUESIZE, w.EVENTS, 10, 1000))
    user_queue_size: int = setting(5, Rule("userqueue", w.USERQUEUE, w.EVENTS, 1, 50))
    user_limit: TurnLimit = setting(  # noqa: RUF009 - as the others; a tuple can't change
        TurnLimit(6, 60), Rule("userlimit", w.USERLIMIT, w.TURNS, 1, 1000)
    )
    user_runs: int = setting(3, Rule("userruns", w.USERRUNS, w.RUNS, 1, 10))
    agent_timeout: int = setting(60, Rule("timeout", w.TIMEOUT, w.SECONDS, 10, 300))
    mcp_guidance_enabled: bool = setting(True, Rule("mcpguidance", w.MCPGUIDANCE))
    deliver_text: bool = setting(True, Rule("fallback", w.FALLBACK))
    answer_way: str = setting(BY_TOOL, Rule("answer", w.ANSWER, words=(BY_TOOL, BY_TEXT)))
    coalesce_messages: bool = setting(True, Rule("coalesce", w.COALESCE))
    debounce_seconds: float = setting(0.0, Rule("debounce", w.DEBOUNCE, w.SECONDS, 0, 10))
    messages: int = setting(5, Rule("messages", w.TEXTS_HERE, w.TEXTS, 1, 10))
    max_steps: int = setting(20, Rule("steps", w.STEPS, w.MODEL_CALLS, 3, 50, named=COMPLEXITY))
    budget_calls: int = setting(50, Rule("budget calls", w.CALLS, w.TOOL_CALLS, 5, 200))
    budget_reads: int = setting(10, Rule("budget reads", w.READS, w.TOOL_CALLS, 1, 50))
    budget_reactions: int = setting(5, Rule("budget reactions", w.REACTIONS, w.EMOJIS, 1, 20))
    budget_messages: int = setting(12, Rule("budget messages", w.PARTS, w.MESSAGES, 1, 30))
    budget_places: int = setting(2, Rule("budget places", w.PLACES, w.CHANNELS, 0, 10))
    budget_ids: int = setting(5, Rule("budget ids", w.UNKNOWN_IDS, w.IDS, 1, 50))
    budget_tokens: int = setting(
        200_000, Rule("budget tokens", w.TOKENS, w.TOKENS_UNIT, 10_000, 500_000)
    )
    allow_invites: bool = setting(False, Rule("invites", w.INVITES))
    router: bool = setting(False, Rule("router", w.ROUTER))
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Who besides the server's agent answers: agents and what they are for, by their names."""
    role_places: Mapping[str, str] = field(default_factory=dict)
    """Where one of them answers unless another is named, by ids of channels and threads."""
    prefixes_ignored: Sequence[str] = PREFIXES
    """How commands of other bots begin."""
    replies: str = TO_AGENT
    mention_role_id: int | None = None
    wake_word: str | None = None
    bots_trusted: Sequence[int] = ()
    """Bots that may ask; the owner decides, as of webhooks."""
    webhooks_trusted: Sequence[int] = ()
    bot_turns: int = setting(3, Rule("botturns", w.BOTTURNS, w.TURNS_UNIT, 1, 50))
    embed_hosts: Sequence[str] = ()
    silence_words: Sequence[str] = ()
    schedules_enabled: bool = setting(False, Rule("schedules", w.SCHEDULES))
    timezone: str = "UTC"
    """By an IANA name: schedules and quiet hours go by its clocks."""
    quiet_hours: Sequence[int] = (0, 0)
    """From which hour of the day to which nothing is posted unasked; equal ones are none."""
    alert_channel_id: int | None = None
    # Pairs of places, [from, to].
    audience_off: Sequence[Sequence[int]] = field(default_factory=list)
    memory_role_id: int | None = None
    paused_since: float | None = None
    agents_allowed: Sequence[str] = ()
    """The agents that the guild's admins may enable, which the bot's owner decides."""
    enabled_by_right: bool = False
    """Whether its agent was enabled by an admin, and not by the bot's owner."""
    channels_allowed: Sequence[int] = ()
    channels_denied: Sequence[int] = ()
    roles_allowed: Sequence[int] = ()
    roles_denied: Sequence[int] = ()
    users_allowed: Sequence[int] = ()
    users_denied: Sequence[int] = ()

    @property
    def by_text(self) -> bool:
        """Whether the agent's text is its answer, and its tool is for other places."""
        return self.answer_way == BY_TEXT


@dataclass(frozen=True, slots=True)
class GlobalSettings:
    """What the bot's owner decides."""

    letta_base_url: str | None = None
    token_in_clear_allowed: bool = False
    enable_dm_responses: bool = True
    dm_agent_id: str | None = None
    alert_webhook: str | None = field(default=None, repr=False)
    paused_since: float | None = None
    retention_days: int = 30
    guild_runs: int = setting(8, Rule("guildruns", w.GUILDRUNS, w.RUNS, 1, 64))
    global_runs: int = setting(64, Rule("globalruns", w.GLOBALRUNS, w.RUNS, 1, 256))
    tools_allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The tools of their own that agents may run with, by agent, in exactly these names."""
    prices: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """What a million tokens cost, by the model's handle: of the prompt, of what the model writes,
    and of a prompt that was cached. The owner sets them; none are known by themselves."""
    systems_kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The system prompts that agents had before they got a short one, by agent."""
    router_agent_id: str | None = None
    """The agent that routes messages, on a server where nothing does without one."""
    models: Mapping[str, str] = field(default_factory=dict)
    """The handles of the models that are used, by those of MODELS that were chosen."""


def _rule(one: Field[Any]) -> Rule | None:
    return one.metadata.get("rule")


def _rules(kind: type[GuildSettings | GlobalSettings]) -> Mapping[str, Rule]:
    return {one.name: rule for one in fields(kind) if (rule := _rule(one)) is not None}


RULES = _rules(GuildSettings)
"""The settings a guild's admins may change, by Config key."""

WORLD_RULES = _rules(GlobalSettings)
"""Those of all guilds that the bot's owner may change, by Config key."""

BUDGET = "budget"
"""The command that leads the settings of what one run may do: `budget calls` and so on."""

KEYS: Mapping[str, str] = {rule.command: key for key, rule in RULES.items()}
"""Config keys by the name a setting has in `config`."""

GUILD_DEFAULTS: Mapping[str, Any] = asdict(GuildSettings())
GLOBAL_DEFAULTS: Mapping[str, Any] = asdict(GlobalSettings())
