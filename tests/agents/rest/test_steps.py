"""Calls of the model, as the events of a run tell of them."""

from __future__ import annotations

from aurora.agents.protocol import ModelCalled, Usage
from doubles.llm import Call, Step
from tests.support.agents.hosts import CALL, Tools, end_of_run, play
from tests.support.agents.rig import Load, rig, run_until

SEARCH = Step(calls=(Call.to("conversation_search", query="tea"),))
SEND = Step(calls=(Call.to("discord_send", message="hi"),))


async def test_each_call_of_the_model_is_told_of_once(load: Load) -> None:
    """Whether a tool of the server's or one of Aurora's comes between two of them."""
    async with rig(load) as town:
        town.llm.script("work", SEARCH, SEARCH, SEND, SEARCH, SEND, Step(text="Done."))
        events = await town.play("work", Tools())
        asked = len(town.llm.requests)
    assert end_of_run(events).text == "Done."
    assert sum(isinstance(one, ModelCalled) for one in events) == asked == 6
    assert sum(one.calls for one in events if isinstance(one, Usage)) == 6


async def test_the_server_is_told_how_often_its_model_may_be_asked(load: Load) -> None:
    """Nobody may be quick enough to stop it; a reply to a call of Aurora's takes none of it."""
    async with rig(load) as town:
        town.llm.script("loop", SEARCH, SEND, *[SEARCH] * 20)
        one = town.given("loop")._replace(max_steps=6)
        events = await play(town.backend, one, Tools())
        assert len(town.llm.requests) == 6
    assert sum(isinstance(one, ModelCalled) for one in events) == 6


async def test_who_leaves_a_call_open_costs_no_call_of_the_model(load: Load) -> None:
    """The server needs an answer to the call, and nobody what its model would say to that."""
    tools = Tools(delay=30)
    async with rig(load) as town:
        await run_until(town, town.given(f"{CALL}[[after:Never mind.]]"), tools, tools.called)
        assert end_of_run(await town.play("[[say:next]]")).text == "next"
        assert len(town.llm.requests) == 2
