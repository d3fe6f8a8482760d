"""What `forget` says."""

from __future__ import annotations

from . import phrase as _

ASK = _(
    "Shall my agent forget what was said here, and begin a new conversation with the next "
    "message? That can't be undone. What it has in its memory stays."
)
NOTHING = _("There is nothing to forget here: no conversation with my agent is known.")
DONE = _(
    "The next message here begins a new conversation. The old one was put away on the agent's "
    "server."
)
LATER = _(
    "The next message here begins a new conversation. A message is being answered just now: that "
    "is finished in the old one, which is put away after it."
)
LEFT = _(
    "The next message here begins a new conversation. The old one could not be put away on the "
    "agent's server; the bot's owner has been told."
)
