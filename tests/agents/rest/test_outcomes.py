"""What the REST API's ways to fail mean."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import Outcome
from aurora.agents.rest.outcomes import (
    RefusedError,
    failed,
    refused,
    stopped,
)

# As the SDK lists them, without the one that asks for tool calls to be answered.
STOP_REASONS = [
    "end_turn",
    "error",
    "llm_api_error",
    "invalid_llm_response",
    "invalid_tool_call",
    "max_steps",
    "max_tokens_exceeded",
    "no_tool_call",
    "tool_rule",
    "cancelled",
    "insufficient_credits",
    "context_window_overflow_in_system_prompt",
]


@pytest.mark.parametrize("reason", STOP_REASONS)
def test_every_stop_reason_has_its_row(reason: str) -> None:
    """None is called unknown."""
    assert f"({reason})" not in stopped(reason).detail


def test_no_credits_are_a_matter_of_configuration() -> None:
    """Only the account's owner can mend that, so nothing is tried again."""
    assert stopped("insufficient_credits").outcome is Outcome.CONFIG
    assert refused(RefusedError(402, {}, {})).outcome is Outcome.CONFIG


def test_an_unknown_stop_reason_is_a_failure_with_its_name() -> None:
    """A newer server may have new ones."""
    ending = stopped("bored")
    assert (ending.outcome, "bored" in ending.detail) == (Outcome.FAILED, True)


def test_what_is_no_label_is_not_repeated() -> None:
    """It could be anybody's words."""
    assert "secret" not in stopped("the secret words of a user").detail


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
    assert "secret" not in refused(RefusedError(404, said, {})).detail


def test_a_page_that_is_no_api_is_named_as_a_wrong_address() -> None:
    """Any web server answers 404."""
    assert "no Letta REST API" in refused(RefusedError(404, {}, {})).detail


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
    """As a status of its own and inside a stream."""
    assert refused(error).pending


def test_a_busy_conversation_names_its_holder() -> None:
    """So that it can be waited for."""
    assert refused(RefusedError(409, {"run_id": "run-1"}, {})).holder == "run-1"
