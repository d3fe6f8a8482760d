"""What the settings are for, what values they take, and what is said to a value they don't."""

from __future__ import annotations

from . import phrase as _

REPLYDEPTH = _("Maximum parent messages to fetch in reply chains")
TYPING = _("Show typing while the agent works")
RATELIMIT = _("Minimum time between two runs in a channel")
QUEUESIZE = _("Maximum events waiting in this server")
TIMEOUT = _("Maximum time for one run of the agent")
MCPGUIDANCE = _("Include hints on the Discord tools in prompts")
FALLBACK = _("Deliver the agent's text when it used no tool to answer")
COALESCE = _("Answer up to 5 waiting messages of one person together")
INVITES = _("Let the agent post invitations to servers")
HELP = _("{help}.\n\n`<value>`: {values}.")

SPAN = _("{lowest} to {highest} {unit}")
EITHER = _("{one} or {other}")
MESSAGES = _("messages")
SECONDS = _("seconds")
EVENTS = _("events")

NOT_EITHER = _("`{setting}` is {values}, not `{given}`.")
NOT_IN_SPAN = _("`{setting}` takes {values}, not `{given}`.")
NO_WHOLE_NUMBER = _("`{setting}` takes {values}; `{given}` is not a whole number.")
NO_NUMBER = _("`{setting}` takes {values}; `{given}` is not a number.")
