"""What is said of a run while it lasts, and of who stops it."""

from __future__ import annotations

from . import phrase as _

STOP = _("Stop")
STOPPED_BY = _("⏹️ Stopped by {person}.")
NOT_YOURS_TO_STOP = _(
    "Only who asked can stop this, and who may delete other people's messages here."
)
NOT_YOURS_TO_ANSWER = _("Only the person who was asked can choose here.")
ANSWERED_ALREADY = _("This has been answered already.")
NOT_NOW = _("I can't take that now. Please answer in words, by a reply to the question.")
NOTHING_TO_STOP = _("There is nothing left to stop.")
