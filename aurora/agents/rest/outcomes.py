"""How the REST API refuses a request or ends a run, in the words of the table for all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...reasons import AuroraError, Outcome
from ...words import servers as w
from ..causes import cause_of
from ..frames import Frame, part, word
from ..outcomes import STATUSES, Ending, of_provider, stopped

REQUIRES_APPROVAL = "requires_approval"

# Behind a proxy these may hide a request that arrived.
UNSURE = frozenset({502, 504, 520, 522, 524})

_PROVIDER_STATUS = re.compile(r"\bError code: ([45]\d\d)\b")
_WAITING = Ending(Outcome.BUSY, w.CALL_WAITS)
_LONGEST_WAIT_SECONDS = 3600.0


class RefusedError(AuroraError):
    """The server answered with an error, at once (its status) or inside a stream (200)."""

    def __init__(self, status: int, body: Frame, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def detail(self) -> str:
        """Return the server's own words, for decisions only."""
        said = self.body.get("detail")
        return said if isinstance(said, str) else word(self.body, "message")

    @property
    def says_no_background(self) -> bool:
        """Tell whether the server lacks what background runs need."""
        return self.status == 503 and "Background" in self.detail

    @property
    def says_call_waits(self) -> bool:
        """Tell whether a tool call of an earlier run waits for its answer."""
        if self.status == 200:
            return _call_waits(self.body)
        return word(part(self.body, "detail"), "code") == "PENDING_APPROVAL"

    @property
    def holder(self) -> str:
        """Return the run that holds the conversation, where the server named it."""
        return word(self.body, "run_id")


def failed(error: Frame) -> Ending:
    """Classify an error message from inside a stream, or from a failed run's record."""
    if _call_waits(error):
        return _WAITING
    ending = stopped(word(error, "error_type"))
    if ending.outcome is not Outcome.FAILED:
        return ending
    found = _PROVIDER_STATUS.search(_said(error))
    status = int(found[1]) if found else None
    if (cause := cause_of(_said(error), status)) is not None:
        return Ending(cause.outcome, cause.detail)
    return ending if status is None else of_provider(status)


def refused(error: RefusedError) -> Ending:
    """Classify what the server answered with."""
    if error.status == 200:
        return failed(error.body)
    if error.says_call_waits:
        return _WAITING
    if error.status >= 500:
        other = (Outcome.UNREACHABLE, w.SERVER_FAILED)
    else:
        other = (Outcome.CONFIG, w.OTHER_KIND)
    outcome, detail = STATUSES.get(error.status, other)
    if error.status == 404 and error.detail in ("", "Not Found"):
        detail = w.NO_REST_HERE
    return Ending(
        outcome, w.WITH_STATUS(what=detail, status=error.status), _seconds(error.headers)
    )


def ending_of(run: Frame) -> Ending:
    """Classify the record of a run that is over."""
    error = part(part(run, "metadata"), "error")
    if word(run, "status") == "failed" and error:
        return failed(error)
    reason = "cancelled" if word(run, "status") == "cancelled" else word(run, "stop_reason")
    return stopped(reason or "error")


def _call_waits(error: Frame) -> bool:
    return "waiting for approval" in _said(error)


def _said(error: Frame) -> str:
    return f"{word(error, 'message')} {word(error, 'detail')}"


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long the server asks to be left alone."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS) if seconds > 0 else None
