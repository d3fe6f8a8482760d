"""Every setting, once: key, default, range, scope and help; all else derives from here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple, Protocol

from .reasons import ExplainedError
from .words import Phrase
from .words import settings as w

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True, "enable": True, "enabled": True,
    "off": False, "false": False, "no": False, "0": False, "disable": False, "disabled": False,
}  # fmt: skip


AURORAS_TOOLS = "aurora"
"""Agents get Aurora's guarded Discord tools."""
MCP_TOOLS = "mcp"
"""Agents use Discord tools of their own, and Aurora watches; the owner alone may set this."""
BY_TOOL, BY_TEXT = "tool", "text"
"""How agents answer: with discord_send, or with the text that they end with."""


TO_AGENT, TO_ANY = "agent", "any"
"""Which replies count: those to what was posted for the agent, or to anything of the bot's."""
PREFIXES = (
    *("!", "?", ".", "-", "$", "+", ";", "~", ">", "%", "&"),
    *("!!", "??", ";;", ">>", "--", "*!", "pk;", "tul!"),
)
"""How commands of well-known bots begin; `*` stands for one or two letters."""


class SettingError(ExplainedError):
    """A value that a setting does not take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person may do with a setting: its name in `config`, its range and what it is for."""

    command: str
    help: Phrase
    unit: Phrase | None = None
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, str] = ("on", "off")

    @property
    def values(self) -> Phrase:
        """Say what values it takes."""
        if self.minimum is None:
            one, other = self.words
            return w.EITHER(one=one, other=other)
        return w.SPAN(lowest=f"{self.minimum:g}", highest=f"{self.maximum:g}", unit=self.unit)


class TurnLimit(NamedTuple):
    """How many turns one person may have in a minute and in an hour; zeros are no limit."""

    minute: int
    hour: int

    def __str__(self) -> str:
        """Write it the way it is typed."""
        return f"{self.minute}/{self.hour}" if self != NO_LIMIT else "off"


NO_LIMIT = TurnLimit(0, 0)


def _setting(default: Any, rule: Rule) -> Any:
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """What each guild decides for itself. A DM goes by the defaults."""

    agent_id: str | None = None
    enabled: bool = False
    discord_tools: str = AURORAS_TOOLS
    tools_chosen: Mapping[str, str] = field(default_factory=dict)
    """What admins have decided about single tools, by their names; see `tools/choice.py`."""
    reply_thread_depth: int = _setting(5, Rule("replydepth", w.REPLYDEPTH, w.MESSAGES, 1, 10))
    enable_typing_indicator: bool = _setting(True, Rule("typing", w.TYPING))
    rate_limit_seconds: float = _setting(2.0, Rule("ratelimit", w.RATELIMIT, w.SECONDS, 0.5, 10))
    max_queue_size: int = _setting(50, Rule("queuesize", w.QUEUESIZE, w.EVENTS, 10, 1000))
    user_queue_size: int = _setting(5, Rule("userqueue", w.USERQUEUE, w.EVENTS, 1, 50))
    user_limit: TurnLimit = _setting(  # noqa: RUF009 - as the others; a tuple can't change
        TurnLimit(6, 60), Rule("userlimit", w.USERLIMIT, w.TURNS, 1, 1000)
    )
    agent_timeout: int = _setting(60, Rule("timeout", w.TIMEOUT, w.SECONDS, 10, 300))
    mcp_guidance_enabled: bool = _setting(True, Rule("mcpguidance", w.MCPGUIDANCE))
    deliver_text: bool = _setting(True, Rule("fallback", w.FALLBACK))
    answer_way: str = _setting(BY_TOOL, Rule("answer", w.ANSWER, words=(BY_TOOL, BY_TEXT)))
    coalesce_messages: bool = _setting(True, Rule("coalesce", w.COALESCE))
    debounce_seconds: float = _setting(0.0, Rule("debounce", w.DEBOUNCE, w.SECONDS, 0, 10))
    messages: int = _setting(5, Rule("messages", w.TEXTS_HERE, w.TEXTS, 1, 10))
    max_steps: int = _setting(20, Rule("steps", w.STEPS, w.MODEL_CALLS, 3, 50))
    budget_calls: int = _setting(50, Rule("budget calls", w.CALLS, w.TOOL_CALLS, 5, 200))
    budget_reads: int = _setting(10, Rule("budget reads", w.READS, w.TOOL_CALLS, 1, 50))
    budget_reactions: int = _setting(5, Rule("budget reactions", w.REACTIONS, w.EMOJIS, 1, 20))
    budget_messages: int = _setting(12, Rule("budget messages", w.PARTS, w.MESSAGES, 1, 30))
    budget_places: int = _setting(2, Rule("budget places", w.PLACES, w.CHANNELS, 0, 10))
    budget_ids: int = _setting(5, Rule("budget ids", w.UNKNOWN_IDS, w.IDS, 1, 50))
    budget_tokens: int = _setting(
        200_000, Rule("budget tokens", w.TOKENS, w.TOKENS_UNIT, 10_000, 500_000)
    )
    allow_invites: bool = _setting(False, Rule("invites", w.INVITES))
    prefixes_ignored: Sequence[str] = PREFIXES
    """How commands of other bots begin."""
    replies: str = TO_AGENT
    mention_role_id: int | None = None
    wake_word: str | None = None
    bots_trusted: Sequence[int] = ()
    """Bots that may ask; the owner decides, as of webhooks."""
    webhooks_trusted: Sequence[int] = ()
    bot_turns: int = _setting(3, Rule("botturns", w.BOTTURNS, w.TURNS_UNIT, 1, 50))
    embed_hosts: Sequence[str] = ()
    silence_words: Sequence[str] = ()
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
    tools_allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The tools of their own that agents may run with, by agent, in exactly these names."""
    systems_kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The system prompts that agents had before they got a short one, by agent."""


