"""An agent whose send is refused, and that writes nothing more, had something to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from aurora.agents.protocol import ToolResult
from aurora.model import Turn
from aurora.reasons import REASONS, Reason
from aurora.tools.host import RunTools
from doubles.local_discord import Overwrite, permissions
from tests.support.stage import Stage, react, send, together

Act = Callable[[Stage, Turn, RunTools], Awaitable[ToolResult]]


def answered_with(status: int, code: int) -> Act:
    """Let Discord refuse the send with a status and a code."""

    async def act(stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
        stage.local.faults.add("POST", r"/messages$", status=status, code=code, times=9)
        return await send(tools, stage.channel, "Hello")

    return act


async def muted(stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
    """Let the person be one who may not write there any more."""
    deny = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    stage.local.set_overwrites(stage.channel, (deny,))
    return await send(tools, stage.channel, "Hello")


async def elsewhere(stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
    """Send to a channel that the person can't see."""
    return await send(tools, stage.hidden, "Hello")


async def empty(stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
    """Send nothing."""
    return await send(tools, stage.channel, "  ")


async def nowhere(_stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
    """Name a channel as people do, and not by its id."""
    return await tools.call("discord_send", {"channelId": "#general", "message": "Hello"})


async def wordless(stage: Stage, _turn: Turn, tools: RunTools) -> ToolResult:
    """Forget the text."""
    return await tools.call("discord_send", {"channelId": str(stage.channel.id)})


async def odd_emoji(_stage: Stage, turn: Turn, tools: RunTools) -> ToolResult:
    """React with what is no emoji."""
    return await react(tools, turn.speaker, ":thumbsup:")


async def may_not_react(stage: Stage, turn: Turn, tools: RunTools) -> ToolResult:
    """React where the person may not."""
    deny = Overwrite.of(stage.ada, deny=permissions.ADD_REACTIONS)
    stage.local.set_overwrites(stage.channel, (deny,))
    return await react(tools, turn.speaker, "👍")


REFUSALS: list[tuple[Act, str]] = [
    (answered_with(403, 50013), "forbidden"),
    (answered_with(400, 200000), "automod"),
    (answered_with(404, 10003), "channel_gone"),
    (answered_with(403, 50083), "thread_archived"),
    (answered_with(403, 160005), "thread_locked"),
    (answered_with(400, 50035), "refused_by_discord"),
    (muted, "may_not_send"),
    (elsewhere, "unknown_channel"),
    (empty, "empty"),
    (nowhere, "misused"),
    (wordless, "misused"),
    (odd_emoji, "unknown_emoji"),
    (may_not_react, "may_not_react"),
]


@pytest.mark.parametrize(
    ("act", "reason"), REFUSALS, ids=[f"{reason} {n}" for n, (_, reason) in enumerate(REFUSALS)]
)
async def test_a_refused_send_without_a_text_ends_in_a_warning_with_its_reason(
    stage: Stage, act: Act, reason: str
) -> None:
    """💤 would send the admin to the agent's instructions, which are not the cause."""
    turn = together(await stage.ask())
    result = await act(stage, turn, stage.toolbox.open(turn, "agent-1"))
    assert result.is_error
    assert await stage.settle(turn, "") == reason
    assert REASONS[Reason(reason)].mark == "⚠️"
    assert stage.reactions(turn.speaker) == ["⚠️"]


async def test_a_send_that_gets_out_after_all_is_the_answer(stage: Stage) -> None:
    """What was refused before it counts no more."""
    turn = together(await stage.ask())
    tools = stage.toolbox.open(turn, "agent-1")
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    assert (await send(tools, stage.channel, "Hello")).is_error
    assert not (await send(tools, stage.channel, "Hello again")).is_error
    assert await stage.settle(turn, "") is Reason.SENT


async def test_a_text_after_a_refused_send_is_delivered(stage: Stage) -> None:
    """It says what the send should have said."""
    turn = together(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    assert (await send(stage.toolbox.open(turn, "agent-1"), stage.channel, "Hello")).is_error
    assert await stage.settle(turn, "Hello") is Reason.DELIVERED


async def test_a_read_that_is_refused_leaves_an_agent_that_had_nothing_to_say(
    stage: Stage,
) -> None:
    """It looked, and was silent."""
    turn = together(await stage.ask())
    tools = stage.toolbox.open(turn, "agent-1")
    result = await tools.call("discord_read_messages", {"channelId": str(stage.hidden.id)})
    assert result.is_error
    assert await stage.settle(turn, "") is Reason.NO_ANSWER
