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
CREATOR_LEFT = _("who made it has left the server")
CREATOR_NO_MANAGER = _("who made it may not manage the server any more")
NO_SUCH_PLACE = _("its channel is gone, or who made it or the bot can't write there")

TITLE = _("Schedules of this server")
NUMBER = _("Number {number}")
NONE = _("There are no schedules here. `[p]aurora schedule add` makes one.")
ADDED = _("✓ Schedule {number}: {when}, next on {next}.")
ARE_OFF = _(
    "Schedules are off in this server; an admin lets them come by setting `schedules` to on."
)
PAUSED = _("Schedule {number} is paused; the same command lets it go on.")
GOES_ON = _("Schedule {number} goes on.")
REMOVED = _("Schedule {number} is removed.")
NO_SUCH = _("There is no schedule {number} that you can see; `[p]aurora schedule list` shows all.")
NO_TASK = _("What is the agent to do? Its task follows the time, as in `daily 09:00 Greet us`.")
LONG_TASK = _("A task has at most {most} characters; this one has {count}.")
TOO_MANY = _("A server has at most {most} schedules; remove one first.")
IN_QUIET_HOURS = _("That is in the quiet hours, from {first} to {last} o'clock.")
FACTS = _("{when} in {channel}, by {person}")
NEXT = _("next {next}")
ALWAYS = _("also where nobody has written since")
BY_HAND = _("paused by an admin")
FAILED = _("paused: it failed too often")
NOT_ALLOWED = _("paused: who made it may not any more")

ZONE = _("Times are those of {zone}.")
NO_ZONE = _("{given} is no time zone. It is a name such as `Europe/Berlin` or `UTC`.")
ZONE_VALUES = _("a name such as Europe/Berlin")
HOURS = _("Nothing is posted unasked from {hours} o'clock.")
HOURS_OFF = _("There are no quiet hours.")
NO_HOURS = _("{given} is no span of hours. Type two, as in `22-7`, or `off`.")
HOURS_VALUES = _("two hours of the day as in 22-7, or {off}")
