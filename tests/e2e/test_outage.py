"""Outages of Letta's server under load: 60 channels in 10 guilds, 60 people, and nobody is lost.

Time is compressed: breaker, retries, expiry and pace go by a clock that runs faster, while the
agents answer as much faster; no run shows its progress then. `make soak` has the same drills at
the clock's own speed, and lets people ask for longer before and after.
"""

from __future__ import annotations

from pathlib import Path

from tests.soak.outage import OutageReport, run_outage


async def test_a_restart_of_four_seconds_is_nobodys_news(tmp_path: Path) -> None:
    """At twenty questions a second, in real time: all go on at once, and nobody is told."""
    report = await run_outage(4.0, speed=1.0, folder=tmp_path, per_second=20.0, around=4.0)
    assert report.violations == []
    assert report.sent_in_outage >= 60
    assert (report.notices, report.alerts) == (0, [])
    assert report.flows_after <= 6.0


async def test_half_a_minute_without_letta_ends_within_seconds(tmp_path: Path) -> None:
    """Nobody waits out the breaker's minute; the time here is five times as fast."""
    report = await run_outage(35.0, speed=5.0, folder=tmp_path, per_second=4.0)
    assert report.violations == []
    assert report.notices
    assert report.flows_after <= 10.0


def assert_good(report: OutageReport) -> None:
    """See that each question was answered once and in order, and that nobody was told twice."""
    assert report.violations == []
    assert set(report.ends) <= {"answered (sent)", "answered (delivered)"}
    assert report.notices == 60
    down, up = report.alerts
    assert "can't be reached" in down
    assert "again, after" in up


async def test_a_minute_without_letta_loses_nobody(tmp_path: Path) -> None:
    """Five mentions a second; the breaker is closed within 5 s of the first good probe."""
    report = await run_outage(60.0, speed=12.0, folder=tmp_path)
    assert report.sent_in_outage >= 300
    assert_good(report)


async def test_ten_minutes_without_letta_lose_nobody(tmp_path: Path) -> None:
    """As many mentions over ten times the time: what waited longest is not yet too old."""
    report = await run_outage(600.0, speed=50.0, folder=tmp_path, per_second=0.5)
    assert report.sent_in_outage >= 300
    assert_good(report)


async def test_what_waits_longer_than_a_quarter_of_an_hour_expires_with_a_notice(
    tmp_path: Path,
) -> None:
    """Old questions end as expired, each person told; younger ones are answered."""
    report = await run_outage(1000.0, speed=100.0, folder=tmp_path, per_second=0.2)
    assert report.violations == []
    kinds = {end.partition(" ")[0] for end in report.ends}
    assert kinds == {"answered", "expired"}
    assert report.sent_in_outage >= 200
