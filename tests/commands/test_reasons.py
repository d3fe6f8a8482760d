"""What `queue list` shows as a reason can be looked up."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurora.agents.protocol import Outcome
from aurora.errors import VERDICTS
from aurora.guard import policy
from aurora.intake.triggers import Reason
from aurora.runs.recovery import UNKNOWN_FATE
from tests.e2e.test_every_end import ENDS

DOCUMENT = Path(__file__).resolve().parents[2] / "EVENT_SYSTEM_DESIGN.md"

PROVOKED = {reason for _, reason, _ in ENDS}
# A run that went well ends by what it sent; a crash has reasons of its own.
CAUSES = {str(cause) for cause in VERDICTS} - {Outcome.COMPLETED, "crash"}
# An answer that may not be posted ends by what forbids it.
DENIALS = {one.code for one in vars(policy).values() if isinstance(one, policy.Denied)} | {
    policy.MISSING[policy.Act.SEND].code
}
LATER = {UNKNOWN_FATE, "poison", "crashed", "sent_before_crash", "sent_before_unloaded"}


def section(title: str) -> str:
    """Return a section of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("reason", sorted(PROVOKED | CAUSES | DENIALS | LATER | set(Reason)))
def test_every_reason_stands_in_the_table_of_states(reason: str) -> None:
    """Or in the table of refusals, to which it points."""
    text = section("States") + section("Triggers and refusals")
    assert f"`{reason.removeprefix('sent_before_')}`" in text
