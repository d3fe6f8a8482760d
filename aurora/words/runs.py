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
STUCK = _("My agent got stuck on this, so I stopped it: {why}.")
STUCK_SOMEHOW = _("My agent got stuck on this, so I stopped it.")
ASK_ANOTHER_WAY = _("Please try to ask in another way.")
TRY_STRONGER = _("A stronger model can try it, or please ask in another way.")
STRONGEST_WAS_AT_IT = _(
    "The strongest model was at it already. Please tell me what exactly you need, or what I "
    "should try, by a reply to this."
)
STRONGER = _("Try with the stronger model")
LET_BE = _("Stop")
NOT_YOURS_TO_RETRY = _("Only who asked can decide that.")
NOTHING_TO_STOP = _("There is nothing left to stop.")
