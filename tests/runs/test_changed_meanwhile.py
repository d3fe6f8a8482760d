"""What an admin changes while an agent is at it: nothing gets out against it, nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.agents.protocol import Accepted
from aurora.model import State
from aurora.runs.pausing import Pauses
from tests.support.scripts import by_tool, done
from tests.support.workers import Bench, start_bench


def pauses(bench: Bench) -> Pauses:
    """Return what begins and ends a bench's pauses."""
    return Pauses(bench.settings, bench.queue, bench.clock)


@pytest.mark.parametrize("crash", [False, True])
async def test_an_answer_that_a_pause_holds_back_is_delivered_once_it_ends(
    benches: list[Bench], *, crash: bool
) -> None:
    """By the same run, however long the pause lasts, whether Aurora lives through it or not."""
    bench, backend = await start_bench(benches)

    async def pause(_tools: Any) -> None:
        await pauses(bench).begin(9)

    backend.turns = [[Accepted(), pause, by_tool("By tool"), done("In the end.")]]
    event = await bench.ask()
    await bench.clock.advance(3600)
    assert (await bench.kept(event)).state is State.WAITING
    assert bench.square.posts == []
    if crash:
        bench = await bench.again()
        benches.append(bench)
        await bench.clock.advance(3600)
        assert bench.square.posts == []
    await pauses(bench).end(9)
    await bench.clock.advance(60)
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.ANSWERED, "delivered")
    assert bench.square.delivered == ["In the end."]
    assert len(backend.seen) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"enabled": False}, "not_enabled"), ({"agent_id": "b"}, "agent_changed")],
)
async def test_what_was_switched_off_says_nothing_more(
    benches: list[Bench], changed: dict[str, Any], reason: str
) -> None:
    """Neither by tool nor as text; the person sees that nothing will come."""
    bench, backend = await start_bench(benches)

    async def change(_tools: Any) -> None:
        await bench.settings.set_guild(9, **changed)

    backend.turns = [[Accepted(), change, by_tool("By tool"), done("In the end.")]]
    await bench.settings.set_world(letta_base_url="ws://test")
    event = await bench.ask()
    assert (event.state, event.reason) == (State.CANCELLED, reason)
    assert [post.text for post in bench.square.posts] == ["⏹️"]
