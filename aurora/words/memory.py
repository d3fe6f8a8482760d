"""What `memory` and `config memory` say."""

from __future__ import annotations

from . import phrase as _

# -- the log

NOTHING = _(
    "I know of no change of an agent's memory here. In a direct message I list those of all "
    "servers."
)
LOG_TITLE = _("The latest changes of agents' memories, newest first:")
LINE = _("`#{number}` {when} {act} `{path}`{length}, agent `{agent}`, {who}")
WRITTEN = _("written:")
DELETED = _("deleted:")
UNDONE = _("put back:")
LENGTH = _(" ({count} characters)")
ASKED_IN = _("asked by {person} in {place}")
ASKED_IN_DM = _("asked by {person} in a direct message")
ASKED_BY = _("asked by {person}")
SOMEBODY = _("somebody who was forgotten")
UNSURE = _("Whether it was made is not known.")
HOW_TO_UNDO = _("`[p]aurora memory undo <number>` puts a file back to what it was before.")

# -- undo

NO_CHANGE = _("I know of no change #{number}. `[p]aurora memory log` lists those that I know.")
ASK_UNDO = _("{line}\nPut this file back to what it was before this change?")
NOT_UNDONE = _("Nothing was changed.")
DONE = _("Done: `{path}` is what it was before change #{number}.")
DONE_UNREAD = _(
    "Done: `{path}` is what it was before change #{number}. If it was there, it is not known in "
    "which place it was written, so no agent is shown it before it is written anew."
)
FAILED = _("Change #{number} was not undone. {why}")
NO_MEMORY = _("The Letta server that is set keeps no memory that I can reach.")
NO_VERSION = _(
    "Whether change #{number} was made is not known, so there is nothing to go back to."
)
REFUSED = _("The agent's memory refused it: {why}.")
UNKNOWN_FATE = _(
    "The Letta server could not be asked, and whether the file was put back is unknown: {why}."
)

# -- the role

NO_ROLE = _("I found no such role in this server. Name one, or say `off`.")
EVERYONE = _(
    "Nothing was changed: everybody has that role. Whoever has it may have files changed that "
    "stand in the agent's system prompt in every server."
)
ROLE_SET = _(
    "Done: who has {role} here may have the agent change all files of its memory but what was "
    "said in direct messages. Files in its root stand in its system prompt, in **every** server "
    "that it answers in."
)
ROLE_OFF = _("Done: only you may have the agent change files that are for all places.")
ROLE_IS = _("Besides you, who has {role} here may have the agent change files for all places.")
ROLE_NONE = _("Only you may have the agent change files of its memory that are for all places.")
ROLE_VALUES = _("a role or {off}, owner only")

# -- memory tools of a server's own

OWN_MEMORY = _(
    "{agent} has tools of its own with which it changes its memory on its server: {tools}.\n"
    "What anybody tells it goes into that one memory, which it has in every place: it is **not "
    "promised** that what is said in one channel does not show in another, nor that nobody "
    "tells it what to think. Take these tools off it now? (No: it keeps them.)"
)
TOOLS_TAKEN = _("Done: these tools are off {agent}. It keeps what it has in its memory.")
TOOLS_KEPT = _("{agent} keeps its memory tools.")
TOOLS_NOT_TAKEN = _(
    "{agent} still has these tools: {tools}. Its server did not take them off it: {why}. What is "
    "said above holds until you take them off there."
)
TOOLS_UNKNOWN = _(
    "Whether {agent} changes its memory by tools of its server could not be found out: {why}. If "
    "it does, it is not promised that what is said in one channel does not show in another."
)
