"""What a prompt costs beyond what people wrote."""

from __future__ import annotations

import pytest

from aurora.model import Kind
from benchmarks.frames import overhead

MOST = 350
MOST_FOR_A_FURTHER_MESSAGE = 40


@pytest.mark.parametrize("by_text", [False, True])
@pytest.mark.parametrize("kind", ["mention", "reply", "dm"])
def test_a_prompt_costs_at_most_350_tokens_beyond_what_people_wrote(
    kind: Kind, by_text: bool
) -> None:
    """It is paid at each call of the model, and again in every later turn of the conversation."""
    assert overhead(kind, by_text=by_text) <= MOST


@pytest.mark.parametrize("kind", ["mention", "dm"])
@pytest.mark.parametrize("count", [1, 4])
def test_a_message_that_is_answered_too_costs_at_most_40_more(kind: Kind, count: int) -> None:
    """Which it is, when it was sent, and its block."""
    assert overhead(kind, earlier=count) <= MOST + count * MOST_FOR_A_FURTHER_MESSAGE


@pytest.mark.parametrize("count", [1, 5, 10])
def test_a_message_of_the_reply_chain_costs_at_most_40_more(count: int) -> None:
    """Who wrote it, when, and its id."""
    assert overhead("reply", chain=count) <= MOST + count * MOST_FOR_A_FURTHER_MESSAGE
