"""Stopping at five moments, by a button, a reaction and a command, before both kinds of server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from aurora.model.progress import Progress
from doubles.llm import Call, Step
from doubles.local_discord import Channel, Message
from sandbox.letta import AppServer
from tests.support.e2e.holding import hold
from tests.support.e2e.seen import mention, reached, said_since
from tests.support.e2e.town import Town, open_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWER = "nobody should read this"


@pytest.fixture(scope="module", params=["app-server", "rest"])
def served(request: pytest.FixtureRequest) -> AppServer | None:
    """Each kind of server in turn, once; None stands for a double of the REST API."""
    if request.param == "rest":
        request.getfixturevalue("sdk")
        return None
    found = request.getfixturevalue("app_server")
    assert isinstance(found, AppServer)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    served: AppServer | None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """One town before each kind of server, for all: each question has a channel of its own."""
    async with open_town(tmp_path_factory.mktemp("stopping"), served) as opened:
        await opened.configure()
        yield opened


# -- moments


class Moment:
    """A question that has come to some point; `go` lets its agent say what nobody should read."""

    def __init__(self, message: Message, go: Callable[[], object] = lambda: None) -> None:
        self.message = message
        self.go = go


async def waiting(town: Town, room: Channel) -> Moment:
    """It waits behind another one."""
    held = await hold(town, room, text=f"[[say:{ANSWER}]]")
    return Moment(held.waiting, held.go)


async def opening(town: Town, room: Channel) -> Moment:
    """Its rights are asked for again."""
    admission, go = town.cog.services.worker._admission, asyncio.Event()
    ports = admission._ports

    async def welcome(event: Any) -> Any:
        await go.wait()
        return await ports.welcome(event)

    admission._ports = ports._replace(welcome=welcome)
    message = mention(town, f"[[say:{ANSWER}]]", room)
    await reached(town, message, "running")
    admission._ports = ports
    return Moment(message, go.set)


async def silent(town: Town, room: Channel) -> Moment:
    """The model has not said anything yet."""
    return await scripted(town, room, lambda gate: [Step(gate=gate, text=ANSWER)])


async def acting(town: Town, room: Channel) -> Moment:
    """A tool is at it, for Discord makes it wait."""
    town.discord.faults.rate_limit("GET", rf"/channels/{room.id}/messages", retry_after=2)
    call = Call.to("discord_read_messages", channelId=str(room.id))
    moment = await scripted(town, room, lambda _gate: [Step(calls=(call,)), Step(text=ANSWER)])
    await reached(town, moment.message, "tool")
    return moment


async def delivering(town: Town, room: Channel) -> Moment:
    """The agent has ended, and Discord makes its text wait."""
    moment = await scripted(town, room, lambda gate: [Step(gate=gate, text=ANSWER)])
    return Moment(moment.message, lambda: _deliver(town, room, moment))


def _deliver(town: Town, room: Channel, moment: Moment) -> None:
    town.discord.faults.rate_limit("POST", rf"/channels/{room.id}/messages", retry_after=1.5)
    moment.go()


async def scripted(
    town: Town, room: Channel, steps: Callable[[asyncio.Event], list[Step]]
) -> Moment:
    """Ask what the model has a script for."""
    gate, before = asyncio.Event(), len(town.llm.requests)
    town.llm.script(f"question {room.id}", *steps(gate))
    message = mention(town, f"question {room.id}", room)
    await town.discord.wait_for(lambda: len(town.llm.requests) > before or None, 30)
    return Moment(message, gate.set)


# -- ways


async def by_button(town: Town, moment: Moment) -> Callable[[], Awaitable[object]]:
    """Press the button of its progress line, which is shown long before it would be."""
    services = town.cog.services
    event = services.queue.find(moment.message.id)
    services.lines.show(event, Progress(event.accepted_at))
    line = await line_of(town, moment.message)

    async def press() -> None:
        town.discord.press(town.ada, line, stop_id(line))

    return press


async def by_reaction(town: Town, moment: Moment) -> Callable[[], Awaitable[object]]:
    """React to the message."""

    async def react() -> None:
        town.discord.react(town.ada, moment.message, "🛑")

    return react


async def by_command(town: Town, moment: Moment) -> Callable[[], Awaitable[object]]:
    """Cancel the run."""
    return lambda: town.command(f"aurora runs cancel {moment.message.id}")


async def line_of(town: Town, message: Message) -> Message:
    """Wait for the progress line of a question."""
    return await town.discord.wait_for(
        lambda: next((one for one in town.bot_messages(message.channel) if one.components), None)
    )


def stop_id(line: Message) -> str:
    """Return the id of a line's button."""
    found: Any = line.components[0]["components"][0]["custom_id"]
    return str(found)


