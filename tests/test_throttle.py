"""The throttle: once per key and span, and no memory of what is over."""

from __future__ import annotations

from aurora.clock import Throttle
from tests.support.clocks import FakeClock


async def test_a_key_is_allowed_once_in_its_span_and_others_are_not_affected() -> None:
    """The span counts from the time it was allowed, not from the last try."""
    clock = FakeClock()
    throttle = Throttle(clock, 60.0)
    assert throttle.allow("a")
    await clock.advance(59)
    assert not throttle.allow("a")
    assert throttle.allow("b")
    await clock.advance(1)
    assert throttle.allow("a")
