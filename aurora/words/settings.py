"""What the settings are for, what values they take, and what is said to a value they don't."""

from __future__ import annotations

from . import phrase as _

REPLYDEPTH = _("Maximum parent messages to fetch in reply chains")
PROGRESS = _("What a run of more than eight seconds shows of what the agent is at")
TYPING = _("Show typing while the agent works")
RATELIMIT = _("Minimum time between two runs in a channel")
QUEUESIZE = _("Maximum events waiting in this server")
USERQUEUE = _("Maximum events of one person waiting in this server")
USERRUNS = _("Maximum runs of one person at a time, other servers and direct messages included")
GUILDRUNS = _("Maximum runs of one server at a time")
GLOBALRUNS = _("Maximum runs at a time; 10 suit a small machine")
USERLIMIT = _("How often one person is answered in this server")
TIMEOUT = _("Maximum time for one run of the agent")
MCPGUIDANCE = _("Include hints on the Discord tools in prompts")
FALLBACK = _("Deliver the agent's text when it used no tool to answer")
ANSWER = _("How the agent answers; by text takes half the calls of its model")
COALESCE = _("Answer up to 5 waiting messages of one person together")
DEBOUNCE = _("Quiet time before somebody's messages are answered together; needs `coalesce`")
TEXTS_HERE = _("Maximum different texts of one answer, where it was asked for")
STEPS = _("Maximum calls of the model in one run")
CALLS = _("Maximum calls of Aurora's tools in one run")
READS = _("Maximum times that one run reads messages")
REACTIONS = _("Maximum reactions in one run")
PARTS = _("Maximum messages in one run; a text that needs more goes out as a file")
PLACES = _("Maximum other places that one run writes or reacts in")
UNKNOWN_IDS = _("Maximum channel ids that lead nowhere in one run")
TOKENS = _("Maximum tokens of one run: what the model writes, and what its prompt grows by")
INVITES = _("Let the agent post invitations to servers")
SCHEDULES = _("Let schedules wake the agent")
BOTTURNS = _("How often bots are answered in a channel between two messages of people")
HELP = _("{help}.\n\n`<value>`: {values}.")

SPAN = _("{lowest} to {highest} {unit}")
SPAN_OR_NAMED = _("{span}, or {names}")
ROUTER = _("A model says beforehand who answers, and how hard that is")
EITHER = _("{one} or {other}")
MESSAGES = _("messages")
SECONDS = _("seconds")
EVENTS = _("events")
RUNS = _("runs")
TURNS = _("times a minute and an hour, or off")
TEXTS = _("texts")
TURNS_UNIT = _("times")
MODEL_CALLS = _("calls of the model")
TOOL_CALLS = _("calls")
EMOJIS = _("reactions")
CHANNELS = _("places")
IDS = _("ids")
TOKENS_UNIT = _("tokens")

NOT_EITHER = _("`{setting}` is {values}, not `{given}`.")
NOT_IN_SPAN = _("`{setting}` takes {values}, not `{given}`.")
NO_PAIR = _("`{setting}` takes two numbers, as in `6 60`, or `off`: {values}; not `{given}`.")
NO_WHOLE_NUMBER = _("`{setting}` takes {values}; `{given}` is not a whole number.")
NO_NUMBER = _("`{setting}` takes {values}; `{given}` is not a number.")
TEXT_NOT_DELIVERED = _(
    "Nothing was changed: with `answer text` the agent's text is its answer, and while `fallback` "
    "is off nobody would read it. Set `fallback` to on first."
)
TEXT_IS_THE_ANSWER = _(
    "Nothing was changed: `answer` is text here, and with `fallback off` nobody would read what "
    "the agent answers. Set `answer` to tool first."
)
