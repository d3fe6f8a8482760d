"""The entries: what follows from each reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..model import State
from ..words import Phrase, clause
from ..words import reasons as w
from ..words.remedies import remedy_for
from .codes import Counts, Reason, Retry


class Entry(NamedTuple):
    """What follows from a reason.

    `state` is the state an event ends in for it, None if none ends by it: a refusal before it was
    accepted, a denied call of a tool. `admin` says in half a sentence why, `todo` what to do.
    The person who asked sees `mark` on the message, and reads `user` where Discord refuses the
    mark, or beside it if the end is `spoken`; without a mark `user` is a notice. The rest is about
    runs: the name of the `error` in statistics (None: a success), how it is tried again, which
    breaker it counts for, and whether those who can mend it are told at once.
    """

    state: State | None = None
    admin: Phrase | None = None
    user: Phrase | None = None
    todo: Phrase | None = None
    error: str | None = None
    retry: Retry = Retry.NEVER
    counts: Counts = Counts.NOTHING
    mark: str = ""
    spoken: bool = False
    alert: bool = False

    @property
    def returns_attempt(self) -> bool:
        """Tell whether the attempt is given back (promise 7): time is the only bound."""
        return self.retry in (Retry.UNTIL_EXPIRY, Retry.RETRY_AFTER)

    def tell_admin(self, detail: Phrase | str) -> Phrase:
        """Return a sentence that says what happened, with the backend's detail, and what to do."""
        todo = remedy_for(detail) or self.todo
        return w.NOT_ANSWERED(why=self.admin, detail=clause(detail) or w.NO_DETAILS, todo=todo)


def sent_before(reason: Reason) -> Reason:
    """Return the reason of an event that was answered before its run ended by another."""
    return Reason(f"sent_before_{reason}")


def _answered(admin: Phrase) -> Entry:
    return Entry(State.ANSWERED, admin)


def _declined(admin: Phrase, mark: str, user: Phrase) -> Entry:
    return Entry(State.DECLINED, admin, user, mark=mark)


def _doubtful(admin: Phrase, todo: Phrase | None = None) -> Entry:
    return Entry(State.FAILED, admin, w.SAY_DOUBT, todo, mark="⚠️")


def _called_off(admin: Phrase, todo: Phrase | None = None) -> Entry:
    return Entry(State.CANCELLED, admin, w.SAY_CALLED_OFF, todo, mark="⏹️")


def _taken_back(admin: Phrase) -> Entry:
    return Entry(State.CANCELLED, admin)


_CONTEXT_FULL = Entry(
    State.FAILED,
    w.CONTEXT_FULL,
    w.SAY_CONTEXT_FULL,
    w.MEND_CONTEXT_FULL,
    "ContextFull",
    alert=True,
)

_RUNS = {
    # Delivery has the last word.
    Reason.COMPLETED: Entry(None, w.COMPLETED, counts=Counts.SUCCESS),
    Reason.CANCELLED: Entry(
        State.CANCELLED, w.CANCELLED, w.SAY_CANCELLED, w.MEND_RETRY, "CancelledError"
    ),
    Reason.CONFIG: Entry(
        State.FAILED, w.CONFIG, w.SAY_CONFIG, w.MEND_CONFIG, "HTTPException", alert=True
    ),
    Reason.BUSY: Entry(
        State.EXPIRED, w.BUSY, w.SAY_BUSY, w.MEND_RETRY, "ConversationBusy", Retry.UNTIL_EXPIRY
    ),
    Reason.OVERLOADED: Entry(
        State.EXPIRED,
        w.OVERLOADED,
        w.SAY_OVERLOADED,
        w.MEND_OVERLOADED,
        "HTTPException",
        Retry.RETRY_AFTER,
        Counts.PROVIDER,
    ),
    Reason.FAILED: Entry(
        State.FAILED,
        w.FAILED,
        w.SAY_FAILED,
        w.MEND_FAILED,
        "AgentError",
        Retry.ATTEMPTS,
        Counts.AGENT,
    ),
    # Those who asked can help themselves, and what anybody may write is no fault of the agent's.
    Reason.CONTENT_REFUSED: Entry(
        State.FAILED,
        w.CONTENT_REFUSED,
        w.SAY_CONTENT_REFUSED,
        w.MEND_CONTENT_REFUSED,
        "ContentRefused",
    ),
    Reason.IMAGE_REFUSED: Entry(
        State.FAILED, w.IMAGE_REFUSED, w.SAY_IMAGE_REFUSED, w.MEND_IMAGE_REFUSED, "ContentRefused"
    ),
    Reason.CONTEXT_FULL: _CONTEXT_FULL,
    # Once for each turn: what is too long again then has no room of itself.
    Reason.COMPACTED: _CONTEXT_FULL._replace(admin=w.COMPACTED, retry=Retry.ATTEMPTS),
    Reason.UNREACHABLE: Entry(
        State.EXPIRED,
        w.UNREACHABLE,
        w.SAY_UNREACHABLE,
        w.MEND_UNREACHABLE,
        "HTTPException",
        Retry.UNTIL_EXPIRY,
        Counts.SERVER,
    ),
    # Nothing was to be seen of it, or it is not tried again: an outage in mid-turn must not cost
    # an answer either.
    Reason.LOST: Entry(
        State.FAILED,
        w.LOST,
        w.SAY_LOST,
        w.MEND_LOST,
        "HTTPException",
        Retry.ATTEMPTS,
        Counts.AGENT,
    ),
    Reason.OWN_TOOLS: Entry(
        State.FAILED, w.OWN_TOOLS, w.SAY_CONFIG, w.MEND_OWN_TOOLS, "HTTPException", alert=True
    ),
    # Its alert is one of its own, for it is told also where there was an answer.
    Reason.TRIPPED: Entry(
        State.FAILED,
        w.TRIPPED,
        w.SAY_TRIPPED,
        w.MEND_TRIPPED,
        "AgentError",
        counts=Counts.BREACH,
    ),
    Reason.TIMEOUT: Entry(
        State.FAILED, w.TIMEOUT, w.SAY_TIMEOUT, w.MEND_TIMEOUT, "TimeoutError", counts=Counts.AGENT
    ),
    # Counted for no breaker: whoever can talk an agent into a loop could stop it for all.
    Reason.STUCK: Entry(State.FAILED, w.STUCK, w.SAY_STUCK, w.MEND_STUCK, "StuckError"),
    # Its attempts are counted apart (promise 7), by Event.crashes, and so are its ends.
    Reason.CRASH: Entry(None, w.CRASH, w.SAY_CRASH, w.MEND_CRASH, "InternalError", Retry.ATTEMPTS),
}

