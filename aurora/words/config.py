"""What `config` says."""

from __future__ import annotations

from . import phrase as _

# -- settings

NO_SETTING = _("{name} is no setting. There are: {names}.")
OWN_COMMAND = _(
    "`{name}` has a command of its own, to be used in the server: `[p]aurora config {name}`."
)
OWNERS_COMMAND = _(
    "`{name}` has a command of its own, for the bot's owner: `[p]aurora config {name}`."
)
OWNERS_COMMAND_THERE = _(
    "`{name}` has a command of its own, for the bot's owner and to be used in the server: "
    "`[p]aurora config {name}`."
)
SET = _("Done: `{name}` is now **{value}**.")

# What stands beside a value in the list.
NOT_ENABLED = _("none: not enabled here")
TOOLS_VALUES = _("{one} or {other}, owner only")
HOSTS_VALUES = _("hosts of which links are previewed")
ALERTS_VALUES = _("a channel or {off}")
RETENTION_VALUES = _("{lowest} to {highest} days, owner only")
WEBHOOK_VALUES = _("a webhook's address or {off}, owner only")
CHANGE_ONE = _("Change one with `[p]aurora {command} <setting> <value>`.")
CHANGE_ONE_THERE = _("Change one with `[p]aurora config set <setting> <value> {server}`.")
CHANGE_BUDGET = _("Change one with `[p]aurora config budget <what> <value>`.")
ALERTS_GO_TO = _("Alerts go to {channel}.")

RETENTION_SET = _("Done: what became of a message stays known for **{days} days**.")

# -- alerts

NO_CHANNEL = _("I found no such channel that you can see. Name one, or say `off`.")
NOT_THERE = _("Nothing was changed: I can't write in {channel}. Allow me to, and try again.")
ALERTS_HERE = _("Alerts about this server's agent will come here.")
ALERTS_OFF = _("Done: this server has no alert channel.")
ALERTS_SET = _("Done: alerts about this server's agent go to {channel}.")

NO_WEBHOOK = _(
    "Nothing was changed: that is no address of a Discord webhook. One looks like "
    "`https://discord.com/api/webhooks/<id>/<token>`; copy it from the channel's settings."
)
WEBHOOK_FAILED = _("Nothing was changed: {why}")
WEBHOOK_HERE = _("Aurora's alerts will come here.")
WEBHOOK_OFF = _("Done: alerts go to no webhook.")
WEBHOOK_SET = _("Done: alerts go to <{url}> as well.")
STILL_THERE = _(
    "{said}\nI could not delete your message. **Delete it yourself**: whoever reads the address "
    "can write through the webhook."
)

# -- audience

AUDIENCE_VALUES = _("{one}, or {other} from a place to another")
PAIRS_OFF = _("off for {count}")
AUDIENCE_BLOCKED = _(
    "The agent carries nothing to people who could not read it where it comes from. To allow it "
    "from one place to another: `[p]aurora config audience off <from> <to>`."
)
AUDIENCE_OFF = _("Audience is off for {pairs}.")
PAIR_OFF = _(
    "Done: the agent may carry to {place} what is from {source}, **whoever reads there**. Take it "
    "back with `[p]aurora config audience block {source} {place}`."
)
PAIR_BLOCKED = _(
    "Done: the agent carries to {place} from {source} only what everybody there may read."
)
NAME_TWO_PLACES = _(
    "Nothing was changed: name two places of this server that you can see, from which and to "
    "which, as in `[p]aurora config audience off #ideas #general`. A thread counts as its channel."
)
TOO_MANY_PAIRS = _("Nothing was changed: there can be {count} such pairs. Take one back first.")
# -- links

NO_HOST = _("Which host? Write `[p]aurora config embedhosts add <host>`, such as `example.com`.")
TOO_MANY_HOSTS = _("Nothing was changed: {most} hosts are the most. Remove one first.")
HOST_NOT_LISTED = _("Nothing was changed: {host} is not listed.")
HOSTS = _(
    "Links to these hosts, and to what is below them, are previewed whoever made them up: {hosts}."
)
NO_HOSTS = _(
    "No host is listed: a link of the agent's is previewed if somebody wrote it, whole, in what "
    "the agent was asked or has read."
)

# -- tools

TOOL_CHOSEN = _("Done: `{tool}` is now **{value}** in this server.")
NO_TOOL = _("{name} is no tool that you can decide about. There are: {names}.")
NO_TOOL_VALUE = _("{given} is nothing that a tool can be set to. Say `allow` or `off`.")
CHANGE_TOOL = _("Change one with `[p]aurora config tools set <tool> <value>`.")
NO_OWN_TOOLS = _(
    "Nothing was changed: agents can use Discord tools of their own only behind Letta's REST API. "
    "A Letta App Server lets them use what Aurora offers, and nothing else."
)
AURORAS_TOOLS = _("Done: agents in this server get Aurora's guarded Discord tools.")
MCP_TOOLS = _(
    "Done: agents in this server get no Discord tools of Aurora's; they use their own "
    "`mcp-discord`, and Aurora watches for the answer. Aurora can't guard what they do: that "
    "there is at most one answer, that nobody gets done what they may not do themselves and that "
    "nothing is shown in a wider place is **not promised** in this mode.\n"
    "`mcp-discord` must log in as this bot, or Aurora will not see the answers as answers."
)

# -- direct messages

WHICH_AGENT = _("Which one? Write `[p]aurora config dm agent <agent_id>`.")
DMS_ON = _("Direct messages are **on**, answered by {agent}.")
DMS_OFF = _(
    "Direct messages are **off**: nobody answers them. Switched on, they would be answered by "
    "{agent}."
)
DMS_ON_NOBODY = _(
    "Direct messages are **on**, but there is no agent yet to answer them. Choose one with "
    "`[p]aurora config dm agent <agent_id>`."
)
DMS_OFF_NOBODY = _(
    "Direct messages are **off**: nobody answers them. There is no agent yet to do so, either."
)

# -- access lists

ACCESS_VALUES = _("allow, deny or clear")
WHICH_ACTION = _("Nothing was changed. Say `allow`, `deny` or `clear` before it.")
WHICH_TARGET = _("Whom or what? Name it behind `{action}`.")
NO_TARGET = _("Nothing was changed: I found no {what} {given} that you can see.")
A_CHANNEL = _("channel or category")
A_ROLE = _("role")
A_USER = _("person")
LISTS_CHANGED = _("Done. {lists}")
CHANNELS_OPEN = _("I answer in every channel in which I may write.")
CHANNELS_ALLOWED = _("I answer only in {names}, with the threads in them.")
CHANNELS_DENIED = _("I don't answer in {names}, nor in the threads in them.")
ROLES_OPEN = _("No role is listed.")
ROLES_ALLOWED = _(
    "Who has one of these roles may ask me, and who is on the list of users: {names}."
)
ROLES_DENIED = _("Who has one of these roles may not ask me: {names}.")
USERS_OPEN = _("Nobody is listed.")
USERS_ALLOWED = _("These may ask me, and who has a role that is on the list of roles: {names}.")
USERS_DENIED = _("These may not ask me: {names}.")
LISTED_MORE = _("{names} and {count} more")
