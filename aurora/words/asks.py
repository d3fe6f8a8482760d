"""What is said of questions that come by a command or the menu of a message."""

from __future__ import annotations

from . import phrase as _

ASKS = _("{person} asks:\n{question}")
ASKS_IN = _("{person} asks in {thread}:\n{question}")
TASK_STARTED = _("✓ Task started: {task}")
MODAL = _("Ask about this message")
LABEL = _("Your question, if you have one")
ABOUT_THIS = _("What do you say to this?")
NOT_HERE = _("I can't answer here: I may not see this place, or not write in it.")
NO_THREAD = _("A thread can't be opened here. Ask without it, or in a text channel.")
NOT_NOW = _("This can't be asked now. Try again in a moment.")
NO_QUESTION = _("What is your question?")
OTHER_AGENT = _("{given} does not answer here. {agent} does; leave the name out to ask it.")
