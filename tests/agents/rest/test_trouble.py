"""What goes wrong on the way: cut lines, dead servers, held conversations, callers who leave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from aurora.agents.protocol import Finished, RunStarted, Text, ToolResult
from aurora.agents.rest import LettaRest
from aurora.reasons import Outcome
from tests.support.agents.hosts import CALL, Tools, end_of_run, play
from tests.support.agents.replays import BOTH
from tests.support.agents.rig import WORDS, Load, leave_after, rig, run_until


async def test_a_cut_background_stream_is_taken_up(load: Load) -> None:
    """The run went on; every piece comes once."""
    async with rig(load) as town:
        town.fault(after=2, cut=True)
        events = await town.play(f"[[slow:0.02]][[say:{WORDS}]]")
        sends = town.posted("/messages")
    assert "".join(one.text for one in events if isinstance(one, Text)) == WORDS
    assert end_of_run(events) == Finished(Outcome.COMPLETED, WORDS)
    assert len(sends) == 1


async def test_a_cut_foreground_stream_is_read_back(load: Load) -> None:
    """The conversation has stored what the stream did not bring."""
    async with rig(load, redis=False) as town:
        town.backend.background = False
        town.fault(after=2, cut=True)
        events = await town.play(f"[[slow:0.02]][[say:{WORDS}]]")
        sends = town.posted("/messages")
    assert end_of_run(events) == Finished(Outcome.COMPLETED, WORDS)
    assert len(sends) == 1


@pytest.mark.parametrize("redis", [True, False])
async def test_a_call_behind_a_cut_stream_is_made_once(load: Load, redis: bool) -> None:
    """Its pieces were missed; the conversation holds it whole."""
    tools = Tools()
    async with rig(load, redis=redis) as town:
        town.backend.background = redis
        town.fault(after=1, cut=True)
        events = await town.play(f"{CALL}[[after:Sent.]]", tools)
    assert tools.calls == [("discord_send", {"message": "hi"})]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Sent.")


@pytest.mark.parametrize("redis", [True, False])
async def test_an_answer_to_a_call_survives_a_cut(load: Load, redis: bool) -> None:
    """The tool has run; the turn must not be lost with the line."""
    tools = Tools()
    async with rig(load, redis=redis) as town:
        town.backend.background = redis
        town.fault(after=1, cut=True, times=2)
        events = await town.play(f"{CALL}[[after:Sent.]]", tools)
    assert (len(tools.calls), end_of_run(events).text) == (1, "Sent.")


@pytest.mark.parametrize("redis", [True, False])
async def test_a_run_whose_start_was_missed_is_found(load: Load, redis: bool) -> None:
    """The line broke before the server could name it: its message carries our otid."""
    async with rig(load, redis=redis) as town:
        town.backend.background = redis
        town.fault(after=0, cut=True)
        events = await town.play(f"[[slow:0.02]][[say:{WORDS}]]")
        sends = town.posted("/messages")
    assert (end_of_run(events).text, len(sends)) == (WORDS, 1)


@pytest.mark.parametrize("redis", [True, False])
async def test_an_answer_whose_run_was_missed_is_found(load: Load, redis: bool) -> None:
    """It is known by the calls it answers."""
    tools = Tools()
    async with rig(load, redis=redis) as town:
        town.backend.background = redis
        town.fault(after=0, cut=True, times=2)
        events = await town.play(f"{CALL}[[after:Sent.]]", tools)
        sends = town.posted("/messages")
    assert (len(tools.calls), end_of_run(events).text, len(sends)) == (1, "Sent.", 2)


async def test_a_message_whose_answer_never_came_is_looked_for(load: Load) -> None:
    """Hung up on before it was read: the server knows no such otid, so it may be sent again."""
    async with rig(load) as town:
        town.fault(hang_up=True)
        finished = end_of_run(await town.play("hello"))
        sends = town.posted("/messages")
    assert (finished.outcome, len(sends)) == (Outcome.UNREACHABLE, 1)


async def test_a_gateways_error_may_hide_an_accepted_message(load: Load) -> None:
    """502 and 504 are a proxy's words, and say nothing of the server behind it."""
    async with rig(load) as town:
        town.fault(answer=(504, {}, {}))
        finished = end_of_run(await town.play("hello"))
        resumed = town.posted("/stream")
    assert finished.outcome is Outcome.UNREACHABLE
    assert "otid" in resumed[0]


async def test_a_server_that_comes_back_without_the_turn_has_lost_it(load: Load) -> None:
    """Its run says "running" for ever; it is cancelled, and the next turn works."""
    async with rig(load, stall_limit=0.4) as town:
        run = asyncio.create_task(town.play(f"[[slow:0.1]][[say:{WORDS}]]"))
        await asyncio.sleep(0.5)
        await town.server.kill()
        await asyncio.sleep(0.3)
        await town.server.restart(startup=0.0)
        finished = end_of_run(await run)
        after = end_of_run(await town.play("[[say:alive]]"))
    assert finished.outcome is Outcome.LOST
    assert after == Finished(Outcome.COMPLETED, "alive")