def _rule(one: Field[Any]) -> Rule | None:
    return one.metadata.get("rule")


RULES: Mapping[str, Rule] = {
    one.name: rule for one in fields(GuildSettings) if (rule := _rule(one)) is not None
}
"""The settings a guild's admins may change, by Config key."""

BUDGET = "budget"
"""The command that leads the settings of what one run may do: `budget calls` and so on."""

KEYS: Mapping[str, str] = {rule.command: key for key, rule in RULES.items()}
"""Config keys by the name a setting has in `config`."""

GUILD_DEFAULTS: Mapping[str, Any] = asdict(GuildSettings())
GLOBAL_DEFAULTS: Mapping[str, Any] = asdict(GlobalSettings())


def parse(key: str, text: str) -> bool | float | str | TurnLimit:
    """Read a setting's value as a person types it.

    Raises SettingError, which names the range, if the setting does not take it.
    """
    default, rule = GUILD_DEFAULTS[key], RULES[key]
    given = {"setting": rule.command, "values": rule.values, "given": text[:50]}
    if isinstance(default, bool):
        try:
            return _WORDS[text.strip().lower()]
        except KeyError:
            raise SettingError(w.NOT_EITHER(**given)) from None
    if isinstance(default, str):
        if (word := text.strip().lower()) in rule.words:
            return word
        raise SettingError(w.NOT_EITHER(**given))
    if isinstance(default, TurnLimit):
        return _turn_limit(text, rule, given)
    try:
        value: float = type(default)(text)
    except ValueError:
        kind = w.NO_WHOLE_NUMBER if isinstance(default, int) else w.NO_NUMBER
        raise SettingError(kind(**given)) from None
    _ensure_in_span(value, rule, given)
    return value


def _turn_limit(text: str, rule: Rule, given: Mapping[str, object]) -> TurnLimit:
    """Read two numbers, with a blank or a slash between them, or a word for off."""
    if _WORDS.get(text.strip().lower()) is False:
        return NO_LIMIT
    try:
        minute, hour = map(int, text.replace("/", " ").split())
    except ValueError:
        raise SettingError(w.NO_PAIR(**given)) from None
    for number in (minute, hour):
        _ensure_in_span(number, rule, given)
    return TurnLimit(minute, hour)


def _ensure_in_span(value: float, rule: Rule, given: Mapping[str, object]) -> None:
    # Written so that NaN, which compares false with everything, is refused too.
    if not (rule.minimum or 0) <= value <= (rule.maximum or 0):
        raise SettingError(w.NOT_IN_SPAN(**given))


def typed(value: object) -> str:
    """Write a value the way it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


class Keeper(Protocol):
    """Where settings are kept: Red's Config behind two calls."""

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        """Return the global values and each guild's."""
        ...

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        """Keep one value; guild None is the global scope."""
        ...


