"""Why an event ended or was refused: for admins half a sentence about "it", for people a whole."""

from __future__ import annotations

from . import phrase as _

# -- what `queue list` and the like say of a message

SENT = _("the agent sent an answer with its tool")
REACTED = _("the agent reacted to it")
DELIVERED = _("the agent's text was delivered")
ASKED = _("the agent asked back")
SENT_BEFORE = _("it was answered; after that, {what}")
UNLOADED = _("Aurora was unloaded")
NO_ANSWER = _("the agent had nothing to say to it")
ANSWERED_ELSEWHERE = _("the agent sent its answer to another channel")
TEXT_NOT_DELIVERED = _("the agent wrote text, and `[p]aurora config fallback` is off there")

COMPLETED = _("the agent came to its end")
CANCELLED = _("somebody cancelled the run on the agent's server")
CONFIG = _("the agent's server refused the request")
BUSY = _("another run held the conversation for too long")
OVERLOADED = _("the model's provider asked for patience for too long")
FAILED = _("the agent or its model failed")
CONTENT_REFUSED = _("the model's provider refused the message, or what it belongs to")
IMAGE_REFUSED = _("the model's provider refused a picture in it")
CONTEXT_FULL = _("the conversation has become too long for the agent's model")
COMPACTED = _("the conversation had become too long for the agent's model, also when shortened")
UNREACHABLE = _("the agent's server could not be reached")
LOST = _("the agent's server took it, and what became of it is not known")
OWN_TOOLS = _("its agent has tools of its own that nobody has allowed")
TRIPPED = _("a tool that I had not offered ran on the agent's server, so I stopped the agent")
TIMEOUT = _("the agent did not come to an end within its time limit")
STUCK = _("the agent went round in circles, or did more than one run may")
CRASH = _("Aurora itself failed on it")
POISON = _("Aurora died or failed on it three times")
CRASHED = _("Aurora died or failed on it, and it had already had an effect")

UNKNOWN_FATE = _("whether an answer to it arrived can't be found out")
DISCORD_ERROR = _("Discord was in trouble and did not say what became of it")
DISCORD_TIMEOUT = _("Discord did not say in time whether it took the answer")
NOT_CONNECTED = _("I was not connected, so that nobody could look for an answer")
FORBIDDEN = _("I lack a permission there")
AUTOMOD = _("the server's automatic moderation blocked the answer")
DM_CLOSED = _("its author takes no direct messages from me")
CHANNEL_GONE = _("its channel no longer exists")
MESSAGE_GONE = _("the message is gone, or I can't see it any more")
THREAD_ARCHIVED = _("its thread is archived")
THREAD_LOCKED = _("its thread is locked")
NOT_FOUND = _("Discord does not know the place any more")
REFUSED_BY_DISCORD = _("Discord refused the answer")
EMPTY = _("the answer had no text")
TOO_LONG = _("the answer was too long for Discord")
UNKNOWN_EMOJI = _("Discord does not know the emoji that the agent reacted with")
TOO_MANY_REACTIONS = _("the message has as many reactions as it can have")
MISUSED = _("the agent called the tool with which it answers in a wrong way")
TOOL_TALK = _("the agent wrote a call of a tool as text")
MAY_NOT_SEND = _("its author may not write there")
MAY_NOT_REACT = _("its author may not add reactions there")
AUTHOR_TIMED_OUT = _("its author is timed out")
AUTHOR_GONE = _("its author has left")
WIDER_AUDIENCE = _("people could read it there who may not read where it came from")
UNKNOWN_CHANNEL = _("there is no such channel, or its author can't see it")
NO_MESSAGES = _("that channel holds no messages")
AGE_RESTRICTED = _("that channel is age-restricted, and its own is not")
SLOWMODE = _("that channel is in slowmode")
PAUSED = _("Aurora was paused there while the agent was at it")
AGENT_CHANGED = _("another agent was enabled there while this one was at it")

BOT = _("its author is a bot")
NOT_ADDRESSED = _("it does not mention me")
AWAITED = _("another of the bot's cogs was waiting for it")
COMMAND = _("it begins as a command of the bot does")
OTHER_BOTS_COMMAND = _("it begins as a command of another bot does")
OTHER_COGS_MESSAGE = _("it replies to something that I did not post for the agent")
BOTS_ALONE = _("bots have had their turns there since a person last wrote")
DM_DISABLED = _("direct messages are switched off")
NOT_CONFIGURED = _("no Letta server is set")
NOT_ENABLED = _("no agent is enabled there")
DM_NO_AGENT = _("no agent is chosen for direct messages")
COG_DISABLED = _("Aurora is disabled there")
INELIGIBLE = _("its author may not use me there")
KEPT_OUT = _("the server's own lists keep its author from me")
OFF_LIMITS = _("the server's own lists keep me out of that channel")
CANNOT_SEND = _("I may not write there")
GUILD_LEFT = _("I have left that server")
NO_ACCESS = _("I can't see that channel any more")
FULL = _("too much is waiting there already")
PERSON_FULL = _("as much of its author's is waiting there as may")
TOO_OFTEN = _("its author has been answered there as often as anybody may")
SHUT = _("I am being unloaded")
DUPLICATE = _("it waits for its turn already")

STOPPED = _("somebody stopped it")
CLEARED = _("somebody cleared the queue")
DISABLED = _("Aurora was switched off there")
FORGOTTEN = _("what is kept of its author was deleted")
MENTION_REMOVED = _("its author took the mention back")
MESSAGE_DELETED = _("the message was deleted")
CHANNEL_DELETED = _("the channel was deleted")
THREAD_DELETED = _("the thread was deleted")
WAITED_TOO_LONG = _("it could not be run in time")
REVIVED = _("an admin had it tried again")

