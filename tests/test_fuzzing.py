"""Whatever comes in or goes out: no exception, no fence closed from inside, nothing that hangs.

This is the short form; `make soak ARGS=fuzz` goes on for longer, with atheris where it is there,
and measures the times exactly.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fuzzing import HOSTILE, TARGETS, WORK, Source, seconds_for


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks_it(target: str) -> None:
    """What must hold of each target stands beside it."""

    @settings(max_examples=40, deadline=None)
    @given(st.binary(max_size=400))
    def fuzz(data: bytes) -> None:
        TARGETS[target](Source(data))

    fuzz()


@pytest.mark.parametrize("work", WORK)
def test_no_long_line_holds_it_up(work: str) -> None:
    """A pattern that goes back and forth would take minutes; the bound is wide on purpose."""
    for text in HOSTILE[::3]:
        assert seconds_for(WORK[work], text[:30_000], tries=1) < 1.0, repr(text[:20])
