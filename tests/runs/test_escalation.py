"""Escalation: what was too hard costs one attempt, and what comes next has the strong model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, ModelCalled, ToolCalled, ToolHost, ToolReturned, Usage
from aurora.model import State, Wish
from aurora.reasons import Reason
from tests.support.scripts import NEVER, done
from tests.support.workers import Bench, start_bench

MODELS = {"strong": "big", "normal": "mid"}


def failing(times: int = 3) -> list[Any]:
    """Return what an agent does whose tool fails for ever."""
    steps: list[Any] = [Accepted()]
    for number in range(times):
        call = ToolCalled(str(number), "discord_read_messages", {"n": number})
        steps += [ModelCalled(), call, ToolReturned(str(number), True, 7)]
    return [*steps, NEVER]


def asking() -> list[Any]:
    """Return what an agent does that asks back."""

    async def act(tools: ToolHost) -> None:
        await tools.call("discord_ask", {"question": "Which one?", "options": ["A", "B"]})

    call = ToolCalled("1", "discord_ask", {})
    return [Accepted(), call, act, ToolReturned("1", False), done("")]


async def town(benches: list[Bench], *turns: Sequence[Any], models: Any = MODELS) -> Bench:
    bench, _ = await start_bench(benches, *turns)
    await bench.settings.set_world(models=models)
    return bench


async def ask(bench: Bench, **more: Any) -> tuple[str, str, str | None]:
    """Let somebody ask; return how it ended, and by which model."""
    event = await bench.ask(**more)
    await bench.clock.advance(5)
    kept = await bench.kept(event)
    assert bench.backend is not None
    return kept.state, kept.reason, bench.backend.seen[-1].model


STUCK = (State.FAILED, Reason.STUCK)
ANSWERED = (State.ANSWERED, Reason.DELIVERED)


async def test_a_loop_costs_one_attempt_and_the_next_turn_has_the_strong_model(
    benches: list[Bench],
) -> None:
    """It is never run again; the turn after that has the usual one once more."""
    bench = await town(benches, failing())
    assert await ask(bench) == (*STUCK, "mid")
    (notice,) = bench.square.notices
    assert "a tool gave it the same error 3 times in a row" in notice
    assert "A stronger model can try it" in notice
    assert await ask(bench) == (*ANSWERED, "big")
    assert await ask(bench) == (*ANSWERED, "mid")
    assert bench.backend is not None
    assert len(bench.backend.seen) == 3


async def test_other_lanes_keep_their_model(benches: list[Bench]) -> None:
    """What was hard was asked here."""
    bench = await town(benches, failing())
    assert await ask(bench) == (*STUCK, "mid")
    assert await ask(bench, channel_id=2) == (*ANSWERED, "mid")
    assert await ask(bench) == (*ANSWERED, "big")


async def test_if_the_strongest_was_at_it_the_person_is_asked(benches: list[Bench]) -> None:
    """And what they say is still for the strongest."""
    bench = await town(benches, failing(), failing())
    await ask(bench)
    assert await ask(bench) == (*STUCK, "big")
    assert "what exactly you need" in bench.square.notices[-1]
    assert await ask(bench) == (*ANSWERED, "big")
    assert await ask(bench) == (*ANSWERED, "mid")


async def test_a_question_of_the_agents_is_a_reason_too(benches: list[Bench]) -> None:
    """It says itself that it can't go on."""
    bench = await town(benches, asking())
    assert await ask(bench) == (State.ANSWERED, Reason.ASKED, "mid")
    assert await ask(bench) == (*ANSWERED, "big")


async def test_an_agent_that_is_doubted_twice_is_given_a_stronger_model(
    benches: list[Bench],
) -> None:
    """Once is an accident; and it begins anew when people are content."""
    bench = await town(benches)
    for confidence, model in ((29, "mid"), (30, "mid"), (20, "mid"), (20, "mid"), (80, "big")):
        bench.confidence = confidence
        assert await ask(bench) == (*ANSWERED, model)
    assert await ask(bench) == (*ANSWERED, "mid")


async def test_five_calls_without_anything_new_are_a_loop(benches: list[Bench]) -> None:
    """In whatever order an agent makes them."""
    calls: list[Any] = [Accepted()]
    for number in range(7):
        made = ToolCalled(str(number), "discord_read_messages", {"limit": number % 2})
        calls += [ModelCalled(), made, ToolReturned(str(number), False)]
    bench = await town(benches, [*calls[:-3], done("Here it is.")], [*calls, NEVER])
    assert await ask(bench) == (*ANSWERED, "mid")
    assert await ask(bench) == (*STUCK, "mid")
    assert "5 calls in a row brought nothing new" in bench.square.notices[-1]


async def test_a_wish_for_the_strong_model_is_fulfilled(benches: list[Bench]) -> None:
    """A button's press carries it, whatever runs between."""
    bench = await town(benches)
    assert await ask(bench, wish=str(Wish(strong=True))) == (*ANSWERED, "big")
    assert await ask(bench) == (*ANSWERED, "mid")


async def test_it_is_known_after_a_death(benches: list[Bench]) -> None:
    """The next turn may be the next Aurora's."""
    bench = await town(benches, failing())
    await ask(bench)
    again = await bench.again()
    benches.append(again)
    assert await ask(again) == (*ANSWERED, "big")


async def test_whoever_lets_it_be_has_the_usual_model(benches: list[Bench]) -> None:
    """The strong one costs more."""
    bench = await town(benches, failing())
    event = await bench.ask()
    await bench.clock.advance(5)
    await bench.escalation.let_be(event.lane)
    assert await ask(bench) == (*ANSWERED, "mid")


@pytest.mark.parametrize(("models", "model"), [({}, None), ({"light": "small"}, "")])
async def test_without_a_strong_model_nothing_is_tried(
    benches: list[Bench], models: Any, model: str | None
) -> None:
    """The person is told to ask in another way; nothing is kept."""
    bench = await town(benches, failing(), models=models)
    assert await ask(bench) == (*STUCK, model)
    assert "Please try to ask in another way" in bench.square.notices[-1]
    assert await ask(bench) == (*ANSWERED, model)


async def test_the_books_name_the_model_that_was_used(benches: list[Bench]) -> None:
    """Else the strong one would be on the usual one's account."""
    bench = await town(benches, failing(), [Accepted(), Usage(10, 1), done("Hello.")])
    await ask(bench)
    event = await bench.ask()
    await bench.clock.advance(5)
    turn = await bench.store.turn((await bench.kept(event)).turn_id)
    assert turn.model == "big"
