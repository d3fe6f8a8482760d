"""Turns against the double: what the recordings can't show is that both ends agree."""

from __future__ import annotations

import asyncio
from types import ModuleType

import pytest

from aurora.agents.protocol import ConversationMoved, Finished, ToolReturned
from aurora.agents.rest import LettaRest
from aurora.installing import InstallError
from aurora.reasons import AgentError, Outcome
from aurora.words import phrase
from tests.support.agents.hosts import Tools, end_of_run, given, play
from tests.support.agents.replays import BOTH
from tests.support.agents.rig import Load, rig


async def test_a_turn_with_a_tool_ends_with_its_text(load: Load) -> None:
    """The model reads what the tool returned."""
    tools = Tools()
    async with rig(load) as town:
        events = await town.play('[[tool:discord_send {"message":"hi"}]][[after:Sent.]]', tools)
        last = town.llm.requests[-1]["messages"][-1]
    assert tools.calls == [("discord_send", {"message": "hi"})]
    assert last["content"].endswith("sent message 3003") or "sent message 3003" in last["content"]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Sent.")


async def test_parallel_tools_are_all_called(load: Load) -> None:
    """In the order in which the model named them."""
    tools = Tools(*BOTH)
    async with rig(load) as town:
        events = await town.play(
            '[[tools:[["discord_send",{}],["discord_add_reaction",{}]]]][[after:Both.]]', tools
        )
    assert [name for name, _ in tools.calls] == ["discord_send", "discord_add_reaction"]
    assert end_of_run(events).text == "Both."


async def test_a_tool_that_fails_leaves_the_turn_alive(load: Load) -> None:
    """The model is told so."""
    async with rig(load) as town:
        events = await town.play("[[tool:discord_send {}]][[after:Sorry.]]", Tools(fails=True))
    assert [one.is_error for one in events if isinstance(one, ToolReturned)] == [True]
    assert end_of_run(events).text == "Sorry."


async def test_arguments_that_are_no_object_do_not_reach_the_tool(load: Load) -> None:
    """Models make such calls; the answer says what is wrong."""
    tools = Tools()
    async with rig(load) as town:
        events = await town.play("[[tool:discord_send []]][[after:ok]]", tools)
    assert tools.calls == []
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_without_redis_turns_run_in_the_foreground(load: Load) -> None:
    """The server is asked once for what it does not have."""
    async with rig(load, redis=False) as town:
        first, second = await town.play("[[say:one]]"), await town.play("[[say:two]]")
        asked = [body.get("background", False) for body in town.posted("/messages")]
    assert [end_of_run(first).text, end_of_run(second).text] == ["one", "two"]
    assert asked == [True, False, False]


async def test_turns_of_one_conversation_follow_each_other(load: Load) -> None:
    """The second waits inside the backend; the server never sees it too early."""
    async with rig(load) as town:
        both = await asyncio.gather(
            town.play("[[sleep:0.2]][[say:first]]"), town.play("[[say:second]]")
        )
        texts = [end_of_run(events).text for events in both]
    assert texts == ["first", "second"]


async def test_two_agents_get_their_own_answers(load: Load) -> None:
    """One message, the same input id, two agents, at the same time."""
    async with rig(load) as town:
        other = town.server.create_agent("two")
        place = await town.backend.open_conversation(other, "discord:1:2")
        first, second = town.given("[[sleep:0.1]][[say:I am one]]"), given(other, place, "")
        twin = type(second)(other, place, "[[say:I am two]]", first.input_id)
        both = await asyncio.gather(play(town.backend, first), play(town.backend, twin))
    assert [end_of_run(events).text for events in both] == ["I am one", "I am two"]


async def test_two_conversations_of_one_agent_are_apart(load: Load) -> None:
    """The same input id even."""
    async with rig(load) as town:
        place = await town.backend.open_conversation(town.agent_id, "discord:1:3")
        first = town.given("[[sleep:0.1]][[say:here]]")
        twin = type(first)(town.agent_id, place, "[[say:there]]", first.input_id)
        both = await asyncio.gather(play(town.backend, first), play(town.backend, twin))
    assert [end_of_run(events).text for events in both] == ["here", "there"]


async def test_a_deleted_conversation_is_replaced(load: Load) -> None:
    """The lane is told which one goes on."""
    async with rig(load) as town:
        gone = given(town.agent_id, "conv-00000000-0000-4000-8000-000000000000", "[[say:back]]")
        events = await play(town.backend, gone)
    moved = [event for event in events if isinstance(event, ConversationMoved)]
    assert len(moved) == 1
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "back")


