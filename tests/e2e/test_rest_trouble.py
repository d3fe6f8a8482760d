"""What only the REST API can do to a mention: held conversations, orphans, streams that break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aurora.agents.sdk import SdkFolder
from aurora.errors import LIMITED
from doubles.letta_rest import Fault
from doubles.llm import Call, Step
from tests.support.e2e.seen import (
    Outcome,
    hasten,
    mention,
    outcome_of,
    owner_reads,
    provoke,
    reached,
    said_since,
    thinking,
    tool_returns,
    works,
)
from tests.support.e2e.town import Town, open_town

WORDS = " ".join(f"word{number}" for number in range(40))
ALL_WORDS = Outcome("answered", "delivered", [("general", True, WORDS)], [])
LOST = {"name": "lost", "description": "", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture
async def town(rest_town: Town) -> Town:
    """A town over REST whose channel has an open conversation, and where nothing waits long."""
    await rest_town.cog.services.settings.set_guild(rest_town.guild.id, rate_limit_seconds=0.0)
    await works(rest_town)
    hasten(rest_town)
    return rest_town


def conversation(town: Town) -> str:
    """Return the id of the one conversation."""
    (found,) = town.rest.store.threads
    return found


def fault(town: Town, **what: Any) -> None:
    """Let something go wrong with the next message that is sent to an agent."""
    what = {"method": "POST", "path": "/messages"} | what
    town.rest.faults.append(Fault(**what))


def posted(town: Town, part: str) -> list[Any]:
    """Return the bodies of all POST requests whose path ends so."""
    return [
        body
        for method, path, body in town.rest.requests
        if method == "POST" and path.partition("?")[0].endswith(part)
    ]


async def intrude(town: Town, text: str, **body: Any) -> str:
    """Send a message as another client of the server, and return the answer's frames."""
    url = f"{town.rest.url}/v1/conversations/{conversation(town)}/messages"
    headers = {"Authorization": f"Bearer {town.rest.token}"}
    body = {"messages": [{"role": "user", "content": text}], **body}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as response,
    ):
        return await response.text()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something has happened inside the double."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - its tables have no event to wait for
            await asyncio.sleep(0.01)


# -- a conversation that is held


async def test_a_busy_conversation_is_waited_for(town: Town) -> None:
    """409: somebody else's run holds it; when that is over, the mention gets its answer."""
    api = town.cog.services.agents.backend._api
    api.limits = api.limits._replace(patience=5.0)
    gate = asyncio.Event()
    town.llm.script("slow", Step(gate=gate, text="There."))
    other = asyncio.create_task(intrude(town, "slow"))
    await thinking(town, 2)
    message = mention(town, "[[send:My turn.]]")
    sent = len(posted(town, "/messages"))
    await until(lambda: len(posted(town, "/messages")) > sent)
    gate.set()
    seen = await outcome_of(town, message)
    assert seen == Outcome("answered", "sent", [("general", True, "My turn.")], [])
    assert "There." in await other
    assert posted(town, "/cancel") == []


async def test_a_conversation_that_stays_busy_counts_against_nobody(town: Town) -> None:
    """More refusals than there are attempts: the event waits and is answered in the end."""
    body = {"detail": "CONFLICT: Cannot send a new message: Another request.", "run_id": "run-1"}
    fault(town, times=8, answer=(409, body, {}))
    message, end = await town.ask("[[send:At last.]]")
    assert (end.step, end.detail) == ("answered", "sent")
    assert said_since(town, message) == [("general", True, "At last.")]
    assert town.steps(message).count("retrying") > 3
    breakers = town.cog.services.breakers
    assert breakers.acquire(town.agent_id) is not None


async def test_an_orphaned_approval_is_denied_and_the_mention_answered(town: Town) -> None:
    """A tool call that nobody will answer any more would block its conversation for ever."""
    said = await intrude(town, "[[tool:lost {}]]", client_tools=[LOST])
    assert "requires_approval" in said
    seen = await provoke(town, "[[send:Here.]]")
    assert seen == Outcome("answered", "sent", [("general", True, "Here.")], [])
    (denial,) = [
        one
        for body in posted(town, "/messages")
        for one in body["messages"][0].get("approvals", ())
        if one.get("approve") is False
    ]
    assert denial["tool_call_id"] in said


