"""Progress: what a run shows of itself, when, and that it is gone when the answer is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from aurora.agents.protocol import (
    Accepted,
    Finished,
    ModelCalled,
    Reasoning,
    Text,
    ToolCalled,
    ToolReturned,
)
from aurora.clock import sleep
from aurora.model import State
from aurora.reasons import Outcome, Reason
from doubles.local_discord.world import Event as News
from tests.support.scripts import NEVER, ScriptedBackend, by_tool, done
from tests.support.workers import Bench, start_bench

CALL = ToolCalled("call-1", "discord_read_messages", {"channelId": "1"})
BACK = ToolReturned("call-1", is_error=False)


def read(number: int) -> list[Any]:
    """Return a call that is unlike the others, and its end, each after which seconds may pass."""
    call_id = f"call-{number}"
    call = ToolCalled(call_id, "discord_read_messages", {"channelId": "1", "limit": number})
    return [call, ToolReturned(call_id, is_error=False)]


OPENING = "🚀 Starting work... (react 🛑 to stop), since <t:{at}:R>"


class Timed(ScriptedBackend):
    """An agent whose script has numbers in it: seconds that pass."""

    clock: Any

    def __init__(self, *turns: Sequence[Any]) -> None:
        super().__init__(*([self.timed(step) for step in turn] for turn in turns))

    def timed(self, step: Any) -> Any:
        """Return a step that takes its time, in place of a number."""
        if not isinstance(step, int | float):
            return step

        async def wait(_tools: object) -> None:
            await sleep(self.clock, step)

        return wait


class Watched(Bench):
    """A bench that keeps what has happened in its Discord."""

    news: list[News]


Begin = Callable[..., Awaitable[Watched]]


@pytest.fixture
def begin(benches: list[Bench]) -> Begin:
    """Return what starts a worker whose agent takes its time; an answer takes no tool."""

    async def start(*turns: Sequence[Any], **settings: Any) -> Watched:
        backend = Timed(*turns)
        bench = Watched(backend)
        backend.clock = bench.clock
        benches.append(bench)
        bench.news = []
        bench.square.local.world.listeners.append(bench.news.append)
        await bench.start()
        await bench.settings.set_guild(9, **settings)
        return bench

    return start


def lines(bench: Bench) -> list[str]:
    """Return what progress lines say now."""
    return bench.square.of("progress")


def edits(bench: Watched) -> int:
    """Count the edits that Discord has made, whatever became of the messages."""
    return counted(bench)["MESSAGE_UPDATE"]


def posted(bench: Watched) -> int:
    """Count the messages that the bot has posted, whatever became of them."""
    return counted(bench)["MESSAGE_CREATE"]


def counted(bench: Watched) -> Counter[str]:
    """Count what has happened to messages of the bot's."""
    me = str(bench.square.local.bot_user.id)
    return Counter(
        one.name for one in bench.news if "author" in one.data and one.data["author"]["id"] == me
    )


async def test_a_run_of_four_seconds_shows_nothing(begin: Begin) -> None:
    """Typing is enough."""
    bench = await begin([Accepted(), CALL, BACK, 4, done("Hello.")])
    event = await bench.ask()
    await bench.clock.advance(5)
    assert event.state is State.ANSWERED
    assert (bench.square.delivered, posted(bench), edits(bench)) == (["Hello."], 1, 0)


async def test_a_run_of_twelve_seconds_shows_one_line_which_is_gone_afterwards(
    begin: Begin,
) -> None:
    """With a button, no reference to the message that asks, and no ping."""
    bench = await begin([Accepted(), CALL, 12, done("Hello.")])
    at = int(bench.clock.time())
    event = await bench.ask()
    await bench.clock.advance(7)
    assert lines(bench) == []
    await bench.clock.advance(2)
    assert lines(bench) == [f"Working: reading <#1>, since <t:{at}:R>"]
    world = bench.square.local.world.messages
    (line,) = [one for one in world.values() if one.content.startswith("Working")]
    assert line.reference is None
    assert line.components[0]["components"][0]["custom_id"] == f"aurora:stop:{event.id}"
    await bench.clock.advance(5)
    assert (lines(bench), bench.square.delivered) == ([], ["Hello."])
    assert (posted(bench), edits(bench)) == (2, 0)
    assert await bench.store.lines() == []


async def test_the_line_opens_with_the_words_that_were_agreed(begin: Begin) -> None:
    """As long as nothing is known of what the agent does."""
    bench = await begin([Accepted(), NEVER])
    at = int(bench.clock.time())
    await bench.ask()
    await bench.clock.advance(9)
    assert lines(bench) == [OPENING.format(at=at)]


