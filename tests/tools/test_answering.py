"""Where agents answer by text, their tools leave the event's place to that text."""

from __future__ import annotations

import pytest_asyncio

from aurora.model import Event
from aurora.settings import BY_TEXT, GuildSettings
from aurora.tools.host import RunTools, Toolbox
from tests.support.stage import ON_STAGE, Stage, react, send, together


@pytest_asyncio.fixture
async def event(stage: Stage) -> Event:
    """What Ada asks."""
    return await stage.ask()


@pytest_asyncio.fixture
async def tools(stage: Stage, event: Event) -> RunTools:
    """The tools of a run in a server with `answer text`."""
    toolbox = Toolbox(
        stage.bot,
        stage.store,
        stage.sender,
        stage.guard,
        stage.clock,
        settings=lambda _guild_id: GuildSettings(answer_way=BY_TEXT),
    )
    return toolbox.open(together(event), ON_STAGE)


async def test_a_send_to_the_event_s_place_is_refused_with_the_way_to_answer(
    stage: Stage, tools: RunTools
) -> None:
    """Sent and then written, the answer would be there twice."""
    result = await send(tools, stage.channel, "Hello Ada")
    assert result.is_error
    assert "Write it as text, with no tool" in result.text
    assert stage.answers() == []


async def test_elsewhere_the_agent_still_sends(stage: Stage, tools: RunTools) -> None:
    """Its text reaches one place only."""
    other = stage.local.add_channel(stage.guild, "other")
    result = await send(tools, other, "Hello there")
    assert not result.is_error
    assert [one.content for one in stage.answers(other)] == ["Hello there"]


async def test_a_reaction_in_the_event_s_place_is_no_text(
    stage: Stage, event: Event, tools: RunTools
) -> None:
    """Where no words are needed it is answer enough, whichever way words would take."""
    assert not (await react(tools, event, "👍")).is_error
    assert stage.reactions(event) == ["👍"]
