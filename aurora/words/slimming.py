"""What is said of an agent's system prompt that is made short, or put back."""

from __future__ import annotations

from . import phrase as _

NOT_THERE = _(
    "Nothing was changed: only on a Letta App Server do agents carry its long system prompt. On "
    "the Letta REST API each has the one that it was made with, which can be changed there."
)
ASK_SLIM = _(
    "{agent} has a system prompt of {count} characters, for which each call of its model pays. On "
    "an App Server most of that is a manual for work at a terminal. Replace it by one of {fewer} "
    "characters? Persona and memory stay; a prompt that you wrote yourself does not. It holds "
    "from the next message on, wherever this agent answers. "
    "`[p]aurora agents slim {id} undo` puts back what there is now."
)
SLIMMED = _(
    "Done: {agent} has a short system prompt from the next message on. "
    "`[p]aurora agents slim {id} undo` puts back what it had."
)
IS_SLIM = _("Nothing was changed: {agent} has the short system prompt already.")
ASK_RESTORE = _(
    "Give {agent} back the system prompt of {count} characters that it had before? It replaces "
    "one of {fewer} characters, from the next message on."
)
RESTORED = _("Done: {agent} has the system prompt that it had before, from the next message on.")
NONE_KEPT = _("Nothing was changed: I keep no earlier system prompt of {agent}.")
FAILED = _("The Letta server did not do it: {why}.")
