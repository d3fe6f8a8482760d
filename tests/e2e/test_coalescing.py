"""Several messages of one person while the agent is busy: one turn, and one answer to all."""

from __future__ import annotations

import asyncio

import pytest

from doubles.llm import Step
from doubles.local_discord import Message, User
from tests.support.e2e.seen import end_of, reached, thinking
from tests.support.e2e.town import Town


@pytest.fixture
async def chatty(town: Town) -> Town:
    """A town where messages of one person are answered together, as by default."""
    await town.cog.services.settings.set_guild(town.guild.id, coalesce_messages=True)
    return town


class Busy:
    """A run that holds the channel until `go`; Bo asked for it."""

    def __init__(self, town: Town, first: Message, gate: asyncio.Event) -> None:
        self.town = town
        self.first = first
        self.go = gate.set

    async def asked(self, *texts: str, author: User | None = None) -> list[Message]:
        """Let somebody (left out: Ada) write several messages, and see them waiting."""
        town = self.town
        said = [
            town.discord.say(author or town.ada, town.general, f"{town.mention} {text}")
            for text in texts
        ]
        await reached(town, said[-1], "queued")
        return said


async def busy(town: Town) -> Busy:
    """Let a run begin that does not end by itself."""
    gate = asyncio.Event()
    town.llm.script("hold on", Step(gate=gate, text="held"))
    first = town.discord.say(town.bo, town.general, f"{town.mention} hold on")
    await reached(town, first, "running")
    await thinking(town)
    return Busy(town, first, gate)


def requests_after(town: Town, count: int) -> int:
    """Count the calls of the model since there were so many."""
    return len(town.llm.requests) - count


async def ends(town: Town, *messages: Message) -> set[tuple[str, str]]:
    """Return how the events of messages ended, each end once."""
    return {await end_of(town, message) for message in messages}


def answered(town: Town, *messages: Message) -> list[int]:
    """Count the answers to each message."""
    return [len(town.answers(message)) for message in messages]


async def test_messages_of_one_person_become_one_turn_with_one_answer(chatty: Town) -> None:
    """It replies to the last, and all of them are answered by it."""
    held = await busy(chatty)
    asked = await held.asked("one", "two", "[[say:All three.]]")
    held.go()
    assert await ends(chatty, *asked) == {("answered", "delivered")}
    assert answered(chatty, *asked) == [0, 0, 1]
    assert requests_after(chatty, 1) == 1


async def test_the_agent_reads_all_of_them_in_one_prompt(chatty: Town) -> None:
    """In order, each with its id, and told to answer once."""
    held = await busy(chatty)
    asked = await held.asked("first words", "second words", "third words [[say:ok]]")
    held.go()
    await end_of(chatty, asked[-1])
    prompt = chatty.prompt(asked[-1])
    places = [prompt.index(f'Message ID: "{message.id}"') for message in asked]
    assert places == sorted(places)
    assert prompt.index("first words") < prompt.index("second words")
    assert "3 messages" in prompt


async def test_every_member_takes_the_same_steps(chatty: Town) -> None:
    """Whoever watches one of them sees it run and end."""
    held = await busy(chatty)
    asked = await held.asked("one", "[[say:Both.]]")
    held.go()
    await ends(chatty, *asked)
    first, last = ([step for step in chatty.steps(one) if step != "tool"] for one in asked)
    assert first == last == ["queued", "running", "answered"]


async def test_somebody_else_in_between_splits_the_turn(chatty: Town) -> None:
    """Answers come in the order of the questions."""
    held = await busy(chatty)
    (before,) = await held.asked("[[say:to the first]]")
    (other,) = await held.asked("[[say:to the other]]", author=chatty.bo)
    (after,) = await held.asked("[[say:to the last]]")
    held.go()
    assert await ends(chatty, before, other, after) == {("answered", "delivered")}
    assert answered(chatty, before, other, after) == [1, 1, 1]
    said = [one.content for one in chatty.bot_messages(chatty.general)][-3:]
    assert said == ["to the first", "to the other", "to the last"]


async def test_more_than_five_messages_are_two_turns(chatty: Town) -> None:
    """A prompt holds no more."""
    held = await busy(chatty)
    asked = await held.asked(*(f"[[say:{number}]]" for number in range(6)))
    held.go()
    assert await ends(chatty, *asked) == {("answered", "delivered")}
    assert answered(chatty, *asked) == [0, 0, 0, 0, 1, 1]


async def test_switched_off_each_message_gets_its_own_answer(chatty: Town) -> None:
    """By the guild's setting."""
    await chatty.command("aurora config coalesce off")
    held = await busy(chatty)
    asked = await held.asked("[[say:one]]", "[[say:two]]")
    held.go()
    assert await ends(chatty, *asked) == {("answered", "delivered")}
    assert answered(chatty, *asked) == [1, 1]


async def test_a_message_deleted_while_it_waits_is_not_in_the_turn(chatty: Town) -> None:
    """Its author took it back; the others are answered."""
    held = await busy(chatty)
    first, gone, last = await held.asked("one", "taken back", "[[say:Both.]]")
    chatty.discord.delete(gone)
    assert await end_of(chatty, gone) == ("cancelled", "message_deleted")
    held.go()
    assert await ends(chatty, first, last) == {("answered", "delivered")}
    assert "taken back" not in chatty.prompt(last)
    assert "2 messages" in chatty.prompt(last)


async def test_a_message_edited_while_it_waits_is_in_the_turn_as_it_is_now(chatty: Town) -> None:
    """Nobody wants an answer to a typo."""
    held = await busy(chatty)
    first, last = await held.asked("the tpyo", "[[say:Both.]]")
    chatty.discord.edit(first, f"{chatty.mention} the typo")
    await chatty.ask("[[say:seen]]", channel=chatty.discord.add_channel(chatty.guild, "side"))
    held.go()
    await ends(chatty, first, last)
    assert "the typo" in chatty.prompt(last)
    assert "the tpyo" not in chatty.prompt(last)


async def test_a_turn_that_fails_fails_for_all_of_them(chatty: Town) -> None:
    """One notice, the same end for each, and a mark on those that the notice does not answer."""
    await chatty.cog.services.settings.set_guild(chatty.guild.id, agent_timeout=2.0)
    held = await busy(chatty)
    asked = await held.asked("one", "[[slow:0.05]][[long:4000]]")
    held.go()
    assert len(await ends(chatty, *asked)) == 1
    assert {(await end_of(chatty, one))[0] for one in asked} == {"failed"}
    assert sum(answered(chatty, *asked)) == 1
    assert [chatty.marks(one) for one in asked] == [["⚠️"], []]


async def test_what_comes_while_a_turn_runs_waits_for_the_next(chatty: Town) -> None:
    """Who is in a turn is decided when it starts."""
    held = await busy(chatty)
    (late,) = await held.asked("[[say:later]]", author=chatty.bo)
    held.go()
    assert await ends(chatty, held.first, late) == {("answered", "delivered")}
    assert answered(chatty, held.first, late) == [1, 1]
