"""What `runs` says: which runs there are, what became of one, and what can be done about it."""

from __future__ import annotations

from . import phrase as _

# -- list

TASKS = _("📋 Task overview {where}")
MY_TASKS = _("📋 Your tasks {where}")
NOW = _("Now")
PENDING = _("⏳ pending: {count}")
RUNNING = _("▶️ running: {count}")
ENDED = _("Ended in the last {days} days")
COMPLETED = _("✅ completed: {count}")
FAILED = _("❌ failed: {count}")
CANCELLED = _("🚫 cancelled: {count}")
AT_LEAST = _("of your latest {count}; older ones are not counted")
CAPACITY = _("Capacity")
SLOTS = _("at a time: {capacity}, free now: {free}")
PERSONS_SLOTS = _("for one person at a time: {capacity}, free for you now: {free}")
LATEST = _("Latest")
NONE = _("none")
MANAGERS_ALONE = _(
    "Only those who manage this server see what others asked. Leave `here` out to see your own."
)

# -- stats

STATS = _("📋 Execution metrics {where}")
MY_STATS = _("📋 Your execution metrics {where}")
BY_STATE = _("Kept for {days} days, by state")
RAN = _("Runs that reached the agent, last {days} days")
TOTAL = _("total: {count}")
SUCCESSFUL = _("✅ successful: {count}")
OTHERS = _("neither: {count}")
AVERAGE = _("average time: {seconds} s")
NO_AVERAGE = _("average time: none yet")

# -- show

STATE = _("State")
LEVEL = _("{state}, {level}")
QUESTION = _("{message}, by {person}")
ASKED = _("Asked")
TIMES = _("Times")
ACCEPTED = _("accepted {at}")
STARTED = _("started {at}")
FINISHED = _("ended {at}")
TOOK = _("took {seconds} s")
WORK = _("Work")
ATTEMPTS = _("attempts: {count}")
STEPS = _("steps: {count}, of which failed: {failed}")
TOOLS = _("tools: {tools}")
AGENTS_TIME = _("the agent's time: {seconds} s")
AGENT = _("Agent")
AN_AGENT = _("agent `{id}`")
ROUTED = _("routed: {route}")
MODEL = _("model `{name}`")
CONVERSATION = _("conversation `{id}`")
ANSWER = _("Answer")
FEEDBACK = _("Feedback")
OF_ASKER = _("{mark} from who asked")
OF_OTHERS = _("others: 👍 {good}, 👎 {bad}")
ELSEWHERE = _("{count} in places that you can't see")

# -- the four levels of errors

EXECUTION = _("execution error")
PLATFORM = _("platform error")
NO_NAME = _(
    "I can't read {given}. Name a run by its `task-…`, by the id of its message, or by a link to "
    "it."
)
UNKNOWN = _(
    "I know no such run {where}, or it is not yours. `[p]aurora runs list` shows those that are."
)
TWO = _("Two runs have that short name. Name it by the id of its message, or by a link to it.")

# -- file

FILE = _("The answer to {task}, as it stands in Discord now:")
NO_ANSWER = _("There is no answer to {task} in Discord, or none that you can see.")
IN_PRIVATE = _(
    "Not everybody here may read that answer. Ask me in a direct message, or by the slash command."
)
NO_FILES = _("I may not send files here. Ask me in a direct message.")

# -- cancel and retry

CANCELLED_IT = _("Done: 🚫 {task} is cancelled.")
ENDED_ALREADY = _("{task} has ended already: {state}. There is nothing to cancel.")
RETRIED = _("Done: ✓ Task started: {task}")
