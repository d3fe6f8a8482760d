"""What is said of the models that the owner chooses."""

from __future__ import annotations

from . import phrase as _

VALUES = _("a command for the bot's owner")
NONE_CHOSEN = _(
    "No model is chosen: each agent has its own. `[p]aurora config models strong <handle>` names "
    "one for what is too hard for that."
)
CHOSEN = _("{which}: {handle}")
NOT_CHOSEN = _("{which}: the agent's own")
NO_STRONG = _("{which}: none, so nothing is tried again with a stronger one")
SET = _("The {which} model is now {handle}, from the next message on.")
UNSET = _("No {which} model is chosen any more.")
NO_SUCH_MODEL = _("Nothing was changed: the server has no model {handle}. It has: {names}.")
NOT_LISTED = _("Nothing was changed: the server did not tell which models it has ({detail}).")
NO_SERVER = _("Nothing was changed: set the server with `[p]aurora lettaurl` first.")
ROUTER_AGENT = _("{agent} now routes messages where the router is on.")
NO_ROUTER_AGENT = _("No agent routes messages any more.")
