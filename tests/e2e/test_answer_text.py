"""`config answer text`, before each kind of server: the agent's text is its answer."""

from __future__ import annotations

import pytest

from tests.support.e2e.seen import Outcome, provoke, tool_returns
from tests.support.e2e.town import Town


@pytest.fixture
async def town(either_town: Town) -> Town:
    """A town where agents answer by text."""
    assert "`answer` is now **text**" in await either_town.command("aurora config answer text")
    return either_town


async def test_an_answer_by_text_is_one_reply_and_one_call_of_the_model(town: Town) -> None:
    """By tool it takes two, and each costs the whole prompt."""
    seen = await provoke(town, "hello there")
    ((place, is_reply, text),) = seen.said
    assert (seen.state, place, is_reply, seen.marks) == ("answered", "general", True, [])
    assert text.startswith("Hello, Ada!")
    assert len(town.llm.requests) == 1


async def test_a_send_to_its_own_place_is_refused_with_the_way_to_answer(town: Town) -> None:
    """And the text that follows is the answer, once."""
    seen = await provoke(town, "[[send:Here.]][[after:Here, then.]]")
    assert seen == Outcome("answered", "delivered", [("general", True, "Here, then.")], [])
    assert "Write it as text, with no tool" in tool_returns(town)


async def test_another_place_is_written_to_by_tool(town: Town) -> None:
    """Text reaches the place where it was asked for, and no other."""
    other = town.discord.add_channel(town.guild, "other")
    await provoke(town, f"[[sendto:{other.id}|Hello there.]][[after:I told them.]]")
    assert [one.content for one in town.bot_messages(other)] == ["Hello there."]
