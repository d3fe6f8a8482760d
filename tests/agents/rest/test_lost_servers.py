"""Servers that die with what they were doing, and come back with less."""

from __future__ import annotations

import asyncio

import pytest

from aurora.agents.protocol import (
    Finished,
    RunEvent,
    RunStarted,
    ServerFound,
    ServerLost,
    Text,
)
from aurora.agents.rest import LettaRest
from aurora.reasons import Outcome
from doubles.letta_rest import Fault
from tests.support.agents.hosts import CALL, Tools, end_of_run, moved, play
from tests.support.agents.rig import WORDS, Load, Rig, rig
from tests.support.doubles.talking import until

SLOW = f"[[slow:0.1]][[say:{WORDS}]]"


async def play_until(town: Rig, text: str, kind: type[RunEvent]) -> asyncio.Task[list[RunEvent]]:
    """Begin a turn, and return it once an event of a kind has come."""
    came, events = asyncio.Event(), []

    async def run() -> list[RunEvent]:
        async for event in town.backend.run(town.given(text), Tools()):
            events.append(event)
            if isinstance(event, kind):
                came.set()
        return events

    running = asyncio.create_task(run())
    await asyncio.wait_for(came.wait(), 20)
    return running


def of_server(events: list[RunEvent]) -> list[RunEvent]:
    """Return what was told of the server being lost and found."""
    return [one for one in events if isinstance(one, ServerLost | ServerFound)]


@pytest.mark.parametrize("redis", [True, False])
async def test_a_run_that_died_with_its_server_is_told_of_as_lost_until_it_is_given_up(
    load: Load, redis: bool
) -> None:
    """Its stream pings, and its record says "running": that is no sign of its life."""
    async with rig(load, redis=redis, stall_limit=1.5) as town:
        town.backend.background = redis
        running = await play_until(town, SLOW, Text)
        await town.server.kill()
        await town.server.restart(startup=0.5)
        events = await running
        (lost, *_, found, end) = events[-3:]
    assert (lost, found) == (ServerLost(), ServerFound())
    assert isinstance(end, Finished)
    assert end.outcome is Outcome.LOST


async def test_a_line_that_was_cut_is_told_of_as_found_when_the_run_is_heard(load: Load) -> None:
    """The agent's time goes on."""
    async with rig(load) as town:
        town.fault(after=2, cut=True)
        events = await town.play(f"[[slow:0.02]][[say:{WORDS}]]")
    assert of_server(events) == [ServerLost(), ServerFound()]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, WORDS)


async def test_a_run_that_nothing_happens_to_tells_nothing_of_its_server(load: Load) -> None:
    """The commonest case."""
    async with rig(load) as town:
        assert of_server(await town.play("[[say:hello]]")) == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_dead_server_behind_a_proxy_is_found_out(load: Load, status: int) -> None:
    """What answers meanwhile is the proxy; the run of before the restart is dead all the same."""
    async with rig(load, stall_limit=0.5) as town:
        running = await play_until(town, SLOW, Text)
        for path in ("/stream", "/v1/runs/"):
            away = Fault(path=path, times=3, answer=(status, {"detail": "no upstream"}, {}))
            town.server.faults.append(away)
        await town.server.restart(startup=0.0)
        finished = end_of_run(await asyncio.wait_for(running, 20))
        after = end_of_run(await town.play("[[say:alive]]"))
    assert finished.outcome is Outcome.LOST
    assert after == Finished(Outcome.COMPLETED, "alive")


async def test_an_answer_to_a_call_waits_for_its_server(load: Load) -> None:
    """The tool has run: what it returned is told when the server is there again."""

    class Deadly(Tools):
        async def call(self, name: str, arguments: object) -> object:  # type: ignore[override]
            await town.server.kill()
            restarts.append(asyncio.create_task(town.server.restart(startup=1.0)))
            return await super().call(name, arguments)  # type: ignore[arg-type]

    restarts: list[asyncio.Task[None]] = []
    tools = Deadly()
    async with rig(load) as town:
        events = await town.play(f"{CALL}[[after:Sent.]]", tools)
        await asyncio.gather(*restarts)
    assert of_server(events) == [ServerLost(), ServerFound()]
    assert (len(tools.calls), end_of_run(events).text) == (1, "Sent.")


