"""What several commands say."""

from __future__ import annotations

from . import phrase as _

# Within a sentence: where something holds, and where nothing does.
HERE = _("in this server")
EVERYWHERE = _("everywhere")
ANYWHERE = _("anywhere")

UNCHANGED = _("Nothing was changed.")
OWNERS_ALONE = _("Only the bot's owner may do that everywhere. Leave `everywhere` out.")
STANDING_BY = _(
    "Aurora is standing by: another Aurora holds this folder. This one takes over when that has "
    "ended."
)
NOT_STARTED = _("Aurora could not start, and does nothing. {why} Then use `[p]reload aurora`.")
NOT_STARTED_FOR = _("The reason: {reason}")
NOT_STARTED_LOG = _("The log says why.")

# A report with more lines than were looked at.
BEYOND = _("… and {count} more")

WAITING = _("waiting")
RUNNING = _("running")
ANSWERED = _("answered")
DECLINED = _("declined")
FAILED = _("failed")
CANCELLED = _("cancelled")
EXPIRED = _("expired")
