"""What `queue` says."""

from __future__ import annotations

from . import phrase as _

# -- status

TITLE = _("Aurora's queue {where}")
NOW = _("Now")
LIMITS = _("Limits")
ENDED = _("Ended in the last {days} days")
SINCE_LOADED = _("Since Aurora was loaded")
FULLEST = _("Where most waits")

WAITING = _("waiting: {count}")
WAITING_OF = _("waiting: {count} of {room}")
RUNNING = _("running: {count}")
OLDEST = _("waiting longest: since {since}")
PAUSED = _("⏸️ paused since {since}")
PAUSED_BY = _("⏸️ paused by its admins: {name}")
PAUSED_MORE = _("⏸️ and {count} more")

COUNT = _("{what}: {count}")
ACCEPTED = _("accepted")
DUPLICATE = _("duplicate")
FULL = _("full")
PERSON_FULL = _("too much of one person's waiting")
TOO_OFTEN = _("too often for one person")
DIRECT_MESSAGES = _("direct messages")

AT_A_TIME = _("answered at a time: {everywhere}, of one server {guild}")
BY_ONE = _("by one agent {agent}, for one person {user}")
PACE = _("in a channel one each {seconds} s")
LONGEST = _("nobody waits longer than {longest}, pauses left out")

# -- list and dead

MESSAGES = _("Messages {where}")
DEAD = _("Dead letters {where}")
NONE = _("{title}: none.")
NEWEST = _("Newest first")
BECAUSE = _("{state} (`{reason}`): {why}")
ATTEMPTS = _("attempts: {count}")
TOGETHER = _("together with a later one")

# -- clear

NOTHING_WAITS = _("Nothing waits {where}.")
ASK_CLEAR = _("Messages that wait {where}: {count}. Cancel them all?")
NOT_CLEARED = _(
    "You did not answer, so nothing in the queue was cancelled: what waits goes on waiting."
)
CLEARED = _("Done: {count} cancelled. What was already being answered goes on.")

# -- retry

UNKNOWN = _(
    "I know no such message {where}. Give me its id or a link to it, or `all`; "
    "`[p]aurora queue dead` shows what failed."
)
NOT_RETRIED = _("I can't try that again: {why}.")
RETRIED = _("Done: {message} waits for its turn again.")
NOTHING_FAILED = _("Nothing failed or expired {where}.")
RETRIED_ALL = _("Done: {done} of the latest {count} wait for their turn again.{kept}")
SOME_NOT = _("- {count} not: {why}")

IT_WAITS = _("it is waiting for its turn already")
IT_RUNS = _("it is being answered right now")
IT_WAS_ANSWERED = _("it was answered")
IT_WAS_DECLINED = _("the agent has read it and had nothing to say")
AN_ANSWER_IS_THERE = _("an answer to it is in Discord, in whole or in part")
AN_ANSWER_MAY_BE_THERE = _("an answer to it may be in Discord; I can't find out")
IT_ACTED_ELSEWHERE = _("the agent has already acted on it, in another place")