# -- a stream that falls silent


@pytest.mark.parametrize("records", [True, False])
async def test_an_answer_behind_a_silent_stream_is_read_from_what_is_stored(
    load: Load, records: bool
) -> None:
    """Redis died, and with it the stream; the run went on, whether its record says so or not."""
    async with rig(load, quiet_limit=0.3) as town:
        running = await play_until(town, f"[[slow:0.05]][[say:{WORDS}]]", Text)
        town.server.lose_redis(records=records)
        finished = end_of_run(await asyncio.wait_for(running, 20))
        refused = end_of_run(await town.play("[[say:next]]"))
        town.server.find_redis()
        after = end_of_run(await town.play("[[say:next]]"))
        await until(lambda: not any(run.active for run in town.server.store.runs.values()))
    assert finished == Finished(Outcome.COMPLETED, WORDS)
    assert refused.outcome is Outcome.UNREACHABLE
    assert after == Finished(Outcome.COMPLETED, "next")


@pytest.mark.parametrize("records", [True, False])
async def test_a_call_behind_a_silent_stream_is_made_once(load: Load, records: bool) -> None:
    """It stands in the conversation, whole; what it returned is told when that can be."""
    tools = Tools()
    async with rig(load, quiet_limit=0.3) as town:
        running = asyncio.create_task(town.play(f"[[sleep:0.5]]{CALL}[[after:Sent.]]", tools))
        await until(lambda: town.llm.requests)
        town.server.lose_redis(records=records)
        await until(lambda: len(town.posted("/messages")) > 1)
        town.server.find_redis()
        events = await asyncio.wait_for(running, 20)
    assert tools.calls == [("discord_send", {"message": "hi"})]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Sent.")
    assert isinstance(of_server(events)[-1], ServerFound)


async def test_a_stream_that_can_not_be_taken_up_leaves_the_record(load: Load) -> None:
    """What its server has in place of Redis may answer with any error."""
    async with rig(load) as town:
        town.fault(after=2, cut=True)
        trouble = Fault(path="/stream", times=None, answer=(500, {"detail": "trouble"}, {}))
        town.server.faults.append(trouble)
        finished = end_of_run(await asyncio.wait_for(town.play(f"[[say:{WORDS}]]"), 20))
    assert finished == Finished(Outcome.COMPLETED, WORDS)


async def test_a_server_that_falls_silent_and_goes_is_lost(load: Load) -> None:
    """Its connection stands, and nothing comes: who asks for the record finds nobody."""
    async with rig(load, quiet_limit=0.3, reconnect_limit=0.5) as town:
        running = await play_until(town, "[[never]]", RunStarted)
        gone = Fault(method="GET", path="/v1/runs/", times=None, hang_up=True)
        town.server.faults += [gone, Fault(path="/stream", times=None, hang_up=True)]
        finished = end_of_run(await asyncio.wait_for(running, 20))
    assert finished.outcome is Outcome.LOST


# -- what dead runs leave behind


async def test_a_run_that_was_lost_with_its_server_is_cancelled_when_that_is_back(
    load: Load,
) -> None:
    """It would say "running", and hold its conversation, until somebody writes there again."""
    async with rig(load, reconnect_limit=0.3) as town:
        running = await play_until(town, SLOW, Text)
        await town.server.kill()
        assert end_of_run(await running).outcome is Outcome.LOST
        (run,) = town.server.store.runs.values()
        assert run.status == "running"
        await town.server.restart(startup=0.0)
        await until(lambda: run.status == "cancelled", 20)


async def test_a_run_whose_caller_left_during_an_outage_is_cancelled_after_it(load: Load) -> None:
    """The message was deleted, or its time was over; its conversation is used on."""
    async with rig(load, reconnect_limit=60.0) as town:
        running = await play_until(town, SLOW, Text)
        await town.server.kill()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await until(lambda: not [*town.backend._runs])
        (run,) = town.server.store.runs.values()
        await town.server.restart(startup=0.0)
        await until(lambda: run.status == "cancelled", 20)


