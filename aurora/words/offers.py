"""What is said of a text that waits for a press of a button."""

from __future__ import annotations

from . import phrase as _

SHOWN = _(
    "My agent would post this in {channel}. Not everybody there may read this place, so it is up "
    "to you: the button works for {person} alone, once and for {minutes} minutes.\n>>> {text}"
)
POST_IN = _("Post this in #{name}")
POST_THERE = _("Post this there")
POSTED = _("{person} had this posted in {channel}: {link}")
NOT_YOURS = _("Only the person who asked can press this.")
TOO_LATE = _("It is too late for this, or it was pressed already. Ask again if you still want it.")
NOT_POSTED = _("Not posted: {why}. You can try again until the time is up.")
