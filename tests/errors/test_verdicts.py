"""The table of what follows from each way to end."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import Outcome
from aurora.errors import (
    NOT_ERRORS,
    VERDICTS,
    Cause,
    Counts,
    Retry,
    verdict,
)
from aurora.model import State

EVERY: list[Cause] = [*Outcome, "timeout", "crash"]
BAD = [cause for cause in EVERY if cause is not Outcome.COMPLETED]


def test_every_cause_has_its_row() -> None:
    """A new outcome without a row would leave its event without an end."""
    assert set(VERDICTS) == set(EVERY)


@pytest.mark.parametrize("cause", EVERY)
def test_every_cause_has_a_final_state(cause: Cause) -> None:
    """Nobody waits for ever."""
    assert verdict(cause).state.final


@pytest.mark.parametrize(
    ("cause", "state", "retry", "counts"),
    [
        (Outcome.COMPLETED, State.ANSWERED, Retry.NEVER, Counts.SUCCESS),
        (Outcome.CANCELLED, State.CANCELLED, Retry.NEVER, Counts.NOTHING),
        (Outcome.CONFIG, State.FAILED, Retry.NEVER, Counts.NOTHING),
        (Outcome.BUSY, State.EXPIRED, Retry.UNTIL_EXPIRY, Counts.NOTHING),
        (Outcome.OVERLOADED, State.EXPIRED, Retry.RETRY_AFTER, Counts.NOTHING),
        (Outcome.FAILED, State.FAILED, Retry.ATTEMPTS, Counts.AGENT),
        (Outcome.UNREACHABLE, State.EXPIRED, Retry.UNTIL_EXPIRY, Counts.SERVER),
        (Outcome.LOST, State.FAILED, Retry.ATTEMPTS, Counts.AGENT),
        ("timeout", State.FAILED, Retry.NEVER, Counts.AGENT),
        ("crash", State.FAILED, Retry.ATTEMPTS, Counts.NOTHING),
    ],
)
def test_each_end_has_the_consequences_the_design_gives_it(
    cause: Cause, state: State, retry: Retry, counts: Counts
) -> None:
    """The table, written a second time, so that no row changes by accident."""
    found = verdict(cause)
    assert (found.state, found.retry, found.counts) == (state, retry, counts)


def test_attempts_are_given_back_where_time_is_the_bound() -> None:
    """An outage, a busy conversation and a rate limit use up no attempt."""
    given_back = {cause for cause in EVERY if verdict(cause).returns_attempt}
    assert given_back == {Outcome.UNREACHABLE, Outcome.BUSY, Outcome.OVERLOADED}


def test_only_misconfiguration_alerts_at_once() -> None:
    """It is the one thing that nothing but a person can mend."""
    assert [cause for cause in EVERY if verdict(cause).alert] == [Outcome.CONFIG]


def test_waiting_and_cancelling_are_no_errors() -> None:
    """They must not raise the error rate."""
    neutral = {cause for cause in EVERY if verdict(cause).error in NOT_ERRORS}
    assert neutral == {Outcome.CANCELLED, Outcome.BUSY}


def test_a_timeout_is_counted_under_its_documented_name() -> None:
    """The README tells people to look for TimeoutError."""
    assert verdict("timeout").error == "TimeoutError"


@pytest.mark.parametrize("cause", BAD)
def test_people_are_told_plainly(cause: Cause) -> None:
    """A short sentence, without placeholders and without words from the machine room."""
    text = verdict(cause).user
    assert 0 < len(text) <= 120
    assert text.endswith(".")
    for word in ("{", "server", "error", "Letta", "HTTP", "429", "token", "breaker", "`"):
        assert word not in text


@pytest.mark.parametrize("cause", BAD)
def test_admins_are_told_the_detail(cause: Cause) -> None:
    """What the backend said stands in the admin's text, braces and all, with one full stop."""
    text = verdict(cause).tell_admin("404: no such agent {x}.")
    assert "404: no such agent {x}" in text
    assert ".." not in text


def test_a_missing_detail_leaves_no_hole() -> None:
    """An empty detail is said to be missing."""
    assert "no details were given" in verdict(Outcome.FAILED).tell_admin("")


def test_the_person_reads_nothing_of_a_success() -> None:
    """The answer speaks for itself."""
    assert verdict(Outcome.COMPLETED).user == ""
