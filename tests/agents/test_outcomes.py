"""The table that says what the words and numbers of an agent server mean."""

from __future__ import annotations

import pytest

from aurora.agents.outcomes import STATUSES, of_provider, stopped
from aurora.reasons import Outcome

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
    assert f"({reason})" not in str(stopped(reason).detail)


def test_no_credits_are_a_matter_of_configuration() -> None:
    """Only the account's owner can mend that, so nothing is tried again."""
    assert stopped("insufficient_credits").outcome is Outcome.CONFIG
    assert STATUSES[402][0] is Outcome.CONFIG


def test_an_unknown_stop_reason_is_a_failure_with_its_name() -> None:
    """A newer server may have new ones."""
    ending = stopped("bored")
    assert (ending.outcome, "bored" in str(ending.detail)) == (Outcome.FAILED, True)


def test_what_is_no_label_is_not_repeated() -> None:
    """It could be anybody's words."""
    assert "secret" not in str(stopped("the secret words of a user").detail)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(status, Outcome.CONFIG) for status in (400, 401, 402, 403, 404, 422)]
    + [(429, Outcome.OVERLOADED)]
    + [(status, Outcome.FAILED) for status in (408, 409, 418, 425, 500, 502, 503)],
)
def test_a_providers_status_is_no_status_of_the_agent_server(
    status: int, outcome: Outcome
) -> None:
    """Nothing was refused, so a status that asks to try again is a failure of the turn."""
    found = of_provider(status, "some_kind")
    assert found.outcome is outcome
    assert str(found.detail) == f"the agent's model provider answered {status} (some_kind)"