async def test_the_next_turn_cancels_what_the_outage_left_before_it_begins(load: Load) -> None:
    """It is not refused first, and waits for nobody."""
    async with rig(load, reconnect_limit=0.3) as town:
        running = await play_until(town, SLOW, Text)
        await town.server.kill()
        await running
        await town.server.restart(startup=0.0)
        finished = end_of_run(await town.play("[[say:alive]]"))
        paths = [path.rpartition("/")[2] for method, path, _ in town.server.requests]
    assert finished == Finished(Outcome.COMPLETED, "alive")
    assert paths.count("messages") == 2
    assert "cancel" in paths[: len(paths) - paths[::-1].index("messages")]


async def test_closing_waits_for_no_dead_run(load: Load) -> None:
    """An unload leaves no task, and is not held up by a server that is away."""
    async with rig(load, reconnect_limit=0.3) as town:
        running = await play_until(town, SLOW, Text)
        await town.server.kill()
        await running
        async with asyncio.timeout(10):
            await town.backend.close()
        left = [one for one in asyncio.all_tasks() if one.get_name() == "aurora-letta-rest"]
    assert left == []


# -- conversations and agents that are gone


def delete(town: Rig, conversation_id: str) -> None:
    """Delete a conversation on the server."""
    del town.server.store.threads[conversation_id]


async def test_a_deleted_conversation_is_replaced_under_the_same_title(load: Load) -> None:
    """Whoever looks through the server's conversations finds it by that."""
    async with rig(load) as town:
        delete(town, town.conversation_id)
        one = town.given("[[say:new]]")._replace(title="discord:1:2")
        events = await play(town.backend, one)
        (new_id,) = moved(events)
        title = town.server.store.threads[new_id].summary
    assert (end_of_run(events).text, title) == ("new", "discord:1:2")


async def test_a_deleted_agent_is_named_though_its_conversation_is_known(load: Load) -> None:
    """As it is where a conversation is opened; "404" would send its admin to look elsewhere."""
    async with rig(load) as town:
        store = town.server.store
        del store.agents[town.agent_id], store.main[town.agent_id]
        delete(town, town.conversation_id)
        finished = end_of_run(await town.play("[[say:hello]]"))
    assert finished.outcome is Outcome.CONFIG
    assert town.agent_id in str(finished.detail)


async def test_a_server_that_goes_while_a_conversation_is_replaced_is_out_of_reach(
    load: Load,
) -> None:
    """That is no fault of the configuration, and is tried again."""
    async with rig(load) as town:
        delete(town, town.conversation_id)
        town.server.faults.append(Fault(method="GET", path="/v1/agents/", hang_up=True))
        finished = end_of_run(await town.play("[[say:hello]]"))
        again = end_of_run(await town.play("[[say:hello]]"))
    assert (finished.outcome, again.text) == (Outcome.UNREACHABLE, "hello")


@pytest.mark.parametrize("redis", [True, False])
async def test_half_an_answer_of_a_deleted_conversation_is_none(load: Load, redis: bool) -> None:
    """The server lists no messages of it, and that is no error: the rest was never read."""
    async with rig(load, redis=redis) as town:
        town.backend.background = redis
        town.fault(after=5, cut=True)
        unresumed = Fault(path="/stream", answer=(400, {"detail": "INVALID_ARGUMENT"}, {}))
        town.server.faults.append(unresumed)
        running = await play_until(town, f"[[slow:0.05]][[say:{WORDS}]]", Text)
        delete(town, town.conversation_id)
        finished = end_of_run(await asyncio.wait_for(running, 20))
    assert (finished.outcome, finished.text) == (Outcome.LOST, "")


async def test_a_deleted_conversation_recalls_nothing(load: Load) -> None:
    """A new attempt finds out that it is gone, and goes on in another."""
    async with rig(load) as town:
        once = town.given("[[say:hello]]")
        await play(town.backend, once)
        delete(town, town.conversation_id)
        assert await town.backend.recall(once) is None


async def test_what_a_dead_aurora_left_running_is_aborted_when_somebody_stops_it(
    load: Load,
) -> None:
    """Another process, which knows the conversation and nothing more."""
    async with rig(load) as town:
        running = await play_until(town, SLOW, Text)
        other = LettaRest(town.server.url, town.server.token, load=load, direct=True)
        try:
            other.abandon(town.given("").conversation)
            end = end_of_run(await asyncio.wait_for(running, 20))
        finally:
            await other.close()
    assert end.outcome is Outcome.CANCELLED