async def test_the_conversation_of_a_deleted_agent_is_not_replaced(load: Load) -> None:
    """There is nobody to talk to."""
    async with rig(load) as town:
        nobody = "agent-00000000-0000-4000-8000-000000000000"
        gone = given(nobody, "conv-00000000-0000-4000-8000-000000000000", "hello")
        finished = end_of_run(await play(town.backend, gone))
    assert finished.outcome is Outcome.CONFIG


async def test_a_conversation_of_an_unknown_agent_is_refused(load: Load) -> None:
    """With the id, so that a typing error is seen."""
    async with rig(load) as town:
        with pytest.raises(AgentError, match="no agent with the id agent-0") as caught:
            await town.backend.open_conversation(
                "agent-00000000-0000-4000-8000-000000000000", "title"
            )
    assert caught.value.outcome is Outcome.CONFIG


async def test_a_wrong_token_ends_a_turn_as_configuration(load: Load) -> None:
    """Nothing is tried again."""
    async with rig(load) as town:
        backend = LettaRest(town.server.url, "wrong", load=load, direct=True)
        finished = end_of_run(await play(backend, town.given("hello")))
        await backend.close()
    assert (finished.outcome, "token" in str(finished.detail)) == (Outcome.CONFIG, True)


async def test_no_credits_end_a_turn_as_configuration(load: Load) -> None:
    """402 comes from Letta Cloud."""
    async with rig(load) as town:
        town.fault(answer=(402, {"detail": "Payment required"}, {}))
        finished = end_of_run(await town.play("hello"))
    assert (finished.outcome, "credits" in str(finished.detail)) == (Outcome.CONFIG, True)


async def test_a_rate_limit_of_the_server_names_its_wait(load: Load) -> None:
    """The message was not accepted."""
    async with rig(load) as town:
        town.fault(answer=(429, {"detail": "slow down"}, {"Retry-After": "7"}))
        finished = end_of_run(await town.play("hello"))
    assert (finished.outcome, finished.retry_after) == (Outcome.OVERLOADED, 7.0)


async def test_an_address_where_nobody_listens_is_unreachable(load: Load) -> None:
    """A look-up says the same as a turn."""
    backend = LettaRest("http://127.0.0.1:9", load=load, direct=True)
    with pytest.raises(AgentError) as caught:
        await backend.ping()
    finished = end_of_run(await play(backend, given("agent-1", "conv-1", "hello")))
    await backend.close()
    assert (caught.value.outcome, finished.outcome) == (Outcome.UNREACHABLE,) * 2


async def test_a_server_of_another_kind_is_a_wrong_address(load: Load) -> None:
    """Any web server answers something."""
    async with rig(load) as town:
        backend = LettaRest(f"{town.server.url}/somewhere", load=load, direct=True)
        with pytest.raises(AgentError, match=r"no Letta REST API|token") as caught:
            await backend.ping()
        await backend.close()
    assert caught.value.outcome is Outcome.CONFIG


async def test_an_address_with_its_version_works_too(load: Load) -> None:
    """Letta's documentation shows it with and without."""
    async with rig(load) as town:
        backend = LettaRest(f"{town.server.url}/v1/", town.server.token, load=load, direct=True)
        assert (await backend.agent(town.agent_id)).name == "one"
        await backend.close()


async def test_without_the_sdk_the_owner_reads_what_to_do() -> None:
    """A turn ends, a look-up fails, nothing breaks."""

    def missing() -> ModuleType:
        raise InstallError(phrase("The SDK is missing. Run: pip"))

    backend = LettaRest("http://127.0.0.1:9", load=missing)
    with pytest.raises(AgentError, match="Run: pip"):
        await backend.ping()
    finished = end_of_run(await play(backend, given("agent-1", "conv-1", "hello")))
    await backend.close()
    assert (finished.outcome, "Run: pip" in str(finished.detail)) == (Outcome.CONFIG, True)


async def test_what_the_sdk_does_not_know_is_passed_over(load: Load) -> None:
    """A newer server sends new types; what is no object at all is one of them."""
    async with rig(load) as town:
        strange = ['data: {"message_type":"brand_new","id":1,"x":{}}\n\n', "data: [1,2]\n\n"]
        town.fault(after=1, insert=strange)
        events = await town.play("[[say:fine]]")
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "fine")


async def test_a_closed_backend_takes_nothing(load: Load) -> None:
    """Neither turns nor look-ups."""
    async with rig(load) as town:
        await town.backend.close()
        finished = end_of_run(await town.play("hello"))
        with pytest.raises(AgentError, match="closed"):
            await town.backend.agent(town.agent_id)
    assert finished.outcome is Outcome.UNREACHABLE
