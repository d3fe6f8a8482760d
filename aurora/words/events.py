"""What `events` says."""

from __future__ import annotations

from . import phrase as _

# -- status

TITLE = _("Aurora {where}")
ANSWERS = _("Answers")
AGENT = _("Agent")
AGENTS = _("Agents")
CONNECTION = _("Connection")
QUEUE = _("Queue")
ERRORS = _("Errors")

ON = _("▶️ on")
PAUSED_BY_OWNER = _("⏸️ paused since {since} by the bot owner, everywhere")

NONE_ENABLED = _("❌ none is enabled")
NONE_ANYWHERE = _("❌ none is enabled anywhere")
NO_SERVER = _("❌ the address of the Letta server is not set: `lettaurl`")
MISSING = _("❌ `{id}`: the Letta server does not have it, or refuses me")
UNKNOWN = _("⚠️ `{id}`: the Letta server can't be asked now")
SLOW = _("⚠️ `{id}`: the Letta server took too long to answer")
NOT_ASKED = _("`{id}` (not asked)")
DETAIL = _("{said}: {detail}")

LETTA_SERVER = _("Letta server")
THE_AGENT = _("agent")
AN_AGENT = _("agent `{id}`")
OPEN = _("{mark} {name}: open, tried again in {wait}")
LIMITED = _("{mark} {name}: its model's provider limits it, tried again in {wait}")
LIMITED_TRIED = _("{mark} {name}: its model's provider limits it, being tried again")
HALF_OPEN = _("{mark} {name}: half-open, {successes} of {tries} tries went well")
CLOSED = _("{mark} {name}: closed")
CLOSED_FAILING = _("{mark} {name}: closed, failures in a row: {failures}")
QUIET = _("{mark} agents in use: {count} closed")

# -- errors

ERRORS_TITLE = _("Errors {where}")
HOW_OFTEN = _("How often")
OF_WHAT = _("Of what")
LATEST = _("The latest runs")
LAST_MINUTES = _("last 5 minutes")
SINCE_LOADED = _("since Aurora was loaded")
NO_RUNS = _("{when}: no runs")
RATE = _("{mark} {when}: {rate} of {runs} runs failed ({errors})")
WENT_WELL = _("✅ went well")
SECONDS = _("{seconds} s")

# -- pause, resume, resetcircuit

PAUSED_ALREADY = _("Aurora is paused {where} already.")
PAUSED = _(
    "Done: ⏸️ Aurora is paused {where}. Messages are accepted and wait until "
    "`[p]aurora events resume`. What is being answered is finished."
)
RESUMED = _("Done: ▶️ Aurora is no longer paused {where}.")
NOT_PAUSED = _("Nothing was changed: nobody has paused Aurora {where}.")
STILL_PAUSED = _(
    "{said} But the bot's owner has paused it everywhere, which only the owner can end."
)
RESET = _("Done: 🟢 closed again: {count}. What waits is being tried now.")
NOTHING_TO_RESET = _("🟢 None was open; their counts of failures start anew.")