async def test_it_is_edited_when_its_words_change_and_at_most_every_two_seconds(
    begin: Begin,
) -> None:
    """Pieces of a text are no change, and of many changes the last one counts."""
    pieces = [Text("m", "word ")] * 50
    busy = [step for number in range(20) for step in read(number)]
    bench = await begin([Accepted(), Reasoning("x"), 9, *pieces, 10, *busy, 1, CALL, NEVER])
    await bench.ask()
    await bench.clock.advance(9.5)
    assert "writing" in lines(bench)[0]
    before = edits(bench)
    assert before == 1
    await bench.clock.advance(9)
    assert edits(bench) == before
    await bench.clock.advance(6)
    assert "reading" in lines(bench)[0]
    assert edits(bench) <= before + 3


async def test_an_answer_by_tool_ends_the_line_though_the_run_goes_on(begin: Begin) -> None:
    """Agents note things down after it; if it goes looking again, there is a line again."""
    send = ToolCalled("call-2", "discord_send", {"channelId": "1", "message": "Hello."})
    sent = ToolReturned("call-2", is_error=False)
    bench = await begin(
        [Accepted(), 9, send, by_tool("Hello."), sent, 20, CALL, BACK, 9, done("NO_REPLY")]
    )
    await bench.ask()
    await bench.clock.advance(8.5)
    assert len(lines(bench)) == 1
    await bench.clock.advance(1)
    assert (lines(bench), bench.square.of("tool")) == ([], ["Hello."])
    await bench.clock.advance(19)
    assert lines(bench) == []
    await bench.clock.advance(9)
    assert len(lines(bench)) == 1
    await bench.clock.advance(2)
    assert lines(bench) == []


async def test_on_failure_the_line_becomes_the_notice(begin: Begin) -> None:
    """One message in all, which has no button any more, and is recorded as what it is."""
    failed = Finished(Outcome.CONTENT_REFUSED)
    bench = await begin([Accepted(), 9, failed])
    event = await bench.ask()
    await bench.clock.advance(10)
    assert event.reason == Reason.CONTENT_REFUSED
    assert (lines(bench), len(bench.square.notices), posted(bench)) == ([], 1, 1)
    (send,) = await bench.kept_by.sends(event.id)
    assert (send.by, send.key, len(send.message_ids)) == ("notice", "notice:end", 1)
    assert await bench.store.lines() == []


async def test_what_a_notice_offers_to_press_is_under_it_then(begin: Begin) -> None:
    """And no longer what stops the run."""
    loop = [ToolCalled(f"call-{number}", "x", {}) for number in range(6)]
    bench = await begin([Accepted(), 9, *loop, NEVER])
    await bench.settings.set_world(models={"strong": "a/strong"})
    event = await bench.ask()
    await bench.clock.advance(10)
    assert event.reason == Reason.STUCK
    assert posted(bench) == 1
    (line,) = [one for one in bench.square.local.world.messages.values() if one.components]
    assert "aurora:stronger:" in str(line.components)
    assert "aurora:stop:" not in str(line.components)


async def test_where_the_line_can_not_be_edited_a_notice_is_posted(begin: Begin) -> None:
    """And the line is taken away all the same."""
    bench = await begin([Accepted(), 9, Finished(Outcome.CONTENT_REFUSED)])
    event = await bench.ask()
    await bench.clock.advance(8.5)
    bench.square.local.faults.add("PATCH", r"/messages/", status=403)
    await bench.clock.advance(2)
    assert event.state is State.FAILED
    assert (lines(bench), len(bench.square.notices)) == ([], 1)


async def test_what_a_moderator_has_deleted_is_not_missed(begin: Begin) -> None:
    """The answer comes as it would have."""
    bench = await begin([Accepted(), 9, CALL, 3, done("Hello.")])
    event = await bench.ask()
    await bench.clock.advance(8.5)
    world = bench.square.local.world.messages
    (line,) = [one for one in world.values() if one.content.startswith("🚀")]
    bench.square.local.delete(line)
    await bench.clock.advance(5)
    assert (event.state, bench.square.delivered, lines(bench)) == (
        State.ANSWERED,
        ["Hello."],
        [],
    )
    assert await bench.store.lines() == []


async def test_a_hundred_changes_while_discord_makes_edits_wait_cost_no_answer(
    begin: Begin,
) -> None:
    """Nor a moment: what discord.py waits for it waits for beside the run."""
    changes = [step for number in range(50) for one in read(number) for step in (one, 3)]
    bench = await begin(
        [Accepted(), ModelCalled(), 9, *changes, done("Hello.")], agent_timeout=600
    )
    bench.square.local.faults.rate_limit("PATCH", r"/messages/", retry_after=3600, times=200)
    event = await bench.ask()
    await bench.clock.advance(9 + 300 + 1)
    assert (event.state, bench.square.delivered) == (State.ANSWERED, ["Hello."])
    assert lines(bench) == []


async def test_switched_off_it_shows_nothing(begin: Begin) -> None:
    """But for typing, which has a switch of its own."""
    bench = await begin([Accepted(), CALL, 30, done("Hello.")], progress="off")
    await bench.ask()
    await bench.clock.advance(20)
    assert (lines(bench), posted(bench)) == ([], 0)


