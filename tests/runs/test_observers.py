"""Those who follow an attempt: each sees every step, and a further one changes nothing."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest

from aurora.agents.protocol import (
    Accepted,
    ModelCalled,
    Reasoning,
    RunEvent,
    ServerLost,
    ToolCalled,
    ToolHost,
    ToolReturned,
    Usage,
)
from aurora.model import Change, Event, Turn
from aurora.queue import MessageQueue
from aurora.runs.models import Models
from aurora.runs.observers import Log, Tokens
from aurora.runs.ports import RunTools
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.queues import QueueBench
from tests.support.scripts import done
from tests.support.workers import Bench, start_bench

STEPS: list[Any] = [Accepted(), Reasoning("secret"), Usage(2, 1), Usage(3, 1)]


class Ear:
    """Notes what it hears."""

    def __init__(self, heard: list[RunEvent], _turn: Turn, _tools: ToolHost) -> None:
        self._heard = heard

    async def saw(self, step: RunEvent) -> None:
        """Note a step."""
        self._heard.append(step)


async def test_a_further_observer_is_one_more_in_the_list(benches: list[Bench]) -> None:
    """It sees all but the end, which is the attempt's own."""
    bench, _ = await start_bench(benches, [*STEPS, done("Hi")])
    heard: list[RunEvent] = []
    bench.worker._observing = [*bench.worker._observing, partial(Ear, heard)]
    event = await bench.ask()
    assert event.state == "answered"
    assert heard == STEPS
    turn = await bench.tried(event)
    assert (turn.prompt_tokens, turn.completion_tokens) == (5, 2)


NO_MODELS = Models(lambda: None, FakeClock())


class Tools:
    """Offers one tool."""

    specs = (type("Spec", (), {"name": "discord_send"}),)


@pytest.fixture
def told() -> list[Change]:
    """Collect what the queue tells of."""
    return []


async def test_the_log_names_tools_and_no_content(
    told: list[Change], caplog: pytest.LogCaptureFixture
) -> None:
    """A name that the model made up may hold anything, and so is not repeated."""
    caplog.set_level(logging.DEBUG, "red.aurora")
    bench = QueueBench()
    queue = MessageQueue(bench.store, bench.rules, bench.clock, told.append)
    log = Log(queue, Turn((make_event(),)), Tools())  # type: ignore[arg-type]  # names are enough
    for step in (
        ToolCalled("1", "discord_send", {"message": "secret"}),
        ToolReturned("1", is_error=True),
        ToolCalled("2", "secret"),
        Reasoning("secret"),
        Reasoning("secret again"),
    ):
        await log.saw(step)
    assert [change.detail for change in told] == ["discord_send", "an unknown tool"]
    assert "secret" not in caplog.text
    assert caplog.text.count("reasoning") == 1


async def test_only_usage_counts(told: list[Change]) -> None:
    """Everything else passes by."""
    turn = Turn((make_event(),))
    tokens = Tokens(NO_MODELS, turn, Tools())  # type: ignore[arg-type]  # it looks at none
    for step in STEPS:
        await tokens.saw(step)
    assert (turn.prompt_tokens, turn.completion_tokens, told) == (5, 2, [])


CALL, RETURN = ToolCalled("1", "discord_send"), ToolReturned("1", is_error=False)


@pytest.mark.parametrize(
    ("steps", "owed"),
    [
        # As an App Server tells of its calls, one by one.
        ([Accepted(), ModelCalled(), Usage(2, 1)], 0),
        ([Accepted(), ModelCalled(), Usage(2, 1), CALL, RETURN, ModelCalled(), Usage(3, 1)], 0),
        # As a REST server does, of several together.
        ([Accepted(), ModelCalled(), CALL, RETURN, ModelCalled(), Usage(5, 2, 2)], 0),
        # Two calls at once are read together.
        ([Accepted(), ModelCalled(), Usage(2, 1), RETURN, RETURN, ModelCalled(), Usage(2, 1)], 0),
        # Broken off: when it was taken, in mid-sentence, with a tool's result, in another try.
        ([Accepted()], 1),
        ([Accepted(), ModelCalled()], 1),
        ([Accepted(), ModelCalled(), Usage(2, 1), CALL, RETURN], 1),
        ([Accepted(), ModelCalled(), ModelCalled(), Usage(2, 1)], 1),
        ([Accepted(), ServerLost(), ModelCalled(), Usage(2, 1)], 1),
        # Never taken.
        ([], 0),
    ],
)  # fmt: skip
async def test_a_call_that_was_not_told_of_is_owed(steps: list[RunEvent], owed: int) -> None:
    """What is unknown is never taken for nothing."""
    turn = Turn((make_event(),))
    tokens = Tokens(NO_MODELS, turn, Tools())  # type: ignore[arg-type]  # it looks at none
    for step in steps:
        await tokens.saw(step)
    assert turn.unmetered == owed


class Line(Ear):
    """Stands for the line that says somebody is typing."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


async def test_typing_follows_the_run(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to know of the answer, and which tools the agent looks further with."""
    bench, _ = await start_bench(benches, [*STEPS, done("Hi")])
    heard: list[RunEvent] = []
    looks: list[bool] = []

    def typing(_event: Event, tools: RunTools) -> Line:
        looks.extend(map(tools.gathers, ("discord_read_messages", "discord_send", "nothing")))
        return Line(heard, None, None)  # type: ignore[arg-type]  # it looks at neither

    monkeypatch.setattr(bench.delivery, "typing", typing)
    await bench.ask()
    assert (heard, looks) == (STEPS, [True, False, False])