class Settings:
    """All settings in memory, written through; readers never wait."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._guilds: dict[int, GuildSettings] = {}
        # Made when it is asked for, and void when anything changes.
        self._guilds_of: Mapping[str | None, Sequence[int | None]] | None = None
        self.world = GlobalSettings()

    async def load(self) -> None:
        """Read everything that is kept; keys of other versions are ignored."""
        world, guilds = await self._keeper.load()
        self.world = GlobalSettings(**_known(GLOBAL_DEFAULTS, world))
        self._guilds = {
            guild_id: GuildSettings(**_known(GUILD_DEFAULTS, values))
            for guild_id, values in guilds.items()
        }
        self._guilds_of = None

    def guild(self, guild_id: int | None) -> GuildSettings:
        """Return a guild's settings; those of a DM (None) are the defaults."""
        return self._guilds.get(guild_id, _DEFAULTS) if guild_id is not None else _DEFAULTS

    def loosened(self, guild_id: int) -> frozenset[tuple[int, int]]:
        """Return the pairs of places, from and to, between which audiences are not compared."""
        return frozenset((one[0], one[1]) for one in self.guild(guild_id).audience_off)

    def agent_for(self, guild_id: int | None) -> str | None:
        """Return the agent that answers in a guild, or in DMs (None); None if there is none."""
        if guild_id is None:
            return self.world.dm_agent_id if self.world.enable_dm_responses else None
        mine = self.guild(guild_id)
        return mine.agent_id if mine.enabled else None

    def allowed_tools(self, agent_id: str) -> Sequence[str]:
        """Return the tools of its own that the bot's owner lets an agent run with."""
        return self.world.tools_allowed.get(agent_id, ())

    def agents_allowed(self) -> dict[int, Sequence[str]]:
        """Return the agents that admins may enable, by guild."""
        return {
            one: mine.agents_allowed for one, mine in self._guilds.items() if mine.agents_allowed
        }

    def guilds_that_list(self, user_id: int) -> list[int]:
        """Return the guilds whose access lists name a person."""
        return [
            guild_id
            for guild_id, mine in self._guilds.items()
            if user_id in mine.users_allowed or user_id in mine.users_denied
        ]

    def silence(self, guild_id: int | None) -> Sequence[str]:
        """Return the words by which a guild's agent says that it says nothing."""
        return self.guild(guild_id).silence_words

    def guilds_of(self, agent_id: str) -> Sequence[int | None]:
        """Return where an agent answers: guilds, and None for direct messages."""
        if self._guilds_of is None:
            found: dict[str | None, list[int | None]] = {}
            for guild_id in (None, *self._guilds):
                found.setdefault(self.agent_for(guild_id), []).append(guild_id)
            self._guilds_of = found
        return self._guilds_of.get(agent_id, ())

    def agents(self) -> set[str]:
        """Return all agents that are named anywhere, whether they answer now or not."""
        named = {mine.agent_id for mine in self._guilds.values()} | {self.world.dm_agent_id}
        return {agent_id for agent_id in named if agent_id is not None}

    def paused_since(self, guild_id: int | None) -> float | None:
        """Return since when nothing runs in a guild, or in DMs (None); None if it is not paused.

        In seconds since the epoch. A pause of the owner's is one everywhere.
        """
        world, mine = self.world.paused_since, self.guild(guild_id).paused_since
        if world is None or mine is None:
            return mine if world is None else world
        return min(world, mine)

    def paused_guilds(self) -> dict[int, float]:
        """Return the guilds that have a pause of their own, and since when."""
        since = {guild_id: mine.paused_since for guild_id, mine in self._guilds.items()}
        return {guild_id: at for guild_id, at in since.items() if at is not None}

    async def set_guild(self, guild_id: int, **values: Any) -> None:
        """Change a guild's settings; they apply at once and are kept.

        Raise SettingError, and change nothing, if agents' answers would reach nobody.
        """
        mine = replace(self.guild(guild_id), **values)
        if mine.by_text and not mine.deliver_text and values.keys() & _TEXT_SETTINGS:
            text_last = "answer_way" in values
            raise SettingError(w.TEXT_NOT_DELIVERED if text_last else w.TEXT_IS_THE_ANSWER)
        self._guilds[guild_id] = mine
        self._guilds_of = None
        for key, value in values.items():
            await self._keeper.save(guild_id, key, value)

    async def allow_tools(self, agent_id: str, names: Collection[str]) -> None:
        """Let an agent run with these tools of its own, too."""
        mine = sorted({*self.allowed_tools(agent_id), *names})
        await self.set_world(tools_allowed={**self.world.tools_allowed, agent_id: mine})

    async def set_world(self, **values: Any) -> None:
        """Change global settings; they apply at once and are kept."""
        self.world = replace(self.world, **values)
        self._guilds_of = None
        for key, value in values.items():
            await self._keeper.save(None, key, value)


_DEFAULTS = GuildSettings()
_TEXT_SETTINGS = {"answer_way", "deliver_text"}


def _known(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    # JSON knows no tuples.
    return {
        key: TurnLimit(*value) if isinstance(defaults[key], TurnLimit) else value
        for key, value in values.items()
        if key in defaults
    }
