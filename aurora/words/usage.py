"""What `usage` says."""

from __future__ import annotations

from . import phrase as _

TITLE = _("Usage {where}, {days} days: {what}")
YOU = _("you")
AN_AGENT = _("agent {id}")
ALL_CHANNELS = _("all channels")
ALL_AGENTS = _("all agents")
ALL_TOGETHER = _("everybody")

IN_ALL = _("In all")
BY_AGENT = _("By agent")
BY_CHANNEL = _("By channel")
BY_MODEL = _("By model")
BY_DAY = _("By day (UTC)")
COLOURS = _("Tokens by day (UTC)")
LEGEND = _(
    "🟦 prompt · 🟪 prompt, from a cache · 🟧 written by the model · ? not told by the server"
)

NOTHING = _("My agent was asked nothing in these days.")
RUNS = _("runs: {count} (answered {answered}, failed {failed})")
TOKENS = _("tokens: {tokens} (prompt {prompt}, written {completion})")
TOKENS_CACHED = _(
    "tokens: {tokens} (prompt {prompt}, {cached} of them from a cache; written {completion})"
)
TOKENS_UNKNOWN = _("tokens: unknown")
UNKNOWN = _("runs of which the server did not tell all tokens: {count}. What it told is counted.")
TIME = _("the agent's time: {time}, {each} a run")
MONEY = _("money: about {amount}, an estimate by the prices that the bot's owner has set")
UNPRICED = _("runs of models without a price, which are not in it: {count}")
LINE = _("runs: {runs} · tokens: {tokens}")

FOR_MANAGERS = _(
    "What others use is for those who may manage this server, and in a direct message for the "
    "bot's owner. `[p]aurora usage me` shows what you use."
)
NOT_SO_MANY = _("That takes 1 to {most} days. Nothing older is kept.")
WHICH_USER = _("Which user? Name one behind `user`: by a mention, an id or a name.")
WHICH_CHANNEL = _("I know no such channel. Name one by a mention, an id or a name.")
