"""Calling off: who ends, who goes on, who is shown it, and that there is no other way."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aurora.agents.protocol import Accepted
from aurora.model import Event, State
from aurora.queue.selecting import Selector
from aurora.reasons import Reason
from aurora.runs.cancelling import (
    Running,
    Show,
    by,
    everything,
    in_channel,
    in_guild,
    messages,
)
from tests.support.events import make_event
from tests.support.house import ROOT
from tests.support.scripts import NEVER
from tests.support.workers import Bench, start_bench


async def busy(benches: list[Bench]) -> tuple[Bench, Event, Event, Event]:
    """Let one event run, one of the same person wait behind it, and one of another lane run."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER], [Accepted(), NEVER])
    running = await bench.ask(author_id=1)
    waiting = await bench.ask(author_id=1)
    other = await bench.ask(author_id=2, channel_id=2)
    return bench, running, waiting, other


@pytest.mark.parametrize("running", list(Running))
async def test_what_runs_is_finished_stopped_or_left(
    benches: list[Bench], running: Running
) -> None:
    """What waits ends, unless all is left to the next Aurora; nobody else notices."""
    bench, runs, waits, other = await busy(benches)
    count = await bench.cancelling.cancel(by(1), Reason.FORGOTTEN, running=running)
    await bench.clock.settle()
    ends = {
        Running.FINISH: (State.RUNNING, State.CANCELLED, 1),
        Running.STOP: (State.CANCELLED, State.CANCELLED, 1),
        Running.LEAVE: (State.WAITING, State.WAITING, 0),
    }
    assert (runs.state, waits.state, count) == ends[running]
    assert other.state is State.RUNNING


async def test_who_was_taken_while_others_were_called_off_is_stopped_too(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many are called off one after the other; nobody's message is answered after `forget`."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER])
    call_off, taken = bench.queue.cancel, []

    async def slowly(*arguments: Any) -> list[Event]:
        taken.append(await bench.ask(author_id=1))
        await bench.clock.settle()
        return await call_off(*arguments)

    monkeypatch.setattr(bench.queue, "cancel", slowly)
    await bench.cancelling.cancel(by(1), Reason.FORGOTTEN, running=Running.STOP)
    assert [event.state for event in taken] == [State.CANCELLED]


@pytest.mark.parametrize(
    ("show", "shown"), [(Show.NOBODY, 0), (Show.OTHERS, 0), (Show.ALL, 1)], ids=str
)
async def test_who_is_shown_it_is_the_callers_choice(
    benches: list[Bench], show: Show, shown: int
) -> None:
    """A deleted message can bear no mark, a cleared queue is news to all who waited."""
    bench, _, waits, _ = await busy(benches)
    await bench.cancelling.cancel(messages({waits.message_id}), Reason.CLEARED, show=show)
    await bench.clock.settle()
    assert bench.square.called_off == [waits.id] * shown


@pytest.mark.parametrize(
    ("meant", "hit"),
    [
        (messages({5, 6}), {"a", "b"}),
        (in_guild(9), {"a", "c"}),
        (in_guild(None), {"b"}),
        (in_channel(1), {"a", "c"}),
        (in_channel(3), {"c"}),
        (by(7), {"a", "b"}),
        (everything, {"a", "b", "c"}),
    ],
)
def test_selectors_mean_what_they_say(meant: Selector, hit: set[str]) -> None:
    """A channel's threads belong to it."""
    events = {
        "a": make_event(message_id=5),
        "b": make_event(message_id=6, channel_id=2, guild_id=None),
        "c": make_event(message_id=8, channel_id=3, parent_id=1, author_id=8),
    }
    assert {name for name, event in events.items() if meant(event)} == hit


def test_nothing_else_calls_anything_off() -> None:
    """Or two ways would disagree about who is told, and what may still get out."""
    ways = re.compile(r"(?<!message_)queue\.cancel\(|\.break_off\(|\.withdraw\(")
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "aurora").rglob("*.py")
        if ways.search(path.read_text(encoding="utf-8"))
    }
    # The worker withdraws what was withheld before its turn had started.
    assert users == {"aurora/runs/cancelling.py", "aurora/runs/worker.py"}