async def test_with_tools_each_call_and_the_turn_of_the_model_are_shown(begin: Begin) -> None:
    """A tool that was not on offer has no name: a model may make up anything."""
    calls = [
        ToolCalled("a", "discord_read_messages", {"channelId": "1"}),
        ToolReturned("a", is_error=False),
        ModelCalled(),
        ToolCalled("b", "@everyone", {"channelId": "1"}),
        ToolReturned("b", is_error=True),
        ToolCalled("c", "discord_send", {"channelId": "1"}),
    ]
    bench = await begin([Accepted(), ModelCalled(), *calls, NEVER], progress="tools")
    at = int(bench.clock.time())
    await bench.ask()
    await bench.clock.advance(9)
    assert lines(bench)[0].split("\n") == [
        OPENING.format(at=at),
        "Turn 2 of 20",
        "✅ reading <#1>",
        "❌ using a tool",
        "▶️ writing in <#1>",
    ]


async def test_with_tools_who_waits_sees_where_they_stand(begin: Begin) -> None:
    """The same line goes on when their turn has come."""
    bench = await begin(
        [Accepted(), 20, done("One.")],
        [Accepted(), 20, done("Two.")],
        [Accepted(), 20, done("Three.")],
        progress="tools",
    )
    for author_id in (1, 2, 3):
        await bench.ask(author_id=author_id)
    await bench.clock.advance(9)
    assert [one.split("(")[0].strip() for one in lines(bench)] == [
        "🚀 Starting work...",
        "⏳ Waiting: 1 before you",
        "⏳ Waiting: 2 before you",
    ]
    await bench.clock.advance(16)
    assert [one.split("(")[0].strip() for one in lines(bench)] == [
        "🚀 Starting work...",
        "⏳ Waiting: 1 before you",
    ]
    await bench.clock.advance(60)
    assert (lines(bench), bench.square.delivered) == ([], ["One.", "Two.", "Three."])


async def test_after_a_death_the_line_stands_and_its_run_can_be_stopped(begin: Begin) -> None:
    """It is taken over, and says who has stopped it."""
    bench = await begin([Accepted(), NEVER], [Accepted(), NEVER])
    event = await bench.ask()
    await bench.clock.advance(9)
    (before,) = lines(bench)
    again = await bench.again()
    try:
        assert len(lines(again)) == 1
        assert lines(again) != [before]
        assert posted(bench) == 1
        assert await again.stopping.stop(event, 7)
        await again.clock.settle()
        assert (lines(again), again.square.notices) == ([], ["⏹️ Stopped by <@7>."])
        assert again.square.called_off == [event.id]
        assert await again.store.lines() == []
    finally:
        await again.stop()


async def test_what_a_death_left_of_who_has_ended_is_taken_away(begin: Begin) -> None:
    """The answer was out, and the line was about to go."""
    bench = await begin([Accepted(), 9, done("Hello.")])
    event = await bench.ask()
    await bench.clock.advance(8.5)
    bench.square.local.faults.rate_limit("DELETE", r"/messages/", retry_after=3600)
    await bench.clock.advance(2)
    assert event.state is State.ANSWERED
    assert len(lines(bench)) == 1
    again = await bench.again()
    try:
        assert (lines(again), again.square.delivered) == ([], ["Hello."])
        assert await again.store.lines() == []
    finally:
        await again.stop()


async def test_an_unload_takes_the_line_away(begin: Begin) -> None:
    """Whatever becomes of Aurora then, nobody is left before a button that does nothing."""
    bench = await begin([Accepted(), NEVER])
    await bench.ask()
    await bench.clock.advance(9)
    assert len(lines(bench)) == 1
    await bench.stop(grace=0.1)
    assert lines(bench) == []


async def test_it_is_no_answer_to_whoever_looks(begin: Begin) -> None:
    """Neither is a turn answered by it, nor kept from another run."""
    bench = await begin([Accepted(), 9, Finished(Outcome.FAILED)], [Accepted(), 1, done("Hello.")])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, bench.square.delivered, lines(bench)) == (
        State.ANSWERED,
        ["Hello."],
        [],
    )


async def test_steps_are_kept_without_a_word(benches: list[Bench]) -> None:
    """Which tool, when, and how it ended; names that nobody has offered are not kept."""
    odd = ToolCalled("call-2", "@everyone", {})
    bench, _ = await start_bench(
        benches,
        [
            Accepted(),
            Reasoning("a"),
            Reasoning("b"),
            CALL,
            BACK,
            odd,
            ToolReturned("call-2", is_error=True),
            Text("m", "Hel"),
            Text("m", "lo."),
            done("Hello."),
        ],
    )
    event = await bench.ask()
    turn = await bench.tried(event)
    steps = await bench.kept_by.steps(turn.id)
    assert [(one.kind, one.tool) for one in steps] == [
        ("reasoning", ""),
        ("call", CALL.name),
        ("return", CALL.name),
        ("call", ""),
        ("error", ""),
        ("text", ""),
    ]
    assert {one.attempt for one in steps} == {1}
