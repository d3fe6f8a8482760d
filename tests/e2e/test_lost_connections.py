"""Lines that break and servers that die: still one end for every event, and never two answers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.llm import Call, Step
from sandbox.letta import AppServer
from tests.support.agents.servers import NOWHERE
from tests.support.e2e.cable import Cable
from tests.support.e2e.seen import (
    Outcome,
    Said,
    hasten,
    mention,
    outcome_of,
    reached,
    said_since,
    thinking,
    works,
)
from tests.support.e2e.town import Town, open_town


@pytest.fixture
async def cable(town: Town) -> AsyncIterator[Cable]:
    """The line over which the town talks to its App Server."""
    async with Cable(town.server.port) as line:
        assert "answers" in await town.command(f"aurora lettaurl {line.url}")
        hasten(town)
        yield line


@pytest.fixture
async def own_town(tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose App Server is its own, and may be killed."""
    server = await AppServer.start(
        tmp_path / "letta", llm_url=NOWHERE, llm_key="none", model="scripted"
    )
    try:
        async with open_town(tmp_path / "red", server) as town:
            await town.configure()
            yield town
    finally:
        await server.stop()


def send(town: Town, text: str) -> Call:
    """Write to the channel as the agent."""
    return Call.to("discord_send", channelId=str(town.general.id), message=text)


def answered(text: str, how: str = "delivered") -> Outcome:
    """Return what the person sees who gets this one answer and nothing else."""
    return Outcome("answered", how, [("general", True, text)], [])


async def test_a_line_cut_before_the_first_token_costs_no_answer(town: Town, cable: Cable) -> None:
    """The turn died with its socket and nothing was to be seen of it, so it runs again."""
    gate = asyncio.Event()
    hasten(town)
    town.llm.script("slow", Step(gate=gate, text="Here I am."))
    message = mention(town, "slow")
    await thinking(town)
    cable.cut()
    gate.set()
    assert await outcome_of(town, message) == answered("Here I am.")
    await works(town)


async def test_a_line_cut_while_the_text_comes_costs_no_answer(town: Town, cable: Cable) -> None:
    """Half a text is no answer, and nobody sees it."""
    text = "One two three four five six seven. " * 4
    hasten(town)
    town.llm.script("talk", Step(text=text, pace=0.05))
    message = mention(town, "talk")
    await thinking(town)
    cable.cut_before('"assistant_message"')
    assert await outcome_of(town, message) == answered(text.strip())
    assert cable.cuts == 1
    await works(town)


async def test_a_line_that_is_cut_each_time_is_one_notice(town: Town, cable: Cable) -> None:
    """Three turns that died are enough; the lane goes on."""
    gate = asyncio.Event()
    hasten(town)
    town.llm.script("slow", Step(gate=gate, text="Too late."))
    message = mention(town, "slow")
    for turn in range(1, 4):
        await thinking(town, turn)
        cable.cut()
    seen = await outcome_of(town, message)
    ((place, reply, notice),) = seen.said
    assert (seen.state, seen.reason, place, reply) == ("failed", "lost", "general", True)
    assert "lost touch" in notice
    gate.set()
    await works(town)


async def test_a_line_cut_after_a_send_is_an_answer(town: Town, cable: Cable) -> None:
    """The message is out, so nothing is said about the rest."""
    gate = asyncio.Event()
    town.llm.script("go on", Step(calls=(send(town, "Here."),)), Step(gate=gate, text="More."))
    message = mention(town, "go on")
    await thinking(town, 2)
    cable.cut()
    gate.set()
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "sent_before_lost", [("general", True, "Here.")], [])
    await works(town)


async def test_a_line_cut_before_a_send_got_out_is_one_message(town: Town, cable: Cable) -> None:
    """Discord kept the send waiting; it is let through, and no other run is needed."""
    route = f"/channels/{town.general.id}/messages"
    hasten(town)
    town.llm.script("go on", Step(calls=(send(town, "Here."),)))
    town.discord.faults.rate_limit("POST", route, retry_after=0.5)
    message = mention(town, "go on")
    tried = len(town.discord.calls)
    await town.discord.wait_for(
        lambda: any(call.status == 429 for call in town.discord.calls[tried:])
    )
    cable.cut()
    assert await outcome_of(town, message) == answered("Here.", "sent_before_lost")
    await works(town)


async def test_a_line_cut_before_the_end_of_the_turn_is_one_answer(
    town: Town, cable: Cable
) -> None:
    """Text proves nothing until the turn is over; the next turn's is delivered."""
    hasten(town)
    message = mention(town, "[[say:All of it.]]")
    cable.cut_before('"turn_finished"')
    assert await outcome_of(town, message) == answered("All of it.")
    assert cable.cuts == 1
    await works(town)


