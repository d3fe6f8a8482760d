"""Stopping: at every moment, for all in the turn, once, and nothing more gets out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, ConversationKey, ToolCalled
from aurora.model import Event, State
from aurora.reasons import Reason
from tests.support.scripts import NEVER, ScriptedBackend, by_tool, done
from tests.support.workers import Bench, start_bench

WHO = 7


async def waiting(benches: list[Bench]) -> tuple[Bench, Event]:
    """Let an event wait behind another person's."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER])
    await bench.ask(author_id=1)
    return bench, await bench.ask()


async def opening(benches: list[Bench]) -> tuple[Bench, Event]:
    """Let an event be looked at for its rights, before its agent hears of it."""
    bench, _ = await start_bench(benches)
    bench.gate.clear()
    return bench, await bench.ask()


async def silent(benches: list[Bench]) -> tuple[Bench, Event]:
    """Let the model say nothing yet."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER])
    return bench, await bench.ask()


async def acting(benches: list[Bench]) -> tuple[Bench, Event]:
    """Let a tool run for ever."""
    call = ToolCalled("call-1", "discord_read_messages", {"channelId": "1"})
    bench, _ = await start_bench(benches, [Accepted(), call, NEVER])
    return bench, await bench.ask()


async def delivering(benches: list[Bench]) -> tuple[Bench, Event]:
    """Let Discord hold the answer up."""
    bench, _ = await start_bench(benches, [Accepted(), done("Hello.")])
    bench.port.gate.clear()
    return bench, await bench.ask()


MOMENTS = [waiting, opening, silent, acting, delivering]


async def stop(bench: Bench, event: Event) -> bool:
    """Have an event stopped, and Discord reachable for what follows."""
    stopping = asyncio.create_task(bench.stopping.stop(event, WHO))
    await bench.clock.settle()
    bench.port.gate.set()
    stopped = await stopping
    await bench.clock.settle()
    return stopped


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one.__name__)
async def test_it_ends_as_stopped_with_one_mark_and_no_answer(
    benches: list[Bench], moment: Any
) -> None:
    """Whatever it was at; and who stopped it is said once."""
    bench, event = await moment(benches)
    assert await stop(bench, event)
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.CANCELLED, Reason.STOPPED)
    assert bench.square.called_off == [event.id]
    assert bench.square.notices == [f"⏹️ Stopped by <@{WHO}>."]
    assert bench.square.of("tool", "delivery") == []
    await bench.clock.advance(60)
    assert bench.square.of("tool", "delivery") == []
    assert bench.square.called_off == [event.id]


async def test_a_second_stop_finds_nothing(benches: list[Bench]) -> None:
    """Nor do two at the same time say it twice."""
    bench, event = await silent(benches)
    both = await asyncio.gather(bench.stopping.stop(event, WHO), bench.stopping.stop(event, 8))
    assert sorted(both) == [False, True]
    assert not await bench.stopping.stop(event, WHO)
    assert len(bench.square.notices) == 1


async def test_what_is_answered_can_not_be_stopped(benches: list[Bench]) -> None:
    """It shows no mark then."""
    bench, _ = await start_bench(benches)
    event = await bench.ask()
    assert not await bench.stopping.stop(event, WHO)
    assert bench.square.called_off == []


async def test_the_run_is_aborted_and_what_its_agent_tries_later_is_refused(
    benches: list[Bench],
) -> None:
    """The agent's server may go on for a moment."""
    bench, backend = await start_bench(benches, [Accepted(), NEVER])
    event = await bench.ask()
    tools = backend.tools
    assert await stop(bench, event)
    assert backend.aborted == 1
    assert tools is not None
    await by_tool("too late")(tools)
    assert bench.square.of("tool") == []


async def test_all_that_run_along_with_it_end_and_are_marked(benches: list[Bench]) -> None:
    """By any of their messages; it is said once."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER], [Accepted(), NEVER])
    await bench.ask(author_id=1)
    first, second = await bench.ask(), await bench.ask()
    await bench.stopping.stop(bench.claims.__iter__().__next__().turn.speaker, 1)
    await bench.clock.advance(10)
    assert (first.state, second.state) == (State.RUNNING, State.RUNNING)
    assert await stop(bench, first)
    assert {first.reason, second.reason} == {Reason.STOPPED}
    assert set(bench.square.called_off[1:]) == {first.id, second.id}
    assert bench.square.notices.count(f"⏹️ Stopped by <@{WHO}>.") == 1


class Surviving(ScriptedBackend):
    """A server on which a run goes on though its Aurora has died."""

    def __init__(self, *turns: Any) -> None:
        super().__init__(*turns)
        self.abandoned: list[ConversationKey] = []

    def abandon(self, key: ConversationKey) -> None:
        self.abandoned.append(key)


async def test_it_is_stopped_after_a_death_before_it_runs_again(benches: list[Bench]) -> None:
    """Whoever sees it hang after a restart need not wait, and neither goes its run on."""
    backend = Surviving([Accepted(), NEVER])
    bench = Bench(backend)
    await bench.start()
    event = await bench.ask()
    backend.away = True
    again = await bench.again()
    benches.append(again)
    assert (await again.kept(event)).state is State.WAITING
    assert await stop(again, event)
    kept = await again.kept(event)
    assert (kept.state, kept.reason) == (State.CANCELLED, Reason.STOPPED)
    assert backend.abandoned == [ConversationKey("a", "a-conv-1")]
