"""Whatever Discord does to an answer: one end that is seen, one state that is kept, no second.

Beside what `tests/tools` and `test_delivery` show of single calls, and `test_bad_input` of a 500.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from aurora.chat.delivery import FAILED
from aurora.model import State
from doubles.local_discord import Channel, Message
from doubles.quick_app_server import Plan, channel_of
from tests.support.e2e.ledgers import event_of
from tests.support.e2e.quick import QuickTown, open_quick_town
from tests.support.e2e.seen import mention, reached

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWER = "Here is what you asked for."
# More than anybody tries.
ALWAYS = 9999


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, as each question has a channel of its own."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(kept_town: QuickTown) -> AsyncIterator[QuickTown]:
    """The town without a fault, before and after."""
    yield kept_town
    kept_town.discord.faults.waiting.clear()
    kept_town.quick.script = lambda _text: Plan(ANSWER)
    kept_town.cog.services.breakers.reset()


def text(_prompt: str) -> Plan:
    """Answer in plain text."""
    return Plan(ANSWER)


def tool(prompt: str) -> Plan:
    """Answer with the tool, and say that it was done."""
    send = {"channelId": channel_of(prompt), "message": ANSWER}
    return Plan("I have sent it.", calls=(("discord_send", send),))


def both(prompt: str) -> Plan:
    """Answer with the tool, and repeat it in text, as models do whose tool has failed."""
    send = {"channelId": channel_of(prompt), "message": ANSWER}
    return Plan(ANSWER, calls=(("discord_send", send),))


WAYS = pytest.mark.parametrize("way", [text, tool, both])


@dataclass(frozen=True)
class Seen:
    """The end of a question, as the ledger has it and as people see it."""

    state: State
    reason: str
    answers: list[str]
    marks: list[str]


async def ask(town: QuickTown, way: Callable[[str], Plan], *faults: dict[str, Any]) -> Seen:
    """Ask in a new channel where messages meet these faults."""
    room = town.discord.add_channel(town.guild, "room")
    for fault in faults:
        usual = {"method": "POST", "route_regex": f"/channels/{room.id}/messages$"}
        town.discord.faults.add(**usual | fault)
    town.quick.script = way
    return await seen(town, mention(town, "please", room))


async def seen(town: QuickTown, message: Message) -> Seen:
    """Wait for the end of a question, and look."""
    await town.ended(message)
    event = await event_of(town, message)
    said = [one.content for one in town.bot_messages(message.channel)]
    return Seen(event.state, event.reason, said, town.marks(message))


PASSING = [
    pytest.param({"status": 500}, id="500"),
    pytest.param({"status": 502, "times": 2}, id="502 twice"),
    pytest.param({"status": 503, "applied": True}, id="503, applied"),
    pytest.param({"status": 0}, id="cut"),
    pytest.param({"status": 0, "applied": True}, id="cut, applied"),
    pytest.param({"status": 0, "times": 2, "applied": True}, id="cut twice, applied"),
]


@WAYS
@pytest.mark.parametrize("fault", PASSING)
async def test_trouble_that_passes_leaves_one_answer(
    town: QuickTown, way: Callable[[str], Plan], fault: dict[str, Any]
) -> None:
    """It was sent again where it had not arrived, and found where it had."""
    found = await ask(town, way, fault)
    reason = "delivered" if way is text else "sent"
    assert found == Seen(State.ANSWERED, reason, [ANSWER], [])


@WAYS
async def test_a_rate_limit_is_waited_out(town: QuickTown, way: Callable[[str], Plan]) -> None:
    """429: Discord says how long."""
    room = town.discord.add_channel(town.guild, "limited")
    town.discord.faults.rate_limit("POST", f"/{room.id}/messages$", retry_after=0.1, times=2)
    town.quick.script = way
    found = await seen(town, mention(town, "please", room))
    assert (found.state, found.answers) == (State.ANSWERED, [ANSWER])


LASTING = [
    pytest.param({"status": 400, "code": 200000}, "automod", id="400"),
    pytest.param({"status": 403, "code": 50013}, "forbidden", id="403"),
    pytest.param({"status": 404, "code": 10003}, "channel_gone", id="404"),
    pytest.param({"status": 500}, "discord_error", id="500"),
    pytest.param({"status": 0}, "discord_error", id="cut"),
]


@WAYS
@pytest.mark.parametrize(("fault", "reason"), LASTING)
async def test_trouble_that_lasts_is_marked_and_named(
    town: QuickTown, way: Callable[[str], Plan], fault: dict[str, Any], reason: str
) -> None:
    """No text gets out, so the mark has to say it."""
    found = await ask(town, way, fault | {"times": ALWAYS})
    assert found == Seen(State.FAILED, reason, [], [FAILED])


@WAYS
async def test_answers_that_arrive_while_every_receipt_is_lost_are_one(
    town: QuickTown, way: Callable[[str], Plan]
) -> None:
    """Each try takes effect and none is confirmed: it is looked for in the channel."""
    found = await ask(town, way, {"status": 0, "applied": True, "times": ALWAYS})
    assert (found.state, found.answers) == (State.ANSWERED, [ANSWER])


@WAYS
async def test_where_nothing_can_be_looked_up_nothing_is_sent_twice(
    town: QuickTown, way: Callable[[str], Plan]
) -> None:
    """The answer arrived, its receipt is lost, and the channel can't be read."""
    lost = {"status": 0, "applied": True, "times": ALWAYS}
    blind = {"method": "GET", "status": 500, "times": ALWAYS}
    found = await ask(town, way, lost, blind)
    assert found.state.final
    assert found.reason
    assert found.answers == [ANSWER]