MOMENTS = [waiting, opening, silent, acting, delivering]
WAYS = [by_button, by_reaction, by_command]


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one.__name__)
async def test_it_is_stopped_once_and_nothing_of_it_is_posted(
    town: Town, moment: Any, way: Any
) -> None:
    """Cancelled as stopped, marked once, said once by whom; the lane goes on."""
    room = town.discord.add_channel(town.guild, f"{moment.__name__} {way.__name__}")
    stopped = await moment(town, room)
    message = stopped.message
    stop = await way(town, stopped)
    if moment is delivering:
        stopped.go()
        await town.discord.wait_for(lambda: held_up(town, room) or None)
    await stop()
    end = await town.ended(message)
    assert (end.step, end.detail) == ("cancelled", "stopped")
    words = f"⏹️ Stopped by <@{town.ada.id}>."
    await town.discord.wait_for(lambda: words in texts(town, message) or None)
    stopped.go()
    town.discord.say(town.ada, room, f"{town.mention} [[say:and on]]")
    await town.discord.wait_for(lambda: "and on" in texts(town, message) or None, 30)
    assert texts(town, message).count(words) == 1
    assert ANSWER not in texts(town, message)
    assert town.marks(message) == ["⏹️"]


def held_up(town: Town, room: Channel) -> bool:
    """Tell whether Discord has made the bot wait with a message."""
    path = f"/channels/{room.id}/messages"
    posts = (one for one in town.discord.calls if one.method == "POST" and one.path == path)
    return any(one.status == 429 for one in posts)


def texts(town: Town, message: Message) -> list[str]:
    """Return what the bot has written in a question's channel since."""
    place = message.channel.name
    return [text for where, _, text in said_since(town, message) if where == place]


# -- who, and when


async def test_strangers_press_in_vain_and_are_told_so_in_private(town: Town) -> None:
    """Their reactions do nothing, and nobody is told of those."""
    room = town.discord.add_channel(town.guild, "strangers")
    moment = await silent(town, room)
    await by_button(town, moment)
    line = await line_of(town, moment.message)
    town.discord.react(town.bo, moment.message, "🛑")
    town.discord.react(town.bo, line, "🛑")
    pressed = town.discord.press(town.bo, line, stop_id(line))
    told = await town.discord.wait_for(lambda: pressed.content)
    assert "Only who asked can stop this" in told
    assert [one.ephemeral_for for one in town.bot_messages(room)][-1] == town.bo.id
    assert town.steps(moment.message)[-1] == "running"
    moment.go()
    assert (await town.ended(moment.message)).step == "answered"
    gone = town.discord.world.messages
    await town.discord.wait_for(lambda: line.id not in gone or None)


async def test_the_button_works_after_a_restart(town: Town) -> None:
    """It needs nothing but what stands in its id; a line that was left behind is taken over."""
    room = town.discord.add_channel(town.guild, "restarts")
    moment = await silent(town, room)
    await by_button(town, moment)
    line = await line_of(town, moment.message)
    # As after a kill: nobody takes the line away, and nobody ends the run.
    town.cog.services.lines._lines.clear()
    await town.command("reload aurora", channel=room)
    await reached(town, moment.message, "retrying")
    town.discord.press(town.ada, line, stop_id(line))
    end = await town.ended(moment.message)
    assert (end.step, end.detail) == ("cancelled", "stopped")
    await town.discord.wait_for(lambda: line.components == [] or None)
    assert line.content == f"⏹️ Stopped by <@{town.ada.id}>."
    pressed = town.discord.world.messages[line.id]
    assert pressed is line
    moment.go()
