"""Runs whose agents act in Discord by themselves: what is noted, and what counts as the answer."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.agents.protocol import ToolCalled
from aurora.model import Event, Turn
from aurora.reasons import Reason
from aurora.tools.watching import EitherToolbox, WatchedTools
from doubles.local_discord import Channel, Message
from tests.support.stage import Stage, together


def watched(stage: Stage, asked: Event | Turn) -> WatchedTools:
    """Return the tools of a watched run."""
    return WatchedTools(together(asked), stage.store, stage.sender)


def call(text: str, channel: Channel | None = None, **more: Any) -> ToolCalled:
    """Make a send call as it is seen in the stream."""
    where = {} if channel is None else {"channelId": str(channel.id)}
    return ToolCalled("call-1", "discord_send", {"message": text, **where, **more})


def write(stage: Stage, text: str, channel: Channel | None = None, to: int = 0) -> Message:
    """Let the bot write something past Aurora."""
    replied = stage.local.world.messages[to] if to else None
    place = channel or stage.channel
    return stage.local.say(stage.local.bot_user, place, text, reply_to=replied)


async def settle(stage: Stage, tools: WatchedTools, asked: Event | Turn) -> Reason | None:
    """End the run, with a last text of the agent's."""
    await tools.close("over")
    return await stage.settle(asked, "the last words")


async def test_the_tools_are_guarded_unless_the_event_is_watched(stage: Stage) -> None:
    """And nothing is offered beside the agent's own."""
    event = await stage.ask()
    asked: list[Event] = []
    either = EitherToolbox(
        stage.toolbox, stage.store, stage.sender, watched=lambda one: bool(asked) and one is event
    )
    guarded = either.open(together(event), "agent-1")
    assert not guarded.watched
    assert guarded.specs
    asked.append(event)
    tools = either.open(together(event), "agent-1")
    assert tools.watched
    assert not tools.specs
    assert (await tools.call("discord_send", {"message": "hi"})).is_error
    assert stage.answers() == []


@pytest.mark.parametrize("key", ["message", "content", "text"])
async def test_a_text_seen_in_a_send_call_is_the_answer_when_it_is_in_the_channel(
    stage: Stage, key: str
) -> None:
    """MCP servers name the argument as they like."""
    event = await stage.ask()
    tools = watched(stage, event)
    await tools.saw(ToolCalled("call-1", "discord_send", {key: "hello"}))
    write(stage, "hello")
    assert await settle(stage, tools, event) == Reason.SENT
    assert len(stage.answers()) == 1


async def test_a_send_that_replies_to_another_message_is_known_by_its_text(stage: Stage) -> None:
    """An agent may answer the person that was asked about."""
    event = await stage.ask()
    tools = watched(stage, event)
    bobs = stage.local.say(stage.bob, stage.channel, "me?")
    await tools.saw(call("hello", stage.channel))
    write(stage, "hello", to=bobs.id)
    assert await settle(stage, tools, event) == Reason.SENT


async def test_a_reply_counts_even_if_no_call_was_seen(stage: Stage) -> None:
    """The stream may have been lost."""
    event = await stage.ask()
    write(stage, "anything", to=event.message_id)
    assert await settle(stage, watched(stage, event), event) == Reason.SENT
    assert len(stage.answers()) == 1


async def test_another_text_of_the_bot_is_no_answer(stage: Stage) -> None:
    """It may be another event's, or another cog's."""
    event = await stage.ask()
    tools = watched(stage, event)
    await tools.saw(call("hello", stage.channel))
    write(stage, "something else")
    assert await settle(stage, tools, event) == Reason.DELIVERED


async def test_the_same_text_from_before_the_message_is_no_answer(stage: Stage) -> None:
    """It answered somebody else."""
    write(stage, "hello")
    event = await stage.ask()
    tools = watched(stage, event)
    await tools.saw(call("hello", stage.channel))
    assert await settle(stage, tools, event) == Reason.DELIVERED


async def test_a_send_elsewhere_is_no_answer(stage: Stage) -> None:
    """Nobody in the event's channel sees it."""
    event = await stage.ask()
    tools = watched(stage, event)
    await tools.saw(call("hello", stage.hidden))
    write(stage, "hello", stage.hidden)
    assert await settle(stage, tools, event) == Reason.DELIVERED


@pytest.mark.parametrize(
    "seen",
    [
        ToolCalled("1", "discord_read_messages", {"channelId": "1"}),
        ToolCalled("1", "memory_insert", {"content": "hello"}),
        ToolCalled("1", "discord_send", {"message": ["hello"]}),
        ToolCalled("1", "discord_send"),
    ],
)
async def test_a_call_that_sends_nothing_leaves_no_trace(stage: Stage, seen: ToolCalled) -> None:
    """A recorded send would keep a failed turn from being tried again."""
    event = await stage.ask()
    await watched(stage, event).saw(seen)
    assert await stage.store.sends(event.id) == []


async def test_the_text_itself_is_not_kept_or_shown() -> None:
    """Neither in a log that writes the event down."""
    assert "hello" not in repr(call("hello"))


async def test_a_closing_that_cannot_look_does_not_raise(stage: Stage) -> None:
    """The channel may be gone by then."""
    event = await stage.ask()
    stage.local.delete_channel(stage.channel)
    await watched(stage, event).close("over")
    assert await stage.store.sends(event.id) == []


async def test_a_reply_to_any_message_of_a_turn_is_the_answer(stage: Stage) -> None:
    """The agent read all of them, and may reply to whichever it likes."""
    first, second = await stage.ask(), await stage.ask()
    turn = together(first, second)
    write(stage, "anything", to=first.message_id)
    assert await settle(stage, watched(stage, turn), turn) == Reason.SENT
    assert len(stage.answers()) == 1
