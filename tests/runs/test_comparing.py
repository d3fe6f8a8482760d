"""Comparing: several answer beside each other without tools, and one puts it together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished, Input, RunEvent, ToolHost, Usage
from aurora.model import State, Wish
from aurora.reasons import Outcome, Reason
from tests.support.scripts import ScriptedBackend, done
from tests.support.workers import Bench, start_bench

ROLES = {name: [f"agent-{name}", "what it is for"] for name in ("coder", "dba")}
BOTH = str(Wish(compare=("coder", "dba")))
SAID = {"agent-coder": "Use an index.", "agent-dba": "Use a view.", "a": "Two options: …"}


class Several(ScriptedBackend):
    """A server whose agents say what each of them always says."""

    def __init__(self, says: Callable[[str], Finished] | None = None) -> None:
        super().__init__()
        self.says = says or (lambda agent_id: done(SAID[agent_id]))
        self.forgotten: list[str] = []
        self.offered: list[Any] = []
        self.at_once = self.most = 0
        self.cost = Usage(100, 10)

    async def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        self.seen.append(given)
        self.offered += tools.specs
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            yield Accepted()
            yield self.cost
            await asyncio.sleep(0)
            end = self.says(given.agent_id)
            if end.outcome is Outcome.CANCELLED:
                await asyncio.Event().wait()
            yield end
        finally:
            self.at_once -= 1

    async def forget_conversation(self, key: Any) -> None:
        self.forgotten.append(key.conversation_id)


async def compared(
    benches: list[Bench], backend: Several, wish: str = BOTH, **more: Any
) -> tuple[Bench, Any]:
    """Let a question be compared; return how its event ended."""
    bench, _ = await start_bench(benches)
    bench.backend = backend
    await bench.settings.set_guild(9, roles=ROLES, **more)
    event = await bench.ask(wish=wish)
    await bench.clock.advance(5)
    return bench, event


async def test_what_several_say_is_put_together_in_one_answer(benches: list[Bench]) -> None:
    """Each is asked at once, without tools, and in a conversation that is thrown away."""
    backend = Several()
    bench, event = await compared(benches, backend)
    assert bench.square.delivered == ["Two options: …"]
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.ANSWERED, Reason.DELIVERED)
    assert [one.agent_id for one in backend.seen] == ["agent-coder", "agent-dba", "a"]
    assert (backend.most, backend.offered) == (2, [])
    last = backend.seen[-1].text
    assert "Use an index." in last
    assert "Use a view." in last
    assert "pros and" in last
    conversations = [one.conversation_id for one in backend.seen]
    assert len(set(conversations)) == 3
    await bench.clock.settle()
    assert sorted(backend.forgotten) == sorted(conversations)
    assert await bench.store.conversation("a", event.lane) is None
    turn = await bench.tried(event)
    assert (turn.prompt_tokens, turn.completion_tokens, turn.unmetered) == (300, 30, 0)
    assert turn.attempts == 1


async def test_of_one_answer_there_is_nothing_to_compare(benches: list[Bench]) -> None:
    """It is given as it is, rather than nothing."""
    broken = Finished(Outcome.FAILED)
    backend = Several(lambda one: broken if one == "agent-coder" else done(SAID[one]))
    bench, event = await compared(benches, backend)
    assert (await bench.kept(event)).reason == Reason.DELIVERED
    assert [one.agent_id for one in backend.seen] == ["agent-coder", "agent-dba"]


async def test_the_servers_own_agent_may_be_one_of_them(benches: list[Bench]) -> None:
    """Under the name by which it can be asked for."""
    backend = Several()
    await compared(benches, backend, str(Wish(compare=("coder", "default"))))
    assert [one.agent_id for one in backend.seen] == ["agent-coder", "a", "a"]


async def test_where_nobody_answers_it_ends_as_any_run(benches: list[Bench]) -> None:
    """Tried again where that may help, and then told."""
    backend = Several(lambda _one: Finished(Outcome.CONTENT_REFUSED))
    bench, event = await compared(benches, backend)
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.FAILED, Reason.CONTENT_REFUSED)
    assert len(bench.square.notices) == 1


@pytest.mark.parametrize(
    ("slow", "tokens", "reason"), [(True, 200_000, "timeout"), (False, 10_000, "stuck")]
)
async def test_it_is_bounded_as_one_run_is(
    benches: list[Bench], slow: bool, tokens: int, reason: str
) -> None:
    """By its time, and by its budget of tokens, for all of them together."""
    never = Finished(Outcome.CANCELLED)
    backend = Several(lambda one: never if slow and one == "agent-dba" else done("x"))

    backend.cost = Usage(100 if slow else 6_000, 10)
    bench, event = await compared(benches, backend, budget_tokens=tokens)
    await bench.clock.advance(60)
    assert (await bench.kept(event)).reason == reason
    assert backend.at_once == 0
    assert bench.square.of("delivery") == []
