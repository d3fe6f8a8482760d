"""The throttle: once per key and span, and no memory of what is over."""

from __future__ import annotations

from aurora.clock import Throttle
from tests.support.clocks import FakeClock


async def test_of_several_keys_all_must_be_free_and_then_none_is() -> None:
    """Where one was used nothing is counted for the others."""
    throttle = Throttle(FakeClock(), 60.0)
    assert throttle.allow("channel", "person")
    assert not throttle.allow("channel", "another")
    assert throttle.allow("elsewhere", "another")


async def test_what_is_over_is_forgotten() -> None:
    """A flood of refusals must not fill the memory."""
    clock = FakeClock()
    throttle = Throttle(clock, 60.0)
    for number in range(100):
        assert throttle.allow(number)
    await clock.advance(60)
    assert throttle.allow("a")
    assert list(throttle._last) == ["a"]


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
