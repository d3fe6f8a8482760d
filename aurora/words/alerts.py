"""What the bot's owner and a server's admins are told without asking."""

from __future__ import annotations

from . import phrase as _

DOWN = _(
    "{what} since {since}. Messages are still accepted and wait: {waiting} now. I keep trying, "
    "and answer them in their order as soon as that works; who has waited a quarter of an hour is "
    "told to ask again. {todo}"
)
GUILD_DOWN = _("This server's agent can't answer")
GUILD_REMEDY = _("The bot's owner has been told. `[p]aurora events status` shows more.")
SERVER_DOWN = _("The Letta server at <{url}> can't be reached")
SERVER_REMEDY = _(
    "Check that it runs and that this machine can reach it. `[p]aurora events status` shows more."
)
AGENT_DOWN = _("The agent `{agent}` fails at everything it is asked")
AGENT_REMEDY = _(
    "Check its model and the log of the Letta server. `[p]aurora events status` shows more."
)

AGENT_LIMITED = _("The model's provider limits the agent `{agent}`")
LIMITED_REMEDY = _(
    "Check the limits of the account at the provider. `[p]aurora events status` shows more."
)

AGENT_TRIPPED = _(
    "**I stopped the agent `{agent}` in mid-run**: {detail}. It is not asked for a minute, and "
    "stopped again if that comes again. {todo}"
)

# The breaker closed because it answers, or by hand: this is true of both.
UP = _("{who} is in use again, after {after}. Messages that waited and go on: {waiting}.")
THE_GUILDS_AGENT = _("This server's agent")
THE_SERVER = _("The Letta server")
THE_AGENT = _("The agent `{agent}`")
THE_LIMITED = _("The provider of the agent `{agent}`")
SECONDS = _("{seconds} s")
MINUTES = _("{minutes} min {seconds} s")

TOO_MANY_ERRORS = _(
    "{errors} of the last {runs} runs failed, all within five minutes. "
    "`[p]aurora events errors` shows what went wrong."
)
NOT_STARTED = _("I could not start and answer nobody. {why} Then use `[p]reload aurora`.")
STANDING_BY = _(
    "I am standing by: another Aurora holds this folder. It answers, and I keep silent until it "
    "has ended; then I take over. If there should be one bot only, stop the other one."
)
SET_ASIDE = _(
    "The ledger could not be read, so messages that waited are not answered. The damaged file is "
    "kept as `{name}`; I have begun a new one. Look at the disk it is on, and delete the damaged "
    "file when you need it no more: it may hold what people wrote."
)

UNREAD = _(
    "While I was not connected, more was written than I catch up on, or too long ago, or Discord "
    "did not let me read it. These I have not read; who asked me something there must ask again:"
    "{spans}"
)
UNREAD_CHANNEL = _("{channel}, from {since} to {until}")
UNREAD_DM = _("a direct message, from {since} to {until}")
UNREAD_MORE = _("and {count} more channels")

RENEWED = _(
    "More people can read {channel} than before, and not all of them may read what my agent had "
    "read there from other places. So it talks in a new conversation there, and has forgotten "
    "what was said; its memory is untouched."
)
CONVERSATION_LEFT = _(
    "What is kept about a person was deleted, but the conversation of their direct messages with "
    "the agent `{agent}` could not be: {detail}. Delete it by hand on the Letta server: "
    "`{conversation}`."
)

NO_SUCH_WEBHOOK = _("Discord knows no such webhook.")
WEBHOOK_REFUSED = _("Discord refused it ({status}).")
WEBHOOK_OUT_OF_REACH = _("Discord could not be reached ({error}).")
