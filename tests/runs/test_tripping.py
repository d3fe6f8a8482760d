"""An agent whose server runs what was not offered, or that has tools nobody has allowed."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import Accepted, AgentBackend, Finished
from aurora.model import State
from aurora.reasons import AgentError, Outcome
from aurora.words import servers as w
from tests.support.scripts import ScriptedBackend, by_tool, done
from tests.support.workers import Bench

TRIPPED = Finished(Outcome.TRIPPED, detail=w.TRIPPED(tool="Bash"))


@pytest.mark.parametrize(
    ("steps", "state", "reason"),
    [
        ([Accepted(), TRIPPED], State.FAILED, "tripped"),
        ([Accepted(), by_tool("hi"), TRIPPED], State.ANSWERED, "sent_before_tripped"),
    ],
)
async def test_it_is_told_and_the_breaker_opens_whether_or_not_there_was_an_answer(
    benches: list[Bench], steps: list[object], state: State, reason: str
) -> None:
    """It is not run again, and the next message waits."""
    bench = Bench(ScriptedBackend(steps, [done("Hello.")]))
    benches.append(bench)
    await bench.start()
    event = await bench.ask()
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (state, reason)
    assert bench.breakers.is_shut("a")
    (alert,) = bench.alerts
    assert "I stopped the agent `a`" in alert
    assert "`Bash`" in alert
    other = await bench.ask()
    assert (await bench.kept(other)).state is State.WAITING
    await bench.clock.advance(60)
    assert (await bench.kept(other)).state is State.ANSWERED


async def test_an_agent_with_a_tool_that_nobody_allowed_is_not_asked(
    benches: list[Bench],
) -> None:
    """Its server gets no input; it is tried no further, and no breaker speaks against it."""
    backend = ScriptedBackend()
    bench = Bench(backend)
    benches.append(bench)

    async def refuse(_backend: AgentBackend, agent_id: str, *, watched: bool) -> frozenset[str]:
        assert not watched
        raise AgentError(Outcome.OWN_TOOLS, w.UNALLOWED_TOOLS(agent=agent_id, tools="`sh`"))

    bench.worker._ports = bench.worker._ports._replace(own_tools=refuse)
    await bench.start()
    event = await bench.ask()
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.FAILED, "own_tools")
    assert backend.seen == []
    assert not bench.breakers.is_shut("a")
    (alert,) = bench.alerts
    assert "the agent a has `sh`" in alert


async def test_what_the_agent_may_run_by_itself_goes_with_its_input(benches: list[Bench]) -> None:
    """So that its server's stream can be held against it."""
    backend = ScriptedBackend([done("Hello.")])
    bench = Bench(backend)
    benches.append(bench)

    async def admit(_backend: AgentBackend, _agent_id: str, *, watched: bool) -> frozenset[str]:
        assert not watched
        return frozenset({"memory_insert"})

    bench.worker._ports = bench.worker._ports._replace(own_tools=admit)
    await bench.start()
    await bench.ask()
    assert [one.own_tools for one in backend.seen] == [frozenset({"memory_insert"})]
