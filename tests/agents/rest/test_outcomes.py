"""What the REST API's ways to fail mean."""

from __future__ import annotations

import pytest

from aurora.agents.rest.outcomes import RefusedError, failed, refused
from aurora.reasons import Outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.CONFIG),
        (401, Outcome.CONFIG),
        (402, Outcome.CONFIG),
        (403, Outcome.CONFIG),
        (404, Outcome.CONFIG),
        (405, Outcome.CONFIG),
        (408, Outcome.UNREACHABLE),
        (409, Outcome.BUSY),
        (422, Outcome.CONFIG),
        (429, Outcome.OVERLOADED),
        (500, Outcome.UNREACHABLE),
        (503, Outcome.UNREACHABLE),
    ],
)
def test_every_status_has_its_outcome(status: int, outcome: Outcome) -> None:
    """A request that was refused at once was not accepted."""
    assert refused(RefusedError(status, {"detail": "secret"}, {})).outcome is outcome


def test_the_servers_words_are_not_repeated() -> None:
    """They hold ids of accounts, and sometimes what a user wrote."""
    said = {"detail": "Conversation not found for actor='secret'"}
    assert "secret" not in str(refused(RefusedError(404, said, {})).detail)


def test_a_page_that_is_no_api_is_named_as_a_wrong_address() -> None:
    """Any web server answers 404."""
    assert "no Letta REST API" in str(refused(RefusedError(404, {}, {})).detail)


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("0", None), ("Wed, 21 Oct", None), ("999999", 3600.0)]
)
def test_the_wait_that_the_server_names_is_kept(text: str, seconds: float | None) -> None:
    """In seconds, and within reason."""
    assert refused(RefusedError(429, {}, {"retry-after": text})).retry_after == seconds


@pytest.mark.parametrize(
    ("kind", "detail", "outcome"),
    [
        ("llm_rate_limit", "", Outcome.OVERLOADED),
        ("llm_authentication", "", Outcome.CONFIG),
        ("llm_timeout", "", Outcome.FAILED),
        ("llm_empty_response", "", Outcome.FAILED),
        ("llm_error", "Error code: 500 - {}", Outcome.FAILED),
        ("llm_error", "Error code: 400 - {}", Outcome.CONFIG),
        ("llm_error", "Error code: 429 - {}", Outcome.OVERLOADED),
        ("llm_error", "Error code: 409 - {}", Outcome.FAILED),
        ("context_window_overflow_in_system_prompt", "", Outcome.CONFIG),
        ("internal_error", "", Outcome.FAILED),
        ("stream_incomplete", "", Outcome.FAILED),
        ("something_new", "", Outcome.FAILED),
        ("", "", Outcome.FAILED),
    ],
)
def test_every_error_in_a_stream_has_its_outcome(kind: str, detail: str, outcome: Outcome) -> None:
    """The provider's status, where there is one, decides a general error."""
    assert failed({"error_type": kind, "detail": detail}).outcome is outcome


@pytest.mark.parametrize(
    "error",
    [
        RefusedError(409, {"detail": {"code": "PENDING_APPROVAL", "pending_request_id": "m"}}, {}),
        RefusedError(
            200,
            {"error_type": "internal_error", "message": "The agent is waiting for approval on a"},
            {},
        ),
    ],
)
def test_a_call_that_waits_is_recognised(error: RefusedError) -> None:
    """As a status of its own and inside a stream; the conversation is busy."""
    assert error.says_call_waits
    assert refused(error).outcome is Outcome.BUSY


def test_a_busy_conversation_names_its_holder() -> None:
    """So that it can be waited for."""
    error = RefusedError(409, {"run_id": "run-1"}, {})
    assert (refused(error).outcome, error.holder) == (Outcome.BUSY, "run-1")
