"""Reload and unload while people wait: nothing stays behind, and every event still ends."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import psutil

from doubles.llm import Step
from doubles.local_discord import Message
from tests.support.e2e.seen import end_of, mention, reached, thinking, works
from tests.support.e2e.town import Town
from tests.support.house import ROOT

AURORA = str(ROOT / "aurora")


async def cog(town: Town, action: str) -> None:
    """Load, unload or reload Aurora by its command, and wait until that is done."""
    office = town.discord.add_channel(town.guild, "office")
    assert (
        f"{action}ed".lower() in (await town.command(f"{action} aurora", channel=office)).lower()
    )


def tasks() -> Counter[str]:
    """Count the tasks of this process, the connections of the servers around us left out."""
    names = [str(task.get_coro()) for task in asyncio.all_tasks() if not task.done()]
    kinds = [name.split()[2] for name in names]
    return Counter(kind for kind in kinds if kind != "RequestHandler.start")


def threads() -> list[str]:
    """List the threads, those of the loop's own pool left out."""
    return sorted(one.name for one in threading.enumerate() if "asyncio_" not in one.name)


def sockets(town: Town) -> int:
    """Count the connections to the App Server."""
    everything = psutil.Process().net_connections(kind="inet")
    return sum(bool(one.raddr) and one.raddr.port == town.server.port for one in everything)


def files() -> set[str]:
    """List the open files."""
    return {one.path for one in psutil.Process().open_files()}


async def test_twenty_reloads_under_load_leave_nothing_behind(town: Town) -> None:
    """No task, thread, socket or file more than before; and everybody got their end."""
    side = town.discord.add_channel(town.guild, "side")
    await works(town)
    listeners = {name: len(found) for name, found in town.red.bot.extra_events.items()}
    before = tasks(), threads(), files()
    asked: list[Message] = []
    for _ in range(20):
        load = [mention(town, "[[say:under way]]", place) for place in (town.general, side, side)]
        await reached(town, load[-1], "queued")
        asked += load
        await cog(town, "reload")
    for message in asked:
        end = await town.ended(message)
        assert town.answers(message, message.channel) or town.marks(message), end
    await works(town)
    await town.discord.wait_for(lambda: tasks() == before[0])
    assert (threads(), files()) == before[1:]
    assert sockets(town) == 1
    found = {name: len(found) for name, found in town.red.bot.extra_events.items()}
    assert found == listeners


async def test_after_unload_nothing_of_aurora_runs(town: Town) -> None:
    """No task of its code, and no connection to the server."""
    await works(town)
    assert sockets(town) == 1
    await cog(town, "unload")
    left = [task for task in asyncio.all_tasks() if AURORA in str(task.get_coro())]
    assert left == []
    assert sockets(town) == 0


async def test_what_unload_breaks_off_and_leaves_waiting_is_answered_after_the_next_load(
    town: Town,
) -> None:
    """In order, once each; nobody is told of a restart."""
    town.cog.services.grace = 0.3
    gate = asyncio.Event()
    town.llm.script("take your time", Step(gate=gate, text="First."))
    running = mention(town, "take your time")
    await thinking(town)
    waiting = mention(town, "[[say:Second.]]")
    await reached(town, waiting, "queued")
    await cog(town, "unload")
    assert town.answers(running) == town.answers(waiting) == []
    assert town.marks(running) == town.marks(waiting) == []
    gate.set()
    await cog(town, "load")
    for message in (running, waiting):
        assert (await end_of(town, message))[0] == "answered"
    said = [(one.reference, one.content) for one in town.bot_messages(town.general)][-2:]
    assert said == [(running.id, "First."), (waiting.id, "Second.")]


async def test_unload_ends_running_turns_on_the_server(town: Town) -> None:
    """Nobody pays for tokens that nobody reads, and the conversation is not left wedged."""
    town.cog.services.grace = 0.05
    message = mention(town, "[[slow:0.05]][[long:4000]]")
    await thinking(town)
    event = town.cog.services.queue.find(message.id)
    turn = await town.cog.services.store.turn(event.turn_id)
    await cog(town, "unload")
    runtime = {"agent_id": turn.agent_id, "conversation_id": turn.conversation_id}
    answer = await town.server.request("abort_message", runtime=runtime)
    assert answer["aborted"] is False


async def test_a_short_run_may_end_before_the_unload(town: Town) -> None:
    """A few seconds of grace cost less than a lost answer."""
    message = mention(town, "[[sleep:0.3]][[say:Just in time.]]")
    await thinking(town)
    await cog(town, "unload")
    assert town.steps(message)[-1] == "answered"
    assert [one.content for one in town.answers(message)] == ["Just in time."]


async def test_a_message_still_on_its_way_in_at_unload_sees_an_end_too(town: Town) -> None:
    """Its reply chain takes a moment to look up, and Aurora is gone before it is there."""
    first = town.discord.say(town.bo, town.general, "the beginning")
    second = town.discord.say(town.bo, town.general, "and then", reply_to=first)
    await works(town)
    town.red.bot._connection._messages.clear()  # type: ignore[union-attr]  # as after a restart
    town.discord.faults.rate_limit("GET", rf"/messages/{first.id}", retry_after=1.0)
    late = town.discord.say(town.bo, town.general, f"{town.mention} so?", reply_to=second)
    await town.discord.wait_for(
        lambda: any(str(first.id) in call.path for call in town.discord.calls)
    )
    await cog(town, "unload")
    await town.discord.wait_for(lambda: town.marks(late) == ["⏹️"])
