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
MISSING = _("❌ `{id}`: the Letta server does not have it, or refuses me")
UNKNOWN = _("⚠️ `{id}`: the Letta server can't be asked now")
SLOW = _("⚠️ `{id}`: the Letta server took too long to answer")
NOT_ASKED = _("`{id}` (not asked)")
DETAIL = _("{said}: {detail}")

NO_ADDRESS = _(
    "❌ no address of a Letta server is set; the bot's owner sets it with "
    "`[p]aurora lettaurl <url>`"
)
CONNECTED = _("🟢 connected to the Letta server")
NOT_CONNECTED = _("🔴 not connected: the Letta server can't be used now")
NOT_CONNECTED_SINCE = _("🔴 not connected since {since}: the Letta server can't be used now")
REFUSED = _("❌ not connected: the Letta server refuses me; the bot's owner can mend that")
TOO_SLOW = _("⚠️ the Letta server took too long to answer")

# A breaker is no connection: it says whether the server and the agents are tried at all.
THE_BREAKER = _("Circuit breaker")
THE_AGENTS_BREAKER = _("Circuit breaker of the agent")
AN_AGENTS_BREAKER = _("Circuit breaker of agent `{id}`")
OPEN = _("{mark} {name}: open, tried again in {wait}")
THE_AGENT = _("Agent")
AN_AGENT = _("Agent `{id}`")
LIMITED = _("{mark} {name}: its model's provider limits it, tried again in {wait}")
LIMITED_TRIED = _("{mark} {name}: its model's provider limits it, being tried again")
HALF_OPEN = _("{mark} {name}: half-open, {successes} of {tries} tries went well")
CLOSED = _("{mark} {name}: closed")
CLOSED_FAILING = _("{mark} {name}: closed, failures in a row: {failures}")
QUIET = _("{mark} Circuit breakers of agents in use: {count} closed")

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

PAUSED_ALREADY = _("Aurora is paused {where} already, until {how}.")
PAUSED = _(
    "Done: ⏸️ Aurora is paused {where}. Messages are accepted and wait until {how}. What is being "
    "answered is finished."
)
RESUME_HERE = _("`[p]aurora events resume`")
RESUME_EVERYWHERE = _("`[p]aurora events resume everywhere`")
RESUMED = _("Done: ▶️ Aurora is no longer paused {where}.")
NOT_PAUSED = _("Nothing was changed: nobody has paused Aurora {where}.")
STILL_PAUSED = _(
    "But the bot's owner has paused it everywhere, which only the owner can end: {how}."
)
RESET = _("Done: 🟢 closed again: {count}. What waits is being tried now.")
NOTHING_TO_RESET = _("🟢 None was open; their counts of failures start anew.")
