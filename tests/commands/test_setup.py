"""What the set-up commands write, and what they keep to themselves."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import AgentInfo
from aurora.commands.agents import named
from aurora.commands.asking import unfenced


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ada's agent", "**Ada's agent** (`agent-1`)"),
        ("**loud**", r"**\*\*loud\*\*** (`agent-1`)"),
        ("", "`agent-1`"),
    ],
)
def test_an_agent_is_named_as_its_maker_wrote_it(name: str, text: str) -> None:
    """No markup of the name's own; none at all is no reason for two stars in a row."""
    assert named(AgentInfo("agent-1", name)) == text


def test_a_name_as_long_as_a_book_leaves_room_for_the_rest() -> None:
    """Discord takes 2,000 characters, and escaping doubles some of them."""
    assert len(named(AgentInfo("agent-1", "*" * 5000))) < 300


@pytest.mark.parametrize("length", range(1, 9))
def test_no_run_of_backticks_ends_a_box(length: int) -> None:
    """Four are a fence and one more, and all of them stay in sight."""
    shown = unfenced(f"a{'`' * length}b")
    assert "``" not in shown
    assert shown.replace("\u200b", "") == f"a{'`' * length}b"