@WAYS
async def test_a_discord_that_refuses_everything_leaves_a_state_and_a_reason(
    town: QuickTown, way: Callable[[str], Plan]
) -> None:
    """Nothing can be shown; the ledger says what happened, and the lane goes on."""
    room = town.discord.add_channel(town.guild, "silent")
    town.discord.faults.add("*", f"/channels/{room.id}/", status=403, code=50001, times=ALWAYS)
    town.quick.script = way
    first = await seen(town, mention(town, "please", room))
    assert (first.state, first.answers, first.marks) == (State.FAILED, [], [])
    assert first.reason
    town.discord.faults.waiting.clear()
    second = await seen(town, mention(town, "and now?", room))
    assert (second.state, second.answers) == (State.ANSWERED, [ANSWER])


@pytest.mark.parametrize("emoji_status", [403, 404, 500])
async def test_a_mark_that_is_refused_is_said(town: QuickTown, emoji_status: int) -> None:
    """An agent with nothing to say, where Aurora may not react."""
    reaction = {"method": "PUT", "route_regex": "/reactions/", "status": emoji_status}
    found = await ask(town, lambda _text: Plan(""), reaction | {"times": ALWAYS})
    assert (found.state, found.reason) == (State.DECLINED, "no_answer")
    assert len(found.answers) == (1 if emoji_status == 403 else 0)


# -- the gateway


async def drop(town: QuickTown) -> None:
    """Cut the line."""
    await town.discord.drop_gateway()


async def reconnect(town: QuickTown) -> None:
    """Ask the bot to come again."""
    await town.discord.ask_reconnect()


async def invalidate(town: QuickTown) -> None:
    """Tell the bot that its session is over."""
    await town.discord.invalidate_session()


@pytest.mark.parametrize("trouble", [drop, reconnect, invalidate])
@pytest.mark.parametrize("way", [text, tool])
async def test_a_lost_gateway_session_changes_no_end(
    town: QuickTown, way: Callable[[str], Plan], trouble: Callable[[QuickTown], Any]
) -> None:
    """One question runs, one waits, one comes while nobody listens: each is answered once."""
    room: Channel = town.discord.add_channel(town.guild, "room")
    gate = asyncio.Event()
    town.quick.script = lambda prompt: Plan(calls=way(prompt).calls, text=ANSWER, delay=0.3)
    running = mention(town, "first", room)
    await reached(town, running, "running")
    waiting = mention(town, "second", room)
    await reached(town, waiting, "queued")
    await trouble(town)
    missed = mention(town, "third", room)
    gate.set()
    for message in (running, waiting, missed):
        await town.ended(message)
        assert (await event_of(town, message)).state is State.ANSWERED
        assert len(town.answers(message, room)) == 1
    steps = [town.steps(message).count("queued") for message in (running, waiting, missed)]
    assert steps == [1, 1, 1]
