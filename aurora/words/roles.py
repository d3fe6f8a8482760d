"""What is said of roles, and of the router that chooses among them."""

from __future__ import annotations

from . import phrase as _

NONE_YET = _(
    "There are no roles here. `[p]aurora agents role <name> <agent> <description>` makes one; "
    "people choose it with `/ask`."
)
ROLE = _("**{name}** · {agent} · {description}")
ADDED = _("**{name}** is now {agent}: {description}")
REMOVED = _("There is no role **{name}** here any more.")
NO_SUCH_ROLE = _("Nothing was changed: there is no role {name} here. There are: {names}.")
NO_NAME = _(
    "Nothing was changed: a role's name has 1 to 20 small letters, digits or hyphens, and is none "
    "of the words list, remove and default."
)
WHICH_AGENT = _("Nothing was changed: say which agent it is, and what it is for.")
TOO_MANY = _("Nothing was changed: {most} roles are the most here. Remove one first.")
NOT_ON = _("Nothing was changed: let an agent answer here first, with `[p]aurora enable`.")
NOBODY = _("none")
NO_ROLE = _("There is no agent {name} here. You may ask: {names}.")
OWNER_ONLY = _("Only the bot's owner may do that.")
ONE_ROLE = _("Name one agent, or choose to compare them.")
NOTHING_TO_COMPARE = _(
    "There is nothing to compare: name two or three agents, with commas between them."
)
