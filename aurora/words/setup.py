"""What `enable`, `disable`, `lettaurl` and `context` say."""

from __future__ import annotations

from . import phrase as _

# -- the server and its token

NO_SERVER = _("No address of a Letta server is set.")
NO_SERVER_YET = _("I don't know your Letta server yet. Set it first: `[p]aurora lettaurl <url>`.")
OUT_OF_REACH = _("<{url}> can't be used now: {detail}.")
KEPT = _("The address is kept, but nobody is answered from there yet.")
SERVER_ANSWERS = _("Done: the {kind} at <{url}> answers.")
THE_ADDRESS = _("The {kind} at <{url}> is set.")
IT_ANSWERS = _("It answers.")
UNUSABLE_ADDRESS = _(
    "The address that is set can't be used. Set it again: `[p]aurora lettaurl <url>`."
)
NOT_CONFIRMED = _("You did not answer, so nothing was changed: the address stays as it was.")
REPLACE = _(
    "{said}\nThe server that is set, <{old}>, answers. Use the new address all the same, so that "
    "nobody is answered until it works?"
)
STAYS = _("The address was not changed: <{old}> stays in use.")
CHANGED_MEANWHILE = _("Another address was set in the meantime; that one stays.")
ASK_CLEAR = _(
    "<{url}> is another machine and the connection is not encrypted: anybody on the way can read "
    "the token. Send the token there all the same? (No: I connect without it. Better: use "
    "`{better}`.)"
)
WITHHELD = _(
    "{said}\nYour token was not sent: the connection is not encrypted and you did not allow it. "
    "`[p]aurora lettaurl <url>` asks again."
)

# -- agents

NO_AGENT_ID = _(
    "That is no agent id. One looks like `agent-…`: copy it whole from your Letta server, without "
    "brackets or quotes. Nothing was changed."
)
AGENT_NOT_FOUND = _("I could not look at the agent on <{url}>: {detail}.")
NOT_LOOKED_UP = _(
    "Nothing was changed: I could not look at the agent. The bot's owner finds out why with "
    "`[p]aurora lettaurl`."
)
ENABLED = _(
    "Done: {agent} answers {where}. Mention me, or reply to one of my messages, to talk to it."
)
SHARED = _(
    "This agent answers in {count} places now, servers and direct messages counted. It has one "
    "memory for all of them: what it notes in one it knows in the others. Give places that must "
    "not mix an agent of their own."
)
NOT_YOURS = _(
    "Nothing was changed: which agents may answer here is for the bot's owner to allow, with "
    "`[p]aurora agents allow`. Allowed in this server: {agents}."
)
NONE_ALLOWED = _("none")
DISABLED = _("Done: I no longer answer {where}.")
DISABLED_WAITING = _(
    "Done: I no longer answer {where}. Messages that waited and were cancelled: {count}."
)
OWN_TOOLS = _(
    "{agent} has tools of its own that Aurora can't guard:\n{tools}\n"
    "With them it may answer twice, do what the person who asked may not do, or show in one "
    "channel what was said in another: Aurora can prevent none of the three then. Anybody who may "
    "talk to the agent can try to make it use them. Let it answer all the same, with these tools "
    "and no others?"
)
OWN_TOOLS_FOR_OWNER = _(
    "Nothing was changed. {agent} has tools of its own that Aurora can't guard:\n{tools}\n"
    "Only the bot's owner may let it answer with them. Ask the owner."
)
OWN_TOOLS_REFUSED = _(
    "Nothing was changed. Take these tools off the agent on its server and try again: Aurora "
    "offers it Discord tools that are guarded."
)
ACTS_IN_DISCORD = _("acts in Discord by itself")
RUNS_COMMANDS = _("runs commands or programs")
READS_FILES = _("reads or changes files of a computer")
SEARCHES = _("searches what was said in other channels, servers and direct messages")
DOES_ANYTHING = _("does what Aurora can't know: it may reach the internet or other programs")
SEARCH_ALLOWED = _(
    "It may search all its conversations: **what was said in one channel, server or direct "
    "message it can then repeat in any other**, and Aurora can't prevent that."
)
AND_MORE = _("{names} and {count} more")

# -- the SDK of Letta's REST API

SDK_OFFER = _(
    "Letta's REST API needs Letta's SDK. I can install it now with one call of pip: {packages} "
    "packages into Aurora's own data folder; Red's own packages stay untouched. Install now?"
)
SDK_OUTDATED = _(
    "Letta's REST API needs Letta's SDK, and the one that is installed is for another version of "
    "me or of Python. I can install it now with one call of pip: {packages} packages into "
    "Aurora's own data folder; Red's own packages stay untouched. Install now?"
)
SDK_BROKEN = _(
    "Letta's REST API needs Letta's SDK, and files of the one that is installed are missing or "
    "damaged. I can install it now with one call of pip: {packages} packages into Aurora's own "
    "data folder; Red's own packages stay untouched. Install now?"
)
SDK_LATER = _("Nobody is answered from there before Letta's SDK is installed. {how}")
SDK_FAILED = _("Nobody is answered from there before Letta's SDK is installed.\n{trouble}{how}")
SDK_BY_HAND = _(
    "To install it by hand, run this where the bot runs:\n{command}"
    "Then use `[p]aurora lettaurl` again to see whether the server answers."
)
SDK_SEE_BELOW = _("see below")

# -- context

NO_MESSAGE = _(
    "I found no such message that you can see. Give me the id of a message in this channel, or a "
    "link to one in another."
)
NOT_ANSWERED = _("It would not be answered: {why}.")
CONTEXT = _("This is what the agent would get now:")
