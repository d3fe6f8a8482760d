"""What lists of messages and of runs say of one: where it stands, why, and where to find it."""

from __future__ import annotations

from ..ids import task_id
from ..ledger import Listed
from ..model import Event, State
from ..reasons import REASONS, Level, Reason, level_of
from ..words import Phrase, say
from ..words import queue as q
from ..words import run_life as w
from .facts import STATES

MARKS = {
    State.WAITING: "⏳",
    State.RUNNING: "▶️",
    State.ANSWERED: "✅",
    State.DECLINED: "✅",
    State.FAILED: "❌",
    State.CANCELLED: "🚫",
    State.EXPIRED: "❌",
}
"""How a task stands, for who looks at tasks; on messages there are other marks."""
LEVELS = {
    Level.PARSE: w.NO_NAME,
    Level.VALIDATION: w.UNKNOWN,
    Level.EXECUTION: w.EXECUTION,
    Level.PLATFORM: w.PLATFORM,
}
"""What is said of an error, by the step at which it came up."""


def link_to(event: Event) -> str:
    """Return a link to what an event was asked with, without a preview."""
    return f"<{link(event.guild_id, event.channel_id, event.replies_to)}>"


def link(guild_id: int | None, channel_id: int, message_id: int | None) -> str:
    """Return a link to a message, or to a channel where there is none."""
    where = "@me" if guild_id is None else guild_id
    message = "" if message_id is None else f"/{message_id}"
    return f"https://discord.com/channels/{where}/{channel_id}{message}"


def state_of(event: Event) -> Phrase:
    """Say where an event stands, and why it does."""
    state = STATES[event.state]
    if event.reason not in set(Reason):
        return state
    why = REASONS[Reason(event.reason)].admin
    return q.BECAUSE(state=state, reason=event.reason, why=why)


def state_of_task(event: Event) -> Phrase:
    """Say the same, and at which step it went wrong, if it did."""
    said, level = state_of(event), level_of(event.reason)
    return said if level is None else w.LEVEL(state=said, level=LEVELS[level])


def task_line(listed: Listed, *, of_many: bool) -> str:
    """Say in a line of a list how a task stands; of many people, also whose it is."""
    event = listed.event
    parts = [f"{MARKS[event.state]} `{task_id(event.id)}`", link_to(event)]
    if of_many:
        parts.append(f"<@{event.author_id}>")
    parts += [f"<t:{event.accepted_at:.0f}:R>", say(STATES[event.state])]
    return " · ".join(parts)
