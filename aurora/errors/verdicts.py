"""How a run can end, and what follows from it: the one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ..agents.protocol import Outcome
from ..model import State

Cause = Outcome | Literal["timeout", "crash"]
"""An outcome the backend reports, a run stopped at its time limit, or a fault of Aurora's own."""


class Retry(StrEnum):
    """How a turn is tried again; never once anything visible was sent (DESIGN promise 6)."""

    NEVER = "never"
    ATTEMPTS = "attempts"  # with backoff, as often as RetryConfig.max_attempts says
    UNTIL_EXPIRY = "until expiry"  # with backoff, until the event expires
    RETRY_AFTER = "retry after"  # when the server says, until the event expires


class Counts(StrEnum):
    """Which breaker a result counts for."""

    SUCCESS = "success"
    SERVER = "server"
    AGENT = "agent"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one way to end.

    `state` is the event's final state when it is not, or no longer, retried. `error` is the name
    ErrorStats counts it under, None for a success. `user` is what the person reads, one plain
    sentence or two; `admin` is the same for those who can look inside. `alert` asks to show
    `admin`, once, to whoever can mend it; otherwise it is for logs and status.
    """

    state: State
    retry: Retry
    counts: Counts
    error: str | None
    user: str
    admin: str
    alert: bool = False

    @property
    def returns_attempt(self) -> bool:
        """Tell whether the attempt is given back (DESIGN promise 7): time is the only bound."""
        return self.retry in (Retry.UNTIL_EXPIRY, Retry.RETRY_AFTER)

    def tell_admin(self, detail: str) -> str:
        """Return the admin's text with the backend's detail filled in."""
        return self.admin.format(detail=detail.rstrip(".") or "no details were given")


VERDICTS: Mapping[Cause, Verdict] = {
    Outcome.COMPLETED: Verdict(
        # Delivery has the last word: a turn without any answer is declined.
        State.ANSWERED,
        Retry.NEVER,
        Counts.SUCCESS,
        error=None,
        user="",
        admin="",
    ),
    Outcome.CANCELLED: Verdict(
        State.CANCELLED,
        Retry.NEVER,
        Counts.NOTHING,
        error="CancelledError",
        user="This was cancelled before I could answer.",
        admin="The run was cancelled: {detail}.",
    ),
    Outcome.CONFIG: Verdict(
        State.FAILED,
        Retry.NEVER,
        Counts.NOTHING,
        error="HTTPException",
        user="I am not set up correctly, so I cannot answer until an admin has looked into it.",
        admin="The agent server refused the request: {detail}. Check the server's address, the "
        "token, the account's credits and the agent's id; then ask again.",
        alert=True,
    ),
    Outcome.BUSY: Verdict(
        State.EXPIRED,
        Retry.UNTIL_EXPIRY,
        Counts.NOTHING,
        error="ConversationBusy",
        user="My agent was busy with something else for too long. Please ask again later.",
        admin="Another run held the conversation until the event expired: {detail}.",
    ),
    Outcome.OVERLOADED: Verdict(
        State.EXPIRED,
        Retry.RETRY_AFTER,
        Counts.NOTHING,
        error="HTTPException",
        user="My agent has too much to do at the moment. Please try again in a little while.",
        admin="The provider asked for patience (429) until the event expired: {detail}. "
        "Check the account's limits.",
    ),
    Outcome.FAILED: Verdict(
        State.FAILED,
        Retry.ATTEMPTS,
        Counts.AGENT,
        error="AgentError",
        user="Something went wrong while my agent worked on this. Please try again later.",
        admin="The agent or its model failed: {detail}. Check the agent's model and the agent "
        "server's log.",
    ),
    Outcome.UNREACHABLE: Verdict(
        State.EXPIRED,
        Retry.UNTIL_EXPIRY,
        Counts.SERVER,
        error="HTTPException",
        user="I could not reach my agent. Please try again in a little while.",
        admin="The agent server could not be reached until the event expired: {detail}. Check "
        "that it runs and that its address is right.",
    ),
    Outcome.LOST: Verdict(
        State.FAILED,
        # Nothing was to be seen of it, or it is not tried again: an outage in mid-turn must not
        # cost an answer either.
        Retry.ATTEMPTS,
        Counts.AGENT,
        error="HTTPException",
        user="I lost touch with my agent before it could answer. Please ask again.",
        admin="The agent server took the input, and what became of it is not known: {detail}. "
        "Check the line to the server, and the server's log.",
    ),
    "timeout": Verdict(
        State.FAILED,
        Retry.NEVER,
        Counts.AGENT,
        error="TimeoutError",
        user="My agent took too long to answer, so I stopped waiting.",
        admin="The run was stopped at its time limit: {detail}. If the agent needs longer, raise "
        "`config timeout`.",
    ),
    "crash": Verdict(
        # Its attempts are counted apart (DESIGN promise 7): by Event.crashes.
        State.FAILED,
        Retry.ATTEMPTS,
        Counts.NOTHING,
        error="InternalError",
        user="Something went wrong on my side, so I cannot answer this. Please ask again.",
        admin="Aurora itself failed on this event: {detail}. The log has the traceback.",
    ),
}
"""Every cause has its row."""


def verdict(cause: Cause) -> Verdict:
    """Return what follows from a cause."""
    return VERDICTS[cause]