# -- how it was that the agent went round in circles

OVER_STEPS = _("it called its model more than {count} times")
OVER_LIMIT = _("it went beyond its budget of {what}")
OVER_BUDGET = _("it went on past twice its budget of {what}")
SAME_ERROR = _("a tool gave it the same error {count} times in a row")
SAME_CALL = _("it made the same call {count} times in a row")
NOTHING_NEW = _("{count} calls in a row brought nothing new")

# -- what can be done about it

MEND_CONFIG = _(
    "Check the server's address, the token, the account's credits and the agent's id; then ask "
    "again."
)
MEND_OVERLOADED = _("Check the account's limits.")
MEND_FAILED = _("Check the agent's model and the log of the agent's server.")
MEND_CONTENT_REFUSED = _("Its author has been asked to put it in other words.")
MEND_IMAGE_REFUSED = _("Its author has been asked to send another picture, or none.")
MEND_CONTEXT_FULL = _(
    "`[p]aurora forget here` begins a new conversation there; a model with more room helps, too."
)
MEND_UNREACHABLE = _("Check that it runs and that its address is right.")
MEND_LOST = _("Check the line to the server, and the server's log.")
MEND_OWN_TOOLS = _(
    "Take these tools off the agent on its server, or allow them: `[p]aurora enable <agent_id> "
    "<server>` asks for that."
)
MEND_TRIPPED = _(
    "Look at what happened on the agent's server, and at its version, before anybody asks again."
)
MEND_TIMEOUT = _("If the agent needs longer, raise `[p]aurora config timeout`.")
MEND_STUCK = _(
    "Look at what the agent was about, and at its instructions. What a run may do is set with "
    "`[p]aurora config budget` and `[p]aurora config steps`."
)
MEND_CRASH = _("The log has the traceback.")
MEND_RIGHTS = _("Let me see the channel, write there and read its history.")
MEND_AUDIENCE = _("If that is meant to be, allow it with `[p]aurora config audience off`.")
MEND_KEPT_OUT = _("`[p]aurora config users` and `[p]aurora config roles` show them.")
MEND_OFF_LIMITS = _("`[p]aurora config channels` shows them.")
MEND_NOT_CONFIGURED = _("Set it with `[p]aurora lettaurl`.")
MEND_NOT_ENABLED = _("Choose one with `[p]aurora enable`.")
MEND_DM_NO_AGENT = _("Choose one with `[p]aurora config dm agent`.")
MEND_PREFIXES = _("`[p]aurora config ignoreprefixes` shows how these begin.")
MEND_REPLIES = _("`[p]aurora config replies any` lets all replies to the bot count.")
MEND_BOTS_ALONE = _("`[p]aurora config botturns` is how many they have.")
MEND_FULL = _(
    "`[p]aurora queue status` shows what waits; `[p]aurora config queuesize` is how much may."
)
MEND_PERSON_FULL = _("`[p]aurora config userqueue` is how much of one person's may wait.")
MEND_TOO_OFTEN = _("`[p]aurora config userlimit` is how often one person is answered.")
MEND_RETRY = _("`[p]aurora queue retry` tries again.")

NOT_ANSWERED = _("A message was not answered: {why} ({detail}). {todo}")
NO_DETAILS = _("no details were given")

# -- what the person who asked reads

SAY_NO_ANSWER = _("I have nothing to say to this.")
SAY_ANSWERED_ELSEWHERE = _("My agent has answered this in another channel.")
SAY_TEXT_WITHHELD = _("I have an answer, but may not post it as text here.")
SAY_DOUBT = _("My answer may not have arrived.")
SAY_CALLED_OFF = _("This will not be answered any more.")
SAY_CANCELLED = _("This was cancelled before I could answer.")
SAY_CONFIG = _("I am not set up correctly, so I cannot answer until an admin has looked into it.")
SAY_BUSY = _("My agent was busy with something else for too long. Please ask again later.")
SAY_OVERLOADED = _(
    "My agent has too much to do at the moment. Please try again in a little while."
)
SAY_FAILED = _("Something went wrong while my agent worked on this. Please try again later.")
SAY_CONTENT_REFUSED = _(
    "The model behind my agent refused this for what it says or refers to. Please put it "
    "differently."
)
SAY_IMAGE_REFUSED = _(
    "The model behind my agent could not take a picture in this. Send it as PNG or JPEG, or leave "
    "it out."
)
SAY_CONTEXT_FULL = _(
    "Our conversation here is too long for my agent now. Ask in fewer words, or have a new one "
    "started."
)
SAY_UNREACHABLE = _("I could not reach my agent. Please try again in a little while.")
SAY_LOST = _("I lost touch with my agent before it could answer. Please ask again.")
SAY_TRIPPED = _("My agent did something that it may not do, so I stopped it.")
SAY_TIMEOUT = _("My agent took too long to answer, so I stopped waiting.")
SAY_STUCK = _("My agent got stuck on this, so I stopped it. Please try to ask in another way.")
SAY_CRASH = _("Something went wrong on my side, so I cannot answer this. Please ask again.")
SAY_TOO_LATE = _("I could not get to this in time. Please ask again if you still want an answer.")
SAY_FULL = _(
    "There are too many messages waiting for me here right now. Please try again in a moment."
)
SAY_PERSON_FULL = _(
    "You have already asked me as much as can wait here for one person. Please ask again when I "
    "have answered some of it."
)
SAY_TOO_OFTEN = _(
    "You have asked me a lot in a short time. Please give me a little while, and then ask again."
)
SAY_DM_NO_AGENT = _(
    "Hello! I can't talk in direct messages yet: no agent has been chosen for them. "
    "Mention me in a server that we share instead."
)
