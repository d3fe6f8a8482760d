"""What is said of schedules: by when the agent is woken, and what becomes of it."""

from __future__ import annotations

from . import phrase as _

NO_TIME = _(
    "`{given}` does not begin with a time. Such are `in 2h`, `2026-12-01 09:00`, `every 6h`, "
    "`daily 09:00` and `mon,thu 18:30`; what the agent is to do follows."
)
NO_DAY = _("`{given}` is no day of the calendar.")
PAST = _("That time is over already.")
TOO_FAR = _("That is more than a year ahead; schedule it nearer to its time.")
TOO_OFTEN = _("A schedule may wake the agent once an hour at most, and once a year at least.")
FAILED_OFTEN = _("its last {count} times failed")
PAUSED_FOR = _(
    "Schedule {number} is paused: {why}. `[p]aurora schedule list` shows it; "
    "`[p]aurora schedule pause {number}` lets it go on."
)
