"""Work behind commands and listeners: it runs, it ends with the cog, and its trouble is told."""

from __future__ import annotations

import asyncio

import pytest

from aurora.runs.background import Background


async def test_work_is_given_its_time_to_end() -> None:
    """What takes no longer than the grace is done."""
    background, done = Background(), []

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append(True)

    background.start(work(), "works")
    await background.stop(5)
    assert done == [True]


async def test_what_takes_too_long_is_cancelled() -> None:
    """No task is left when `stop` returns."""
    background = Background()
    background.start(asyncio.sleep(60), "sleeps")
    async with asyncio.timeout(10):
        await background.stop(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failure_is_logged_under_the_name_of_the_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody waits for it who could see it."""
    background = Background()

    async def fail() -> None:
        raise LookupError("no such thing")

    background.start(fail(), "fails: 7")
    await background.stop(1)
    assert "aurora fails: 7" in caplog.text
    assert "no such thing" in caplog.text