# -- errors in a stream whose status is 200


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("llm_rate_limit", "RATE_LIMIT_EXCEEDED: Error code: 429"),
        ("llm_error", "INTERNAL_SERVER_ERROR: Error code: 500"),
        ("internal_error", "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_an_error_in_mid_stream_is_no_answer(town: Town, kind: str, detail: str) -> None:
    """What was said before it is not delivered; the second attempt is."""
    town.llm.script("talk", Step(text=WORDS))
    fault(town, after=10, error=(kind, "An error occurred.", detail))
    message = mention(town, "talk")
    assert await outcome_of(town, message) == ALL_WORDS
    steps = ["queued", "running", "retrying", "running", "answered"]
    assert town.steps(message) == steps


async def test_a_refused_key_in_mid_stream_is_one_notice(town: Town) -> None:
    """401 inside a 200: no second try, and the owner is told."""
    detail = "UNAUTHENTICATED: Error code: 401"
    fault(town, after=2, error=("llm_authentication", "Authentication failed.", detail))
    seen = await provoke(town, "[[say:Half.]]")
    (_, reply, notice) = seen.said[0]
    (to_owner,) = await owner_reads(town)
    assert (seen.state, seen.reason, reply) == ("failed", "config", True)
    assert "not set up correctly" in notice
    assert "refused its key" in to_owner
    await works(town)


async def test_each_attempt_has_an_otid_of_its_own(town: Town) -> None:
    """The server replays a failed run to whoever repeats its otid, so a retry must not."""
    message, _ = await town.ask("[[err:500*3]][[send:At last.]]")
    assert said_since(town, message) == [("general", True, "At last.")]
    first, second, answer = [body["messages"][0]["otid"] for body in posted(town, "/messages")][
        -3:
    ]
    assert len({first, second, answer}) == 3
    asked = len(town.llm.requests)
    repeated = {"role": "user", "content": "anything", "otid": first}
    replay = await intrude(town, "", messages=[repeated], background=True)
    assert "error_type" in replay
    assert len(town.llm.requests) == asked


# -- streams that break


async def test_a_cut_stream_is_taken_up_where_it_broke(town: Town) -> None:
    """The run went on without us; its text arrives whole, and once."""
    town.llm.script("talk", Step(text=WORDS, pace=0.01))
    fault(town, after=10, cut=True)
    assert await provoke(town, "talk") == ALL_WORDS
    resumed = [path for _, path, _ in town.rest.requests if path.endswith("/stream")]
    assert len(resumed) == 1
    assert len(posted(town, "/messages")) == 3


async def test_a_send_behind_a_cut_is_made_once(town: Town) -> None:
    """The call was in the part of the stream that nobody heard."""
    call = Call.to("discord_send", channelId=str(town.general.id), message="Here.")
    town.llm.script("go on", Step(thought=WORDS, calls=(call,)), Step(text="Done."))
    fault(town, after=3, cut=True)
    seen = await provoke(town, "go on")
    assert seen == Outcome("answered", "sent", [("general", True, "Here.")], [])


async def test_a_server_killed_in_mid_turn_costs_no_answer(town: Town) -> None:
    """Its run says "running" for ever; nothing was to be seen of it, so another is begun.

    Start and search take longer than the agent may. That a run is taken for dead after half a
    minute, and not after the 12 s of this test, can't be seen here.
    """
    await town.cog.services.settings.set_guild(town.guild.id, agent_timeout=10)
    api = town.cog.services.agents.backend._api
    api.limits = api.limits._replace(stall=12.0)
    gate = asyncio.Event()
    town.llm.script("slow", Step(gate=gate, text="Here I am."))
    message = mention(town, "slow")
    await thinking(town, 3)
    await town.rest.kill()
    await town.rest.restart()
    gate.set()
    seen = await outcome_of(town, message, 60)
    assert seen == Outcome("answered", "delivered", [("general", True, "Here I am.")], [])
    assert town.cog.services.breakers.agent(town.agent_id).snapshot().failures == 0
    await works(town)


async def test_a_server_that_is_away_is_waited_for(town: Town) -> None:
    """Nothing was accepted, so nothing is lost."""
    await town.rest.kill()
    message = mention(town, "[[send:Back again.]]")
    await reached(town, message, "retrying")
    await town.rest.restart(startup=0.0)
    end = await town.ended(message)
    assert (end.step, end.detail) == ("answered", "sent")
    assert said_since(town, message)[-1] == ("general", True, "Back again.")


async def test_a_deleted_conversation_is_replaced_under_its_title(town: Town) -> None:
    """An admin of the server finds the channel's conversation by it."""
    old = conversation(town)
    title = town.rest.store.threads.pop(old).summary
    await works(town)
    (new,) = town.rest.store.threads.values()
    assert new.summary == title == f"discord:{town.guild.id}:{town.general.id}"


async def test_a_deleted_agent_is_named_to_the_owner(town: Town) -> None:
    """The channel's conversation was deleted with it, and is not what is missing."""
    store = town.rest.store
    del store.agents[town.agent_id], store.main[town.agent_id]
    store.threads.clear()
    seen = await provoke(town, "[[say:hello]]")
    (to_owner,) = await owner_reads(town)
    assert (seen.state, seen.reason) == ("failed", "config")
    assert f"no agent with the id {town.agent_id}" in to_owner


async def test_a_server_without_background_runs_answers_all_the_same(
    tmp_path: Path, sdk: SdkFolder
) -> None:
    """503 once, then in the foreground from the start."""
    assert sdk.place.is_dir()
    async with open_town(tmp_path, None, redis=False) as town:
        await town.configure()
        await works(town)
        await works(town)
        background = [body.get("background", False) for body in posted(town, "/messages")]
    assert background == [True, False, False, False, False]


async def test_a_cut_foreground_stream_is_read_back(tmp_path: Path, sdk: SdkFolder) -> None:
    """Without Redis nothing can be resumed; the conversation's tail has the answer."""
    assert sdk.place.is_dir()
    async with open_town(tmp_path, None, redis=False) as town:
        await town.configure()
        await works(town)
        hasten(town)
        town.llm.script("talk", Step(text=WORDS))
        fault(town, after=10, cut=True)
        assert await provoke(town, "talk") == ALL_WORDS


async def test_calls_that_the_server_drops_are_not_made(town: Town) -> None:
    """An agent without parallel calls shows two in its stream, and keeps one."""
    alone = town.rest.create_agent("one at a time")
    assert "Done" in await town.command(f"aurora enable {alone}")
    seen = await provoke(town, "[[send2:One.|Two.]]")
    assert seen == Outcome("answered", "sent", [("general", True, "One.")], [])
    assert "Two." not in tool_returns(town)


async def test_a_server_that_is_back_is_used_again_within_seconds(town: Town) -> None:
    """Many ask while it is down, so that its breaker opens; it is found by a cheap look-up."""
    await town.rest.stop()
    rooms = [town.discord.add_channel(town.guild, f"room {number}") for number in range(6)]
    asked = [mention(town, "[[send:Here.]]", room) for room in rooms]
    server = town.cog.services.breakers.server
    await town.discord.wait_for(lambda: server.state.value == "open", 30)
    await town.rest.restart()
    for message in asked:
        await town.ended(message)
    assert [town.steps(one)[-1] for one in asked] == ["answered"] * 6


async def test_a_provider_that_limits_for_ever_is_told_once(town: Town) -> None:
    """Over the API as well: a word after a quarter of a minute, few tries, and then the answer."""
    town.cog.services.breakers.limited_pauses = LIMITED

    def heard() -> list[str]:
        return [text for place, _, text in said_since(town, message) if place == "general"]

    message = mention(town, "patience [[err:429]]")
    (notice,) = await town.discord.wait_for(heard, 40)
    assert "asked for too much" in notice
    # At 0, 5 and 10 s, and perhaps at 20; a server asks a model up to three times by itself.
    assert town.steps(message).count("running") <= 4
    town.llm.script("patience", Step(text="Now."))
    seen = await outcome_of(town, message, 60)
    assert (seen.state, heard()) == ("answered", [notice, "Now."])
