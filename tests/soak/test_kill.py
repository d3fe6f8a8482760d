"""Twenty lives of Aurora that end by kill -9; `make soak` has two hundred."""

from __future__ import annotations

from pathlib import Path

from .kills import run_kills


async def test_twenty_kills_lose_nothing_and_answer_nothing_twice(tmp_path: Path) -> None:
    """What was accepted has one end that is seen, in its order; the file is whole and empty."""
    report = await run_kills(20, seed=4, folder=tmp_path)
    assert report.violations == []
    assert report.accepted > 60
    assert report.rerun > 0, "no kill hit a run"
