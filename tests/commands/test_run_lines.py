"""What is said of a run that failed, and at which step it did."""

from __future__ import annotations

import pytest

from aurora.commands.run_lines import LEVELS, MARKS, link_to, state_of_task
from aurora.model import State
from aurora.reasons import REASONS, Level, Reason, level_of
from tests.support.events import make_event


def test_each_level_of_errors_has_its_words() -> None:
    """The four of the document, none like another."""
    assert set(LEVELS) == set(Level)
    assert len({words.text for words in LEVELS.values()}) == 4


@pytest.mark.parametrize("reason", Reason)
def test_what_failed_failed_at_the_agents_side_or_at_discords(reason: Reason) -> None:
    """And what did not fail has no level."""
    failed = REASONS[reason].state in (State.FAILED, State.EXPIRED)
    assert (level_of(reason) in (Level.EXECUTION, Level.PLATFORM)) == failed


@pytest.mark.parametrize(
    ("reason", "level"),
    [
        (Reason.TIMEOUT, "execution error"),
        (Reason.UNREACHABLE, "execution error"),
        (Reason.WAITED_TOO_LONG, "execution error"),
        (Reason.FORBIDDEN, "platform error"),
        (Reason.UNKNOWN_FATE, "platform error"),
    ],
)
def test_the_level_is_said_with_the_reason(reason: Reason, level: str) -> None:
    """So that people know whom to ask."""
    event = make_event(state=REASONS[reason].state, reason=reason)
    assert str(state_of_task(event)).endswith(f", {level}")


def test_each_state_has_one_of_the_documents_marks() -> None:
    """They are for who looks at tasks."""
    assert set(MARKS) == set(State)
    assert set(MARKS.values()) == {"⏳", "▶️", "✅", "❌", "🚫"}


def test_what_came_by_no_message_leads_to_its_anchor_or_its_channel() -> None:
    """Its id is that of no message."""
    asked = make_event(kind="ask", message_id=5, anchor_id=6, channel_id=1, guild_id=9)
    assert link_to(asked) == "<https://discord.com/channels/9/1/6>"
    asked.anchor_id = None
    assert link_to(asked) == "<https://discord.com/channels/9/1>"
    assert link_to(make_event(message_id=7, guild_id=None)).endswith("/@me/1/7>")
