"""What several commands say."""

from __future__ import annotations

from . import phrase as _

# Within a sentence: where something holds, and where nothing does.
HERE = _("in this server")
IN = _("in {server}")
EVERYWHERE = _("everywhere")
ANYWHERE = _("anywhere")

OWNERS_ALONE = _("Only the bot's owner may do that everywhere. Leave `everywhere` out.")
OWNERS_ALONE_IN_DMS = _(
    "In direct messages only the bot's owner may do that. Use the command in a server."
)
STANDING_BY = _(
    "Aurora is standing by: another Aurora holds this folder. This one takes over when that has "
    "ended."
)
NOT_STARTED_FOR = _(
    "Aurora could not start, and does nothing. The reason: {reason}\n"
    "When that is mended, use `[p]reload aurora`."
)
NOT_STARTED = _("Aurora could not start, and does nothing. Its owner finds the reason in the log.")

UNCHANGED = _("Nothing was changed.")

# -- which server

WHICH_SERVER = _(
    "Which server? Name it behind the rest, by its id or its name. I am in: {servers}."
)
NO_SUCH_SERVER = _("I am in no server {name}. Name it by its id or its name. I am in: {servers}.")
TWO_SERVERS = _("More than one server is called {name}. Give me its id.")
OTHER_SERVER = _(
    "Only the bot's owner may name another server. Leave {name} out; it is about this server then."
)
AND_MORE = _("{servers} and {count} more")

# -- commands that did not run

NO_LONGER_YOURS = _("You may not do that any more, so nothing was done.")
FOR_OWNERS = _("This command is for the bot's owner alone.")
FOR_OWNERS_IN_DMS = _(
    "In direct messages this command is for the bot's owner alone. Use it in a server: there it "
    "is for those who may manage the server."
)
FOR_ADMINS = _(
    "This command is for those who may manage this server, or have the bot's admin role. Ask one "
    "of them."
)
FORBIDDEN = _("A rule of this bot keeps you from this command here. Ask the bot's owner.")
SWITCHED_OFF = _("This command is switched off here. Ask those who may manage this server.")
IN_A_SERVER = _("This command is about a server. Use it there.")
I_MAY_NOT = _("I lack a permission that this command takes. Ask those who may manage this server.")
STILL_AT_IT = _("This command is being carried out already. Wait for its end, and try again.")
OUT_OF_DATE = _(
    "Discord knows this command in an older shape. The bot's owner can renew it with "
    "`[p]slash sync`; until then, type the command as a message."
)
NOT_UNDERSTOOD = _("I did not understand what you gave me for this command. Look at it again.")
NOT_DONE = _("That did not work, and I don't know why. The bot's log says more.")
MISSING = _("{name} is missing.")
NO_SUCH_VALUE = _("{given} is not what this command takes. It takes: {values}.")
ODD_QUOTES = _("The quotation marks in that don't fit together.")
NO_SUCH_COMMAND = _("There is no command {name}.")
NOTHING_FOR_YOU = _(
    "None of these commands is for you here: they are for those who may manage the server, and "
    "for the bot's owner. To talk to the agent, mention me."
)

# A report with more lines than were looked at.
BEYOND = _("… and {count} more")

WAITING = _("waiting")
RUNNING = _("running")
ANSWERED = _("answered")
DECLINED = _("declined")
FAILED = _("failed")
CANCELLED = _("cancelled")
EXPIRED = _("expired")
