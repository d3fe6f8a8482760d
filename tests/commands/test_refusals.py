"""What `queue retry` says of an event that is not tried again."""

from __future__ import annotations

import pytest

from aurora.commands.refusals import NOT_RETRIED
from aurora.intake.rereading import Lost
from aurora.intake.triggers import Reason
from aurora.model import State
from aurora.queue import Enqueued
from aurora.runs.ports import Trace
from aurora.runs.retrying import RETRIED

# What is no reason: an event in these can be tried again, and these say that nothing is seen.
NONE = {*RETRIED, Trace.END, Trace.NOTHING, Enqueued.ACCEPTED}
# Found out only when an event's turn has come; here the message can't be fetched then.
LATER = {Reason.GUILD_LEFT, Reason.NO_ACCESS}


@pytest.mark.parametrize("kind", [State, Trace, Lost, Reason, Enqueued])
def test_every_reason_not_to_try_again_has_words(kind: type[str]) -> None:
    """One without would be an error instead of an answer."""
    assert set(kind) - NONE - LATER <= NOT_RETRIED.keys()  # type: ignore[call-overload]


def test_no_reason_means_two_things() -> None:
    """They come from several lists, and are told apart by their names."""
    every = [one for kind in (State, Trace, Lost, Reason, Enqueued) for one in kind]
    assert len(set(map(str, every))) == len(every)
