"""What both kinds of server promise of a run, whoever drives it and however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from aurora.agents.outcomes import Ending
from aurora.agents.protocol import Accepted, Finished, RunEvent, Text, ToolCalled, ToolReturned
from aurora.agents.runs import Run, Runs
from aurora.reasons import Outcome
from aurora.words import servers as w
from tests.support.agents.hosts import Tools, end_of_run, given

Drive = Callable[[Run], Awaitable[None]]


def open_run() -> Run:
    """Make a run that nobody drives."""
    return Run(given("agent", "conversation", "hello"), Tools())


def follow(runs: Runs[Run], drive: Drive) -> AsyncGenerator[RunEvent, None]:
    """Open a run that is driven so, and follow it."""
    run = open_run()

    async def driving() -> None:
        await drive(run)

    return runs.follow(run, driving)


async def follow_to_the_end(runs: Runs[Run], drive: Drive) -> list[RunEvent]:
    """Return all events of a run that is driven so."""
    return [event async for event in follow(runs, drive)]


@pytest.fixture
def runs() -> Runs[Run]:
    return Runs("test")


async def test_what_is_told_after_the_end_is_heard_by_nobody(runs: Runs[Run]) -> None:
    """The first end counts, and it is the last event."""

    async def drive(run: Run) -> None:
        run.accept()
        run.accept()
        run.finish(Ending(Outcome.COMPLETED), "Hello.")
        run.finish(Ending(Outcome.LOST))
        run.emit(Text("1", "more"))

    assert await follow_to_the_end(runs, drive) == [
        Accepted(),
        Finished(Outcome.COMPLETED, "Hello."),
    ]


async def test_who_drives_and_tells_no_end_has_cancelled(runs: Runs[Run]) -> None:
    """So that no caller waits for ever."""

    async def drive(run: Run) -> None:
        run.accept()

    assert end_of_run(await follow_to_the_end(runs, drive)) == Finished(Outcome.CANCELLED)


async def test_a_fault_while_driving_is_an_end_without_its_words(
    runs: Runs[Run], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody knows what became of the input; the log has the traceback."""

    async def drive(_run: Run) -> None:
        raise KeyError("secret")

    found = end_of_run(await follow_to_the_end(runs, drive))
    assert found == Finished(Outcome.LOST, detail=w.INSIDE(error="KeyError"))
    assert "A run broke off." in caplog.messages


async def test_driving_goes_on_when_the_caller_leaves(runs: Runs[Run]) -> None:
    """The conversation is taken until the server has let go of it."""
    released = asyncio.Event()

    async def drive(run: Run) -> None:
        run.accept()
        await run.left.wait()
        released.set()

    following = follow(runs, drive)
    await anext(following)
    assert len(list(runs)) == 1
    await following.aclose()
    await asyncio.wait_for(released.wait(), 1)
    await asyncio.sleep(0)
    assert list(runs) == []


async def test_closing_tells_every_caller_and_leaves_no_task(runs: Runs[Run]) -> None:
    """Also where the server confirms nothing; afterwards no run is opened."""

    async def drive(_run: Run) -> None:
        await asyncio.Event().wait()

    following = asyncio.create_task(follow_to_the_end(runs, drive))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await runs.abort(0.01)
    await runs.end()
    assert end_of_run(await following).outcome is Outcome.CANCELLED
    assert [task for task in asyncio.all_tasks() if task.get_name() == "test"] == []
    assert end_of_run(await follow_to_the_end(runs, drive)).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("event", [ToolCalled("1", "discord_send"), ToolReturned("1", False)])
def test_the_text_is_what_stands_after_the_last_tool_step(event: RunEvent) -> None:
    """And a new id starts over, for a dropped stream is said again."""
    run = open_run()
    for one in (Text("1", "before"), event, Text("2", "Hel"), Text("3", "Hel"), Text("3", "lo.")):
        run.emit(one)
    assert run.text == "Hello."


async def test_a_host_that_fails_gives_a_result_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The words may be a user's."""
    result = await Run(given("agent", "1", ""), Tools(fails=True)).use("discord_send", {})
    assert result.is_error
    assert "secret" not in result.text + caplog.text
