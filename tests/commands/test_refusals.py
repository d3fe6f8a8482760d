"""What `queue retry` says of an event that is not tried again."""

from __future__ import annotations

import pytest

from aurora.commands.refusals import why_not
from aurora.model import State, Trace
from aurora.reasons import GATES
from aurora.runs.retrying import RETRIED

# An event in these can be tried again, and these say that nothing is seen.
NONE = {*RETRIED, Trace.END, Trace.NOTHING}


@pytest.mark.parametrize("reason", [one for one in (*State, *Trace, *GATES) if one not in NONE])
def test_every_reason_not_to_try_again_has_words(reason: State | Trace) -> None:
    """One without would be an error instead of an answer."""
    assert why_not(reason)