async def test_a_line_cut_as_the_input_is_accepted_is_one_message(
    town: Town, cable: Cable
) -> None:
    """Whether the server has a trace of it or not."""
    hasten(town)
    cable.cut_before('"input_accepted"')
    message = mention(town, "[[send:Here.]]")
    assert await outcome_of(town, message) == answered("Here.", "sent")
    assert cable.cuts == 1
    await works(town)


async def test_a_killed_server_runs_the_turn_again_without_a_second_message(
    own_town: Town,
) -> None:
    """It calls its tools again; the record of sends keeps the repetition from Discord."""
    town, gate = own_town, asyncio.Event()
    town.llm.script("go on", Step(calls=(send(town, "Here."),)), Step(gate=gate))
    message = mention(town, "go on")
    await thinking(town, 2)
    await town.server.kill()
    gate.set()
    await town.server.restart()
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "sent", [("general", True, "Here.")], [])
    assert len(town.llm.requests) > 2
    await works(town)


async def test_a_server_killed_before_the_first_token_answers_after_all(own_town: Town) -> None:
    """The input was on its disk."""
    town, gate = own_town, asyncio.Event()
    town.llm.script("slow", Step(gate=gate, text="Here I am."))
    message = mention(town, "slow")
    await thinking(town)
    await town.server.kill()
    gate.set()
    await town.server.restart()
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "delivered", [("general", True, "Here I am.")], [])


async def test_a_server_that_is_away_for_longer_than_its_agent_may_take_costs_no_answer(
    own_town: Town,
) -> None:
    """The time limit is the agent's: the server's absence does not use it up."""
    town, gate = own_town, asyncio.Event()
    await town.cog.services.settings.set_guild(town.guild.id, agent_timeout=10)
    town.llm.script("slow", Step(gate=gate, text="Here I am."))
    message = mention(town, "slow")
    await thinking(town)
    await town.server.kill()
    gate.set()
    await asyncio.sleep(15)  # what a server takes that has to be set up anew
    await town.server.restart()
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "delivered", [("general", True, "Here I am.")], [])


async def test_a_server_that_freezes_for_longer_than_its_agent_may_take_costs_no_answer(
    own_town: Town,
) -> None:
    """Its connection stands, so that nobody notices; it is no slow agent."""
    town, gate = own_town, asyncio.Event()
    await town.cog.services.settings.set_guild(town.guild.id, agent_timeout=10)
    town.llm.script("slow", Step(gate=gate, text="Here I am."))
    message = mention(town, "slow")
    await thinking(town)
    assert town.server.pid is not None
    os.killpg(town.server.pid, signal.SIGSTOP)
    gate.set()
    await asyncio.sleep(15)
    os.killpg(town.server.pid, signal.SIGCONT)
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "delivered", [("general", True, "Here I am.")], [])


async def test_a_mention_during_an_outage_is_answered_afterwards(own_town: Town) -> None:
    """One notice for the channel, then the answers, in order."""
    town = own_town
    hasten(town, 0.3)
    await town.server.stop()
    first, second = mention(town, "[[send:one]]"), mention(town, "[[send:two]]")

    def heard() -> list[Said]:
        return [one for one in said_since(town, second) if one[0] == "general"]

    await town.discord.wait_for(heard, 30)
    await town.server.restart()
    await town.ended(second)
    ((_, _, notice), *answers) = heard()
    assert "My agent is not available right now" in notice
    assert answers == [("general", False, "one"), ("general", True, "two")]
    assert [town.steps(one)[-1] for one in (first, second)] == ["answered", "answered"]


async def test_a_server_that_is_back_is_used_again_within_seconds(own_town: Town) -> None:
    """Many ask while it is down, so that its breaker opens; nobody waits out the minute."""
    town = own_town
    await town.server.kill()
    rooms = [town.discord.add_channel(town.guild, f"room {number}") for number in range(6)]
    asked = [mention(town, "[[send:Here.]]", room) for room in rooms]
    server = town.cog.services.breakers.server
    await town.discord.wait_for(lambda: server.state.value == "open", 30)
    await town.server.restart()
    for message in asked:
        await town.ended(message)
    assert [town.steps(one)[-1] for one in asked] == ["answered"] * 6


async def test_the_cog_loads_while_the_server_is_down_and_answers_later(own_town: Town) -> None:
    """A load never waits for the network."""
    town = own_town
    await town.server.stop()
    await town.command("reload aurora")
    hasten(town, 0.3)
    message = mention(town, "[[send:Here.]]")
    await reached(town, message, "retrying")
    await town.server.restart()
    await town.ended(message)
    assert said_since(town, message)[-1] == ("general", True, "Here.")


async def test_a_line_cut_between_two_messages_goes_unnoticed(town: Town, cable: Cable) -> None:
    """Nobody was waiting, so nobody hears of it; the conversation goes on."""
    await works(town)
    cable.cut()
    await works(town)