async def test_a_server_that_stays_away_loses_the_turn(load: Load) -> None:
    """After a while nobody waits any longer, and it is not sent again."""
    async with rig(load, reconnect_limit=0.5) as town:
        run = asyncio.create_task(town.play(f"[[slow:0.1]][[say:{WORDS}]]"))
        await asyncio.sleep(0.4)
        await town.server.kill()
        finished = end_of_run(await run)
    assert finished.outcome is Outcome.LOST


async def test_a_dead_run_from_before_is_cancelled(load: Load) -> None:
    """Both sides were restarted; the conversation would be busy for ever."""
    async with rig(load) as town:
        lost = asyncio.create_task(town.play("[[never]]"))
        await asyncio.sleep(0.3)
        await town.server.kill()
        await town.backend.close(grace=0.1)
        await lost
        await town.server.restart(startup=0.0)
        fresh = LettaRest(town.server.url, town.server.token, load=load, direct=True, patience=0.3)
        finished = end_of_run(await play(fresh, town.given("[[say:alive]]")))
        await fresh.close()
    assert finished == Finished(Outcome.COMPLETED, "alive")


async def test_another_run_in_the_conversation_is_waited_for(load: Load) -> None:
    """It is not ours, and ends by itself."""
    async with rig(load, patience=5.0) as town:
        other = LettaRest(town.server.url, town.server.token, load=load, direct=True)
        first = asyncio.create_task(play(other, town.given("[[sleep:0.4]][[say:theirs]]")))
        await asyncio.sleep(0.2)
        mine = end_of_run(await town.play("[[say:mine]]"))
        theirs = end_of_run(await first)
        await other.close()
    assert (mine.text, theirs.text) == ("mine", "theirs")


async def test_an_orphaned_call_is_denied_and_the_message_answered(load: Load) -> None:
    """An Aurora that died while its tool ran leaves one."""
    tools = Tools(delay=30)
    async with rig(load) as town:
        dead = LettaRest(town.server.url, town.server.token, load=load, direct=True)
        lost = asyncio.create_task(play(dead, town.given(CALL), tools))
        await tools.called.wait()
        await dead.close(grace=0)
        await lost
        finished = end_of_run(await town.play("[[say:alive]]"))
        messages = [body["messages"][0] for body in town.posted("/messages")]
    assert finished == Finished(Outcome.COMPLETED, "alive")
    assert [one["approve"] for one in messages[-2]["approvals"]] == [False]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("[[err:429]]", Outcome.OVERLOADED),
        ("[[err:500]]", Outcome.FAILED),
        ("[[err:401]]", Outcome.CONFIG),
        ("[[drop]][[say:one two three]]", Outcome.FAILED),
    ],
)
async def test_a_failed_turn_leaves_the_conversation_free(
    load: Load, text: str, outcome: Outcome
) -> None:
    """A new attempt has an otid of its own: the old one would replay the failure."""
    async with rig(load) as town:
        first, second = (
            end_of_run(await town.play(text)),
            end_of_run(await town.play("[[say:again]]")),
        )
    assert (first.outcome, second.text) == (outcome, "again")


async def test_a_used_otid_replays_a_failure(load: Load) -> None:
    """That is why the worker gives every attempt an input id of its own."""
    async with rig(load) as town:
        once = town.given("[[err:500*9]][[say:works now]]")
        first, again = end_of_run(await play(town.backend, once)), await play(town.backend, once)
        asked = len(town.llm.requests)
        fresh = end_of_run(await town.play("[[say:works now]]"))
    assert (first.outcome, end_of_run(again).outcome) == (Outcome.FAILED, Outcome.FAILED)
    assert (fresh.text, len(town.llm.requests) - asked) == ("works now", 1)


async def test_leaving_in_mid_text_cancels_the_run(load: Load) -> None:
    """The model stops, and the conversation keeps nothing of it."""
    async with rig(load) as town:
        run_id = await leave_after(town, town.given(f"[[slow:0.1]][[say:{WORDS}]]"), Text)
        said = await town.stored()
        run = town.server.store.runs[run_id]
    assert run.status == "cancelled"
    assert said == ["[[say:what was said?]]"]


async def test_leaving_before_the_first_token_cancels_the_run(load: Load) -> None:
    """The model would think for half a minute."""
    async with rig(load) as town:
        run_id = await leave_after(town, town.given("[[sleep:30]][[say:late]]"), RunStarted)
        finished = end_of_run(await town.play("[[say:next]]"))
        run = town.server.store.runs[run_id]
    assert (run.status, finished.text) == ("cancelled", "next")