_ENDS = {
    Reason.SENT: _answered(w.SENT),
    Reason.REACTED: _answered(w.REACTED),
    Reason.DELIVERED: _answered(w.DELIVERED),
    Reason.ASKED: _answered(w.ASKED),
    **{
        sent_before(reason): _answered(w.SENT_BEFORE(what=entry.admin))
        for reason, entry in _RUNS.items()
        if reason is not Reason.COMPLETED
    },
    Reason.SENT_BEFORE_UNLOADED: _answered(w.SENT_BEFORE(what=w.UNLOADED)),
    Reason.NO_ANSWER: _declined(w.NO_ANSWER, "💤", w.SAY_NO_ANSWER),
    Reason.ANSWERED_ELSEWHERE: _declined(
        w.ANSWERED_ELSEWHERE, "💤", w.SAY_ANSWERED_ELSEWHERE
    )._replace(spoken=True),
    Reason.TEXT_NOT_DELIVERED: _declined(w.TEXT_NOT_DELIVERED, "💬", w.SAY_TEXT_WITHHELD),
    Reason.POISON: _RUNS[Reason.CRASH]._replace(state=State.FAILED, admin=w.POISON),
    Reason.CRASHED: _RUNS[Reason.CRASH]._replace(state=State.FAILED, admin=w.CRASHED),
    Reason.UNKNOWN_FATE: _doubtful(w.UNKNOWN_FATE),
    Reason.DISCORD_ERROR: _doubtful(w.DISCORD_ERROR),
    Reason.DISCORD_TIMEOUT: _doubtful(w.DISCORD_TIMEOUT),
    Reason.NOT_CONNECTED: _doubtful(w.NOT_CONNECTED),
    Reason.FORBIDDEN: _doubtful(w.FORBIDDEN, w.MEND_RIGHTS),
    Reason.AUTOMOD: _doubtful(w.AUTOMOD),
    Reason.DM_CLOSED: _doubtful(w.DM_CLOSED),
    Reason.CHANNEL_GONE: _doubtful(w.CHANNEL_GONE),
    Reason.MESSAGE_GONE: _doubtful(w.MESSAGE_GONE),
    Reason.THREAD_ARCHIVED: _doubtful(w.THREAD_ARCHIVED),
    Reason.THREAD_LOCKED: _doubtful(w.THREAD_LOCKED),
    Reason.NOT_FOUND: _doubtful(w.NOT_FOUND),
    Reason.REFUSED_BY_DISCORD: _doubtful(w.REFUSED_BY_DISCORD),
    Reason.EMPTY: _doubtful(w.EMPTY),
    # Nothing ends by it any more; older ledgers have it.
    Reason.TOO_LONG: _doubtful(w.TOO_LONG),
    Reason.UNKNOWN_EMOJI: _doubtful(w.UNKNOWN_EMOJI),
    Reason.TOO_MANY_REACTIONS: _doubtful(w.TOO_MANY_REACTIONS),
    Reason.MISUSED: _doubtful(w.MISUSED),
    Reason.TOOL_TALK: _doubtful(w.TOOL_TALK),
    Reason.MAY_NOT_SEND: _doubtful(w.MAY_NOT_SEND),
    Reason.MAY_NOT_REACT: _doubtful(w.MAY_NOT_REACT),
    Reason.AUTHOR_TIMED_OUT: _doubtful(w.AUTHOR_TIMED_OUT),
    Reason.AUTHOR_GONE: _doubtful(w.AUTHOR_GONE),
    Reason.GUILD_GONE: _doubtful(w.GUILD_LEFT),
    Reason.WIDER_AUDIENCE: _doubtful(w.WIDER_AUDIENCE, w.MEND_AUDIENCE),
    Reason.UNKNOWN_CHANNEL: _doubtful(w.UNKNOWN_CHANNEL),
    Reason.NO_MESSAGES: _doubtful(w.NO_MESSAGES),
    Reason.AGE_RESTRICTED: _doubtful(w.AGE_RESTRICTED),
    Reason.SLOWMODE: _doubtful(w.SLOWMODE),
    Reason.PAUSED: _called_off(w.PAUSED, w.MEND_RETRY),
    Reason.AGENT_CHANGED: _called_off(w.AGENT_CHANGED, w.MEND_RETRY),
    Reason.STOPPED: _called_off(w.STOPPED, w.MEND_RETRY),
    Reason.CLEARED: _called_off(w.CLEARED),
    Reason.DISABLED: _called_off(w.DISABLED),
    Reason.FORGOTTEN: _called_off(w.FORGOTTEN),
    Reason.MENTION_REMOVED: _taken_back(w.MENTION_REMOVED),
    Reason.MESSAGE_DELETED: _taken_back(w.MESSAGE_DELETED),
    Reason.CHANNEL_DELETED: _taken_back(w.CHANNEL_DELETED),
    Reason.THREAD_DELETED: _taken_back(w.THREAD_DELETED),
    Reason.GUILD_LEFT: _taken_back(w.GUILD_LEFT),
    Reason.NO_ACCESS: _taken_back(w.NO_ACCESS),
    Reason.WAITED_TOO_LONG: Entry(State.EXPIRED, w.WAITED_TOO_LONG, w.SAY_TOO_LATE, w.MEND_RETRY),
}

