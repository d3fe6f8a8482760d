"""What is confirmed survives the loss of power (promise 1)."""

from __future__ import annotations

import pytest

from tests.support.powerloss import Result, run_cuts


@pytest.mark.long
def test_no_cut_loses_what_was_confirmed() -> None:
    """Wherever it falls, the file is whole and every confirmed step of every event is in it."""
    assert run_cuts(40, seed=4) == Result(cuts=40, lost=0, corrupt=0)


def test_the_simulator_finds_what_a_missing_sync_loses() -> None:
    """With `synchronous=NORMAL` SQLite confirms before the disk has it."""
    result = run_cuts(20, seed=4, synchronous="NORMAL")
    assert result.lost > 5
    assert result.corrupt == 0


@pytest.mark.long
def test_the_simulator_finds_what_no_sync_at_all_damages() -> None:
    """With `synchronous=OFF` the file itself breaks."""
    result = run_cuts(40, seed=4, synchronous="OFF")
    assert result.corrupt > 0
