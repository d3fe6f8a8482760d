"""What people are told while they wait."""

from __future__ import annotations

from . import phrase as _

LIMITED = _(
    "My agent's model is asked for too much at the moment. I keep your message, go on trying, and "
    "will answer as soon as it lets me; if that takes longer than 15 minutes, I will say so, and "
    "you can ask again."
)
CROWDED = _(
    "As many of your questions are being answered as may be at a time: {count}. This one, {task}, "
    "waits for its turn."
)
UNSEEN = _(
    "My agent's model cannot see pictures: it knows only what they are called. Describe in words "
    "what it should know."
)
OUTAGE = _(
    "My agent is not available right now. I keep your message and will answer as soon as it is "
    "back; if that takes longer than 15 minutes, I will say so, and you can ask again."
)