async def test_leaving_while_the_message_is_on_its_way_cancels_the_run(load: Load) -> None:
    """Its id is not known yet."""
    async with rig(load) as town:
        town.fault(delay=0.2)
        playing = asyncio.create_task(town.play("[[sleep:30]][[say:late]]"))
        await asyncio.sleep(0.1)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        finished = end_of_run(await town.play("[[say:next]]"))
        active = [run for run in town.server.store.runs.values() if run.active]
    assert (finished.text, active) == ("next", [])


async def test_leaving_while_a_tool_runs_answers_its_call(load: Load) -> None:
    """The conversation would wait for it for ever."""
    tools = Tools(delay=30)
    async with rig(load) as town:
        await run_until(town, town.given(f"{CALL}[[after:Never mind.]]"), tools, tools.called)
        finished = end_of_run(await town.play("[[say:next]]"))
        messages = [body["messages"][0] for body in town.posted("/messages")]
    assert messages[1]["approvals"][0]["approve"] is False
    assert (finished.text, len(messages)) == ("next", 3)


async def test_a_call_that_was_made_is_returned_when_the_caller_leaves(load: Load) -> None:
    """Only the one in hand is denied; the agent must not believe that nothing was sent."""

    class Second(Tools):
        async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
            self.delay = 30.0 if self.calls else 0.0
            return await super().call(name, arguments)

    tools = Second(*BOTH)
    async with rig(load) as town:
        text = '[[tools:[["discord_send",{}],["discord_add_reaction",{}]]]]'
        playing = asyncio.create_task(play(town.backend, town.given(text), tools))
        while len(tools.calls) < 2:
            tools.called.clear()
            await tools.called.wait()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await town.play("[[say:next]]")
        answers = town.posted("/messages")[1]["messages"][0]["approvals"]
    assert [one["type"] for one in answers] == ["tool", "approval"]


async def test_leaving_the_queue_sends_nothing(load: Load) -> None:
    """The conversation was still held by the turn before."""
    async with rig(load) as town:
        first = asyncio.create_task(town.play("[[sleep:0.3]][[say:first]]"))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(town.play("[[say:second]]"))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert end_of_run(await first).text == "first"
        assert end_of_run(await town.play("[[say:third]]")).text == "third"
        sends = town.posted("/messages")
    assert len(sends) == 2


async def test_closing_cancels_what_runs(load: Load) -> None:
    """Whoever waits hears of it, and no task is left."""
    async with rig(load) as town:
        playing = asyncio.create_task(town.play("[[sleep:30]][[say:late]]"))
        await asyncio.sleep(0.3)
        await town.backend.close()
        finished = end_of_run(await playing)
        active = [run for run in town.server.store.runs.values() if run.active]
        left = [one for one in asyncio.all_tasks() if one.get_name() == "aurora-letta-rest"]
    assert finished.outcome is Outcome.CANCELLED
    assert (active, left) == ([], [])


async def test_a_run_cancelled_by_somebody_else_says_so(load: Load) -> None:
    """An admin may do that on the server."""
    async with rig(load) as town:
        playing = asyncio.create_task(town.play(f"[[slow:0.1]][[say:{WORDS}]]"))
        await asyncio.sleep(0.3)
        url = f"{town.server.url}/v1/conversations/{town.conversation_id}/cancel"
        headers = {"Authorization": f"Bearer {town.server.token}"}
        async with aiohttp.request("POST", url, headers=headers) as response:
            assert response.status == 200
        finished = end_of_run(await playing)
    assert finished.outcome is Outcome.CANCELLED


async def test_an_answer_nobody_heard_is_recalled(load: Load) -> None:
    """A new Aurora delivers it; the agent is not asked twice."""
    async with rig(load) as town:
        once = town.given(f"{CALL}[[after:Sent.]]")
        await play(town.backend, once)
        await town.play("[[say:later]]")
        asked = len(town.llm.requests)
        found = await town.backend.recall(once)
        assert len(town.llm.requests) == asked
    assert found == Finished(Outcome.COMPLETED, "Sent.")


async def test_an_attempt_that_the_server_does_not_know_is_not_recalled(load: Load) -> None:
    """It never arrived, or failed and was rolled back."""
    async with rig(load) as town:
        failed = town.given("[[err:500]]")
        await play(town.backend, failed)
        assert await town.backend.recall(failed) is None
        assert await town.backend.recall(town.given("never sent")) is None


async def test_an_attempt_that_still_waits_is_not_recalled(load: Load) -> None:
    """Its tool died with its Aurora; a new attempt answers the call and goes on."""
    tools = Tools(delay=30)
    async with rig(load) as town:
        dead = LettaRest(town.server.url, town.server.token, load=load, direct=True)
        once = town.given(CALL)
        lost = asyncio.create_task(play(dead, once, tools))
        await tools.called.wait()
        await dead.close(grace=0)
        await lost
        assert await town.backend.recall(once) is None
