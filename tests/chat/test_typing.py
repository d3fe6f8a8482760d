"""Typing: shown while a run has not answered, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from aurora.agents.protocol import ToolCalled, ToolReturned
from aurora.chat.typing import Typing
from aurora.model import Event
from tests.support.stage import Stage

READ = "discord_read_messages"
SHORT = 0.02


async def test_typing_shows_while_inside(stage: Stage) -> None:
    """It starts by itself and leaves no task."""
    event = await stage.ask()
    before = asyncio.all_tasks()
    async with stage.delivery.typing(event, stage.open(event)):
        await stage.local.wait_for(lambda: stage.local.typing)
        assert stage.local.typing[0][1] == stage.channel.id
    assert {task for task in asyncio.all_tasks() - before if "typing" in task.get_name()} == set()


@pytest.mark.parametrize("status", [403, 404, 500, 0])
async def test_typing_that_fails_disturbs_nothing(stage: Stage, status: int) -> None:
    """Neither entering nor leaving waits for Discord or raises."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/typing$", status=status, times=9)
    async with asyncio.timeout(10), stage.delivery.typing(event, stage.open(event)):
        await asyncio.sleep(0.1)
    assert stage.local.typing == []


async def test_typing_lets_errors_through(stage: Stage) -> None:
    """What goes wrong inside is not typing's to hide."""
    event = await stage.ask()
    with pytest.raises(ZeroDivisionError):
        async with stage.delivery.typing(event, stage.open(event)):
            raise ZeroDivisionError


# -- as the run goes on


def typing(stage: Stage, event: Event) -> Typing:
    """Return a line that is shown anew every few milliseconds."""
    patience = stage.delivery._sender.patience
    return Typing(stage.bot, event, patience, stage.open(event), seconds=SHORT)


def call(name: str, event: Event, **more: object) -> ToolCalled:
    """Return a call of a tool about the event's place."""
    arguments = {"channelId": str(event.channel_id), **more}
    return ToolCalled("call-1", name, arguments)


async def goes_on(stage: Stage) -> bool:
    """Tell whether it is still shown anew."""
    await asyncio.sleep(2 * SHORT)
    before = len(stage.local.typing)
    await asyncio.sleep(5 * SHORT)
    return len(stage.local.typing) > before


DONE, FAILED = ToolReturned("call-1", False), ToolReturned("call-1", True)


async def test_nobody_types_once_the_answer_is_out(stage: Stage) -> None:
    """However long the run goes on."""
    event = await stage.ask()
    async with typing(stage, event) as line:
        await stage.local.wait_for(lambda: stage.local.typing)
        await line.saw(call("discord_send", event, message="Hi."))
        assert await goes_on(stage)
        await line.saw(DONE)
        assert not await goes_on(stage)


@pytest.mark.parametrize("turns", range(6))
async def test_a_run_that_ends_with_its_answer_ends_its_typing(stage: Stage, turns: int) -> None:
    """In whichever turn of the event loop: else the turn would hang, and its lane with it."""
    event = await stage.ask()
    async with asyncio.timeout(5):
        async with typing(stage, event) as line:
            await stage.local.wait_for(lambda: stage.local.typing)
            await asyncio.sleep(0)
            line.stop()
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_typing_begins_again_if_the_agent_goes_on_looking(stage: Stage) -> None:
    """There is more to come, and it shows at once."""
    event = await stage.ask()
    async with typing(stage, event) as line:
        await line.saw(call("discord_send", event, message="Hi."))
        await line.saw(DONE)
        assert not await goes_on(stage)
        await line.saw(call(READ, event))
        assert await goes_on(stage)


@pytest.mark.parametrize(
    ("name", "more", "end"),
    [
        ("discord_send", {"interim": True}, DONE),
        ("discord_send", {}, FAILED),
        ("discord_send", {"channelId": "99"}, DONE),
        ("discord_add_reaction", {}, DONE),
        ("memory_write", {}, DONE),
    ],
)
async def test_what_is_no_answer_ends_nothing(
    stage: Stage, name: str, more: dict[str, object], end: ToolReturned
) -> None:
    """Somebody still waits for it."""
    event = await stage.ask()
    async with typing(stage, event) as line:
        await line.saw(call(name, event, **more))
        await line.saw(end)
        assert await goes_on(stage)