GATES = {
    # Asked before a message is accepted, and most again when its turn has come.
    Reason.BOT: Entry(None, w.BOT),
    Reason.NOT_ADDRESSED: Entry(None, w.NOT_ADDRESSED),
    Reason.AWAITED: Entry(None, w.AWAITED),
    Reason.COMMAND: Entry(None, w.COMMAND),
    Reason.OTHER_BOTS_COMMAND: Entry(None, w.OTHER_BOTS_COMMAND, todo=w.MEND_PREFIXES),
    Reason.OTHER_COGS_MESSAGE: Entry(None, w.OTHER_COGS_MESSAGE, todo=w.MEND_REPLIES),
    Reason.BOTS_ALONE: Entry(None, w.BOTS_ALONE, todo=w.MEND_BOTS_ALONE),
    Reason.DM_DISABLED: _called_off(w.DM_DISABLED),
    Reason.NOT_CONFIGURED: _called_off(w.NOT_CONFIGURED, w.MEND_NOT_CONFIGURED),
    Reason.NOT_ENABLED: _called_off(w.NOT_ENABLED, w.MEND_NOT_ENABLED),
    Reason.COG_DISABLED: _called_off(w.COG_DISABLED),
    Reason.CANNOT_SEND: _called_off(w.CANNOT_SEND, w.MEND_RIGHTS),
    Reason.INELIGIBLE: _called_off(w.INELIGIBLE),
    Reason.KEPT_OUT: _called_off(w.KEPT_OUT, w.MEND_KEPT_OUT),
    Reason.OFF_LIMITS: _called_off(w.OFF_LIMITS, w.MEND_OFF_LIMITS),
    Reason.DM_NO_AGENT: _called_off(w.DM_NO_AGENT, w.MEND_DM_NO_AGENT)._replace(
        user=w.SAY_DM_NO_AGENT
    ),
    Reason.FULL: Entry(None, w.FULL, w.SAY_FULL, w.MEND_FULL, mark="⏳"),
    Reason.PERSON_FULL: Entry(
        None, w.PERSON_FULL, w.SAY_PERSON_FULL, w.MEND_PERSON_FULL, mark="⏳"
    ),
    Reason.TOO_OFTEN: Entry(None, w.TOO_OFTEN, w.SAY_TOO_OFTEN, w.MEND_TOO_OFTEN, mark="⏳"),
    Reason.SHUT: Entry(None, w.SHUT, w.SAY_CALLED_OFF, mark="⏹️"),
    Reason.DUPLICATE: Entry(None, w.DUPLICATE),
}

REASONS: Mapping[Reason, Entry] = {
    **_RUNS,
    **_ENDS,
    **GATES,
    # What a tool or a command is denied; nothing ends by it.
    Reason.MAY_NOT_READ: Entry(),
    Reason.NO_STANDING: Entry(),
    Reason.NARROWER_AUDIENCE: Entry(),
    Reason.MEMORY_DENIED: Entry(),
    # What is told of an event that waits again.
    Reason.UNLOADED: Entry(None, w.UNLOADED),
    Reason.REVIVED: Entry(None, w.REVIVED),
}
"""Every reason has its entry."""

POSTPONED = (Reason.NOT_CONNECTED, Reason.PAUSED, Reason.DISCORD_TIMEOUT)
"""By these an answer is not delivered now, and will be.

The bot is away, Aurora is paused, or Discord makes the bot wait.
"""
