"""The simulations of designs that take one event a tick."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.ticking import (
    REFERENCE,
    SPEC,
    Design,
    Mention,
    evenly,
    figures,
    now_and_then,
    simulate,
)

_TICKING = Design("ticking", tick=5.0, pace=0.0, capacity=None)


def test_an_event_waits_for_the_next_tick() -> None:
    """Nothing else adds to it when nothing else is there."""
    outcome = simulate(_TICKING, [Mention(1.0, 0)], phase=2.0)
    assert outcome.added == [pytest.approx(1.0, abs=0.01)]


def test_one_event_is_taken_a_tick_whatever_its_channel() -> None:
    """Mentions in different channels wait for each other."""
    outcome = simulate(_TICKING, [Mention(0.0, one) for one in range(3)], phase=1.0)
    assert outcome.added == [pytest.approx(wait, abs=0.01) for wait in (1.0, 6.0, 11.0)]


def test_an_event_within_the_pace_of_its_channel_goes_behind_the_others() -> None:
    """Its tick is spent, and those behind it overtake it."""
    paced = Design("paced", tick=5.0, pace=5.0, capacity=None)
    mentions = [Mention(0.0, 0), Mention(0.1, 0), Mention(0.2, 1)]
    outcome = simulate(paced, mentions, phase=1.0)
    # The first at 1; the second is put back at 6; the third at 11; the second at 16.
    expected = (1.0, 10.8, 15.9)
    assert outcome.added == [pytest.approx(wait, abs=0.01) for wait in expected]


def test_what_finds_the_queue_full_is_dropped() -> None:
    """Dropped mentions are counted, and add no delay to any figure."""
    small = Design("small", tick=1.0, pace=0.0, capacity=2)
    outcome = simulate(small, [Mention(0.0, one) for one in range(5)], phase=0.5)
    assert (len(outcome.added), outcome.dropped) == (2, 3)


def test_a_queue_without_a_bound_holds_all_that_came() -> None:
    """At fifty a second the reference has taken next to none when the last one comes."""
    outcome = simulate(REFERENCE, evenly(500, 50.0, 50), phase=2.5)
    assert outcome.dropped == 0
    assert outcome.waiting > 490
    assert len(outcome.added) == 500


def test_the_reference_is_as_slow_as_it_was_measured() -> None:
    """On a real Red its median was 8.4 s and its maximum 43 s, at 5.5 to 9 s between mentions."""
    found = {one.name: one.value for one in figures(ours_ms=5.0)}
    assert found["reference_5s_tick_one_channel_p50_s"] == pytest.approx(8.4, rel=0.1)
    assert found["reference_5s_tick_one_channel_max_s"] == pytest.approx(43, rel=0.1)


def test_the_ratio_is_to_our_median() -> None:
    """Half of our median is twice the ratio."""
    slow, fast = ({one.name: one.value for one in figures(ours_ms=ours)} for ours in (5.0, 2.5))
    name = "spec_1s_tick_own_channels_p50_ratio"
    assert fast[name] == pytest.approx(2 * slow[name], abs=1)


def test_a_design_that_does_not_keep_up_has_no_ratio() -> None:
    """It would only say for how long the load went on."""
    ratios = [one.name for one in figures(ours_ms=5.0) if one.name.endswith("ratio")]
    assert len(ratios) == 4
    assert not [name for name in ratios if "per_s" in name]


def test_the_documented_queue_holds_fifty() -> None:
    """At fifty a second it is full within two seconds, and drops nearly all that follows."""
    outcome = simulate(SPEC, evenly(1000, 50.0, 50), phase=0.5)
    assert outcome.waiting == 50
    assert outcome.dropped > 900


def test_mentions_come_in_order_and_as_far_apart_as_said() -> None:
    """The schedule is that of the measurement."""
    mentions = now_and_then(20, 1, seed=3)
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(mentions)]
    assert all(5.5 <= gap <= 9.0 for gap in gaps)
    assert {one.channel for one in mentions} == {0}
