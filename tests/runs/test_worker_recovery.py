"""After a crash, an unload or a full disk: what was done is found out before anything is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished
from aurora.ledger import LedgerError
from aurora.model import NO_CONTEXT, Event, State
from aurora.reasons import AgentError, Outcome, Reason
from tests.support.discord_port import withhold
from tests.support.events import make_event
from tests.support.scripts import NEVER, RememberingBackend, ScriptedBackend, by_tool, done
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench


async def start(benches: list[Bench], backend: ScriptedBackend) -> Bench:
    """Start a worker."""
    bench = Bench(backend)
    benches.append(bench)
    await bench.start()
    return bench


async def crash(benches: list[Bench], *script: Any, remember: bool = False) -> tuple[Bench, Event]:
    """Let Aurora die in the middle of a run, and start another that has its event to answer."""
    backend = RememberingBackend(script) if remember else ScriptedBackend(script)
    bench = await start(benches, backend)
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    return after, event


def runs(bench: Bench) -> int:
    """Count the runs that were begun, by whichever Aurora."""
    assert bench.backend is not None
    return len(bench.backend.seen)


async def end(bench: Bench, event: Event) -> tuple[State, str]:
    """Return how an event ended, from the ledger."""
    kept = await bench.kept(event)
    return kept.state, kept.reason


async def test_what_was_not_answered_runs_again(benches: list[Bench]) -> None:
    """Nothing is to be seen of the first run; the person waits."""
    bench, event = await crash(benches, Accepted(), NEVER)
    assert await end(bench, event) == (State.ANSWERED, "delivered")
    kept = await bench.tried(event)
    assert (runs(bench), kept.attempts, kept.crashes) == (2, 1, 1)
    assert not kept.interrupted


async def test_what_was_answered_does_not_run_again(benches: list[Bench]) -> None:
    """The answer is there; one is enough."""
    bench, event = await crash(benches, Accepted(), by_tool("hi"), NEVER)
    assert await end(bench, event) == (State.ANSWERED, "sent_before_crash")
    assert (runs(bench), bench.square.of("tool", "delivery")) == (1, ["hi"])


async def test_what_may_have_been_answered_does_not_run_again(benches: list[Bench]) -> None:
    """A second answer would be worse than none; Discord tells whether it is there, then it is."""
    bench = await start(benches, ScriptedBackend([Accepted(), by_tool("hi"), NEVER]))
    faults = bench.square.local.faults
    faults.add("POST", "/messages$", status=503, times=3)
    event = await bench.ask()
    faults.add("GET", "/messages$", status=503, times=99)
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.WAITING, "")
    faults.waiting.clear()
    await after.clock.advance(60)
    assert await end(after, event) == (State.ANSWERED, "sent_before_crash")
    assert (runs(after), after.square.of("tool", "delivery", "mark")) == (1, ["hi"])


async def test_what_was_sent_elsewhere_is_not_done_again(benches: list[Bench]) -> None:
    """It is no answer, but to run again would send it twice; the person is told."""
    bench, event = await crash(benches, Accepted(), by_tool("psst", channel=ELSEWHERE), NEVER)
    assert await end(bench, event) == (State.FAILED, "crashed")
    assert (runs(bench), len(bench.square.notices)) == (1, 1)


async def test_a_finished_run_is_delivered_without_another(benches: list[Bench]) -> None:
    """Its text was kept before it was sent."""
    bench = await start(benches, ScriptedBackend())
    bench.port.gate.clear()
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert (runs(after), after.square.delivered) == (1, ["Hello."])
    assert (await after.tried(event)).answer is None


async def test_a_run_that_had_nothing_to_say_is_not_run_again(benches: list[Bench]) -> None:
    """Silence is an answer too, and its mark may be on the message."""
    bench = await start(benches, ScriptedBackend([Accepted(), done("")]))
    bench.port.gate.clear()
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.DECLINED, "no_answer")
    assert runs(after) == 1


async def test_a_text_is_not_delivered_where_it_is_no_longer_welcome(benches: list[Bench]) -> None:
    """The bot may have been forbidden to write there while it was down."""
    bench = await start(benches, ScriptedBackend())
    bench.port.gate.clear()
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    after.refusal = Reason.CANNOT_SEND
    await after.clock.advance(2)
    assert await end(after, event) == (State.CANCELLED, "cannot_send")
    assert after.square.delivered == []


async def test_an_event_that_was_running_at_three_deaths_is_a_dead_letter(
    benches: list[Bench],
) -> None:
    """It may be what kills Aurora; the lane goes on."""
    bench = await start(benches, ScriptedBackend(*[[Accepted(), NEVER]] * 3))
    event = await bench.ask()
    for _ in range(3):
        bench = await bench.again()
        benches.append(bench)
        await bench.clock.advance(2)
    assert await end(bench, event) == (State.FAILED, "poison")
    assert (runs(bench), len(bench.square.notices)) == (3, 1)
    later = await bench.ask()
    await bench.clock.advance(2)
    assert later.state is State.ANSWERED


async def test_a_dead_letter_that_was_answered_is_answered(benches: list[Bench]) -> None:
    """The third death came after the answer."""
    turns = [[Accepted(), NEVER], [Accepted(), NEVER], [Accepted(), by_tool("hi"), NEVER]]
    bench = await start(benches, ScriptedBackend(*turns))
    event = await bench.ask()
    for _ in range(3):
        bench = await bench.again()
        benches.append(bench)
        await bench.clock.advance(2)
    assert await end(bench, event) == (State.ANSWERED, "sent_before_crash")
    assert bench.square.notices == []


async def test_who_was_told_of_the_end_gets_no_answer_after_it(benches: list[Bench]) -> None:
    """Aurora died between the notice and the last line in the ledger."""
    bench = await start(benches, ScriptedBackend([Accepted(), Finished(Outcome.CONFIG)]))

    async def hang(*_arguments: Any) -> None:
        await asyncio.Event().wait()

    async def break_the_disk(_tools: Any) -> None:
        bench.store.move = hang  # a disk that hangs

    assert isinstance(bench.backend, ScriptedBackend)
    bench.backend.turns = [[Accepted(), break_the_disk, Finished(Outcome.CONFIG)]]
    event = await bench.ask()
    assert len(bench.square.notices) == 1
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.FAILED, "crashed")
    assert (runs(after), len(after.square.notices)) == (1, 1)


async def test_an_expired_event_is_examined_before_it_expires(benches: list[Bench]) -> None:
    """Its answer may be there since before the bot went down for hours."""
    bench = await start(benches, ScriptedBackend([Accepted(), by_tool("hi"), NEVER]))
    answered = await bench.ask()
    unanswered = await bench.ask(channel_id=2, author_id=2)
    bench.clock.jump(3600)
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, answered) == (State.ANSWERED, "sent_before_crash")
    assert unanswered.state is State.ANSWERED


async def test_an_expired_event_that_was_not_answered_expires(benches: list[Bench]) -> None:
    """Not answered blindly hours later, but told of."""
    bench = await start(benches, ScriptedBackend([Accepted(), NEVER]))
    event = await bench.ask()
    bench.clock.jump(3600)
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.EXPIRED, "waited_too_long")
    assert (runs(after), len(after.square.notices)) == (1, 1)


async def test_who_was_told_that_it_is_too_late_has_expired(benches: list[Bench]) -> None:
    """Aurora died between the notice and the last line in the ledger, once more."""
    bench = Bench(ScriptedBackend())
    benches.append(bench)
    await bench.prepare()
    event = make_event()
    await bench.accept(event)
    await bench.clock.advance(901)

    async def hang(*_arguments: Any) -> None:
        await asyncio.Event().wait()

    bench.store.move = hang  # a disk that hangs
    bench.run()
    await bench.clock.settle()
    assert len(bench.square.notices) == 1
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.EXPIRED, "waited_too_long")
    assert len(after.square.notices) == 1


async def test_a_server_that_remembers_is_asked_how_the_run_ended(benches: list[Bench]) -> None:
    """The run went on without Aurora; its text is the answer."""
    backend = RememberingBackend([Accepted(), NEVER])
    bench = await start(benches, backend)
    event = await bench.ask()
    (turn,) = backend.seen
    backend.ends[turn.agent_id, turn.conversation_id, turn.input_id] = done("From before.")
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert (runs(after), after.square.delivered) == (1, ["From before."])


async def test_a_failure_that_the_server_remembers_is_tried_again(benches: list[Bench]) -> None:
    """By the same table as if Aurora had been there; it was the first of three attempts."""
    backend = RememberingBackend([Accepted(), NEVER])
    bench = await start(benches, backend)
    event = await bench.ask()
    (turn,) = backend.seen
    failed = Finished(Outcome.FAILED, detail="500")
    backend.ends[turn.agent_id, turn.conversation_id, turn.input_id] = failed
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert runs(after) == 1
    await after.clock.advance(3)
    kept = await after.tried(event)
    assert (kept.speaker.state, kept.attempts, runs(after)) == (State.ANSWERED, 2, 2)


async def test_a_run_that_the_server_does_not_know_runs_again(benches: list[Bench]) -> None:
    """It never arrived, or has not ended: a new attempt ends it."""
    bench, event = await crash(benches, Accepted(), NEVER, remember=True)
    assert (await bench.kept(event)).state is State.ANSWERED
    assert runs(bench) == 2


async def test_a_run_that_was_cancelled_on_the_server_runs_again(benches: list[Bench]) -> None:
    """Aurora itself cancels it when it is unloaded, for the person to be answered later."""
    backend = RememberingBackend([Accepted(), NEVER])
    bench = await start(benches, backend)
    event = await bench.ask()
    (turn,) = backend.seen
    ended = Finished(Outcome.CANCELLED)
    backend.ends[turn.agent_id, turn.conversation_id, turn.input_id] = ended
    await bench.stop()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert (await after.kept(event)).state is State.ANSWERED
    assert runs(after) == 2


async def test_a_server_that_cannot_be_asked_now_is_asked_again(benches: list[Bench]) -> None:
    """Whether the run answered is not known before; nothing is sent blindly."""
    backend = RememberingBackend([Accepted(), NEVER])
    backend.recall_errors = [AgentError(Outcome.UNREACHABLE, "refused")] * 4
    bench = await start(benches, backend)
    event = await bench.ask()
    (turn,) = backend.seen
    backend.ends[turn.agent_id, turn.conversation_id, turn.input_id] = done("From before.")
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    kept = await after.tried(event)
    assert (kept.speaker.state, kept.interrupted, len(backend.recalled)) == (
        State.WAITING,
        True,
        1,
    )
    await after.clock.advance(30)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert (runs(after), len(after.square.notices)) == (1, 1)


async def test_a_server_that_never_says_ends_the_event_in_time(benches: list[Bench]) -> None:
    """As an outage does: expired, and told."""
    backend = RememberingBackend([Accepted(), NEVER])
    backend.recall_errors = [AgentError(Outcome.UNREACHABLE, "refused")] * 1000
    bench = await start(benches, backend)
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(901)
    assert await end(after, event) == (State.EXPIRED, "waited_too_long")
    assert runs(after) == 1


async def test_a_server_that_knows_nothing_of_the_conversation_is_no_obstacle(
    benches: list[Bench],
) -> None:
    """It is another server, or it was wiped: there is nothing to wait for."""
    backend = RememberingBackend([Accepted(), NEVER])
    backend.recall_errors = [AgentError(Outcome.CONFIG, "404")]
    bench = await start(benches, backend)
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert (await after.kept(event)).state is State.ANSWERED


async def test_a_reply_by_an_agents_own_tools_is_looked_for(benches: list[Bench]) -> None:
    """Nobody saw it being sent, and Aurora recorded nothing."""
    bench = await start(benches, ScriptedBackend([Accepted(), NEVER]))
    bench.watched = True
    event = await bench.ask()
    bench.square.reply(event, "by itself")
    after = await bench.again()
    after.watched = True
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.ANSWERED, "sent_before_crash")
    assert (runs(after), after.square.delivered) == (1, [])


async def test_an_attempt_that_never_began_leaves_nothing_to_look_for(
    benches: list[Bench],
) -> None:
    """Interrupted before it had a conversation: it simply runs."""
    backend = RememberingBackend()
    bench = await start(benches, backend)
    bench.gate.clear()
    event = await bench.ask()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert (await after.kept(event)).state is State.ANSWERED
    assert backend.recalled == []


async def test_an_attempt_that_was_written_and_never_began_is_given_back(
    benches: list[Bench],
) -> None:
    """It was written with the turn's start; a server that remembers knows nothing of it."""
    backend = RememberingBackend()
    bench = await start(benches, backend)
    await bench.ask()
    await bench.clock.advance(10)
    bench.gate.clear()
    event = await bench.ask()
    written = await bench.tried(event)
    assert (written.attempts, written.conversation_id) == (1, "a-conv-1")
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    kept = await after.tried(event)
    assert (kept.speaker.state, kept.attempts, kept.crashes) == (State.ANSWERED, 1, 1)
    assert [given.input_id for given in backend.recalled] == [written.input_id]
    assert runs(after) == 2


async def test_an_attempt_that_is_still_examined_is_not_forgotten_for_the_next(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aurora died again while it asked: what is kept is the attempt that was made."""
    backend = RememberingBackend([Accepted(), NEVER])
    bench = await start(benches, backend)
    event = await bench.ask()
    (turn,) = backend.seen
    backend.ends[turn.agent_id, turn.conversation_id, turn.input_id] = done("From before.")

    async def hang(_given: Any) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as asking:
        asking.setattr(backend, "recall", hang)
        second = await bench.again()
        benches.append(second)
        await second.clock.advance(2)
    third = await second.again()
    benches.append(third)
    await third.clock.advance(2)
    assert await end(third, event) == (State.ANSWERED, "delivered")
    assert (runs(third), third.square.delivered) == (1, ["From before."])


async def test_an_attempt_that_never_began_is_given_back_without_a_crash_too(
    benches: list[Bench],
) -> None:
    """Who may not ask any more used none up, and a server is asked about none."""
    bench = await start(benches, ScriptedBackend())
    bench.refusal = Reason.CANNOT_SEND
    event = await bench.ask()
    kept = await bench.tried(event)
    assert (kept.speaker.state, kept.attempts, kept.input_id) == (State.CANCELLED, 0, None)


async def test_an_unload_leaves_a_running_event_to_the_next_start(benches: list[Bench]) -> None:
    """Aborted on the server, no task left, no crash counted, nothing shown, and then answered."""
    backend = ScriptedBackend([Accepted(), NEVER])
    bench = await start(benches, backend)
    event = await bench.ask()
    before = asyncio.all_tasks()
    await bench.stop()
    assert backend.aborted == 1
    assert len(asyncio.all_tasks()) < len(before)
    kept = await bench.tried(event)
    assert (kept.speaker.state, kept.interrupted, kept.crashes) == (State.WAITING, True, 0)
    assert bench.square.posts == []
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    kept = await after.tried(event)
    assert (kept.speaker.state, kept.attempts) == (State.ANSWERED, 1)


async def test_a_run_that_had_answered_before_the_unload_is_answered(
    benches: list[Bench],
) -> None:
    """The person has the answer; nothing is left to do."""
    bench = await start(benches, ScriptedBackend([Accepted(), by_tool("hi"), NEVER]))
    event = await bench.ask()
    await bench.stop()
    assert await end(bench, event) == (State.ANSWERED, "sent_before_unloaded")


async def test_an_answer_that_the_unload_cut_off_is_delivered_after_it(
    benches: list[Bench],
) -> None:
    """Without another run: the agent has spoken."""
    bench = await start(benches, ScriptedBackend())
    bench.port.gate.clear()
    event = await bench.ask()
    await bench.stop()
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert runs(after) == 1


async def test_an_answer_that_the_unload_cut_in_two_is_not_taken_for_whole(
    benches: list[Bench],
) -> None:
    """Its first part is in the channel; the rest is for the next Aurora to deliver."""
    text = f"{'a' * 1900}\n\n{'b' * 1900}"
    bench = await start(benches, ScriptedBackend([Accepted(), done(text)]))
    bench.square.when_posted(bench.port.gate.clear)
    event = await bench.ask()
    await bench.stop()
    kept = await bench.tried(event)
    assert (kept.speaker.state, kept.answer) == (State.WAITING, text)
    assert bench.square.delivered == ["a" * 1900]
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(2)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert after.square.delivered == ["a" * 1900, "b" * 1900]


async def test_a_run_that_ends_within_the_grace_is_answered(benches: list[Bench]) -> None:
    """An unload is no reason to waste what is almost done."""
    ready = asyncio.Event()

    async def wait(_tools: Any) -> None:
        await ready.wait()

    bench = await start(benches, ScriptedBackend([Accepted(), wait, done("Just in time.")]))
    event = await bench.ask()
    stopping = asyncio.create_task(bench.stop(5.0))
    await bench.clock.settle()
    ready.set()
    await stopping
    assert await end(bench, event) == (State.ANSWERED, "delivered")


async def test_a_message_deleted_during_the_unload_is_not_left(benches: list[Bench]) -> None:
    """The next Aurora must not answer it."""
    closing = asyncio.Event()

    async def slow_end(_tools: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await closing.wait()

    bench = await start(benches, ScriptedBackend([Accepted(), slow_end]))
    event = await bench.ask()
    stopping = asyncio.create_task(bench.stop())
    await bench.clock.settle()
    bench.delete(event)
    closing.set()
    await stopping
    assert await end(bench, event) == (State.CANCELLED, "message_deleted")


@pytest.mark.parametrize(
    "script", [[Accepted(), done("Hi")], [Accepted(), by_tool("Hi"), done("Hi")]]
)
async def test_a_disk_that_is_full_while_an_answer_goes_out_loses_and_doubles_nothing(
    benches: list[Bench], script: Sequence[Any]
) -> None:
    """The end is written as soon as there is room; meanwhile nobody is told anything false."""
    bench = await start(benches, ScriptedBackend())

    async def fill(_tools: Any) -> None:
        bench.store.full = True

    assert isinstance(bench.backend, ScriptedBackend)
    bench.backend.turns = [[Accepted(), fill, *script]]
    event, behind = make_event(), make_event(author_id=2)
    await bench.accept(event, behind)
    await bench.clock.advance(60)
    assert not (await bench.kept(event)).state.final
    assert bench.square.notices == []
    bench.store.full = False
    await bench.clock.advance(120)
    assert (await bench.kept(event)).state is State.ANSWERED
    assert (await bench.kept(behind)).state is State.ANSWERED
    assert (await bench.tried(event)).crashes == 0
    assert len([post for post in bench.square.posts if post.event_id == event.id]) == 1


@pytest.mark.parametrize("kind", [ScriptedBackend, RememberingBackend])
@pytest.mark.parametrize("word", ["Done.", ""])
async def test_an_answer_that_a_full_disk_kept_from_going_out_is_asked_for_again(
    benches: list[Bench], word: str, kind: type[ScriptedBackend]
) -> None:
    """What an agent says beside an answer that never got out is not given for it (promise 6)."""
    bench = await start(benches, kind())

    async def fill(_tools: Any) -> None:
        bench.store.full = True

    assert isinstance(bench.backend, ScriptedBackend)
    script = [Accepted(), by_tool("Hi"), done(word)]
    bench.backend.turns = [[fill, *script], script]
    event = await bench.ask()
    await bench.clock.advance(20)
    assert bench.square.posts == []
    bench.store.full = False
    await bench.clock.advance(120)
    assert await end(bench, event) == (State.ANSWERED, "sent")
    assert [post.text for post in bench.square.posts] == ["Hi"]
    assert (runs(bench), bench.backend.aborted) == (2, 1)


@pytest.mark.parametrize("word", ["Done.", ""])
async def test_an_answer_that_a_server_was_not_there_for_is_asked_for_again(
    benches: list[Bench], word: str
) -> None:
    """It is no refusal that an agent could do anything about. No time is waited here."""
    bench = await start(benches, ScriptedBackend())
    bench.hurry()
    bring: list[Callable[[], None]] = []

    async def vanish(_tools: Any) -> None:
        guild = bench.square.local.world.guilds[9]
        bring.append(withhold(bench.bot, bench.square.local, guild))

    assert isinstance(bench.backend, ScriptedBackend)
    script = [Accepted(), by_tool("Hi"), done(word)]
    bench.backend.turns = [[vanish, *script], *[script] * 20]
    event = await bench.ask()
    await bench.clock.advance(60)
    assert not (await bench.kept(event)).state.final
    bring[0]()
    await bench.clock.advance(120)
    assert await end(bench, event) == (State.ANSWERED, "sent")
    assert [post.text for post in bench.square.posts] == ["Hi"]


async def test_of_a_long_answer_no_part_is_to_be_seen_before_all_of_it_is_kept(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full for a moment, and a crash in the middle, leave no half an answer."""
    bench = await start(benches, ScriptedBackend())
    parts = ["a" * 1900, "b" * 1900]
    assert isinstance(bench.backend, ScriptedBackend)
    bench.backend.turns = [[Accepted(), done("\n\n".join(parts))]]
    settle = bench.delivery.settle

    async def settle_late(*arguments: Any, **options: Any) -> Reason | None:
        # What was put off is lost in this moment, before the first part is begun.
        bench.store.full = True
        with pytest.raises(LedgerError):
            await bench.store.note("key", "value")
        bench.store.full = False
        return await settle(*arguments, **options)

    monkeypatch.setattr(bench.delivery, "settle", settle_late)
    bench.square.when_posted(lambda: setattr(bench.life, "dead", True))
    event = await bench.ask()
    assert bench.square.delivered == parts[:1]
    after = await bench.again()
    benches.append(after)
    await after.clock.advance(5)
    assert await end(after, event) == (State.ANSWERED, "delivered")
    assert after.square.delivered == parts


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([done("Hi")], "delivered"),
        ([by_tool("Hi"), Finished(Outcome.FAILED)], "sent_before_crash"),
    ],
)
async def test_an_answer_to_a_server_that_is_not_there_waits_for_it(
    benches: list[Bench], script: Sequence[Any], reason: str
) -> None:
    """Nothing is lost, doubled or given up meanwhile. Aurora waits no time itself here."""
    bench = await start(benches, ScriptedBackend())
    bench.hurry()
    bring: list[Callable[[], None]] = []

    async def vanish(_tools: Any) -> None:
        guild = bench.square.local.world.guilds[9]
        bring.append(withhold(bench.bot, bench.square.local, guild))

    assert isinstance(bench.backend, ScriptedBackend)
    # The agent's message is on its way when the new session begins.
    bench.square.local.faults.add(
        "POST", "/messages$", status=503, applied=True, times=3 * (len(script) - 1)
    )
    bench.backend.turns = [[Accepted(), *script[:-1], vanish, script[-1]]]
    event = await bench.ask()
    await bench.clock.advance(60)
    assert not (await bench.kept(event)).state.final
    bring[0]()
    await bench.clock.advance(120)
    assert await end(bench, event) == (State.ANSWERED, reason)
    assert [post.text for post in bench.square.posts] == ["Hi"]
    assert (runs(bench), (await bench.tried(event)).crashes) == (1, 0)


async def test_a_disk_that_is_full_at_the_start_makes_events_wait(benches: list[Bench]) -> None:
    """Nothing runs that the ledger does not know of; nothing spins, nobody is told anything."""
    bench = await start(benches, ScriptedBackend())
    bench.gate.clear()
    first = await bench.ask()
    bench.store.full = True
    bench.gate.set()
    await bench.clock.advance(30)
    assert bench.square.posts == []
    bench.store.full = False
    await bench.clock.advance(60)
    assert (await bench.kept(first)).state is State.ANSWERED
    assert runs(bench) == 1


async def test_what_can_not_be_read_back_ends_visibly_and_its_lane_goes_on(
    benches: list[Bench],
) -> None:
    """Nobody knows any more what was asked."""
    bench = await start(benches, ScriptedBackend())
    bench.gate.clear()
    await bench.ask(channel_id=2, author_id=2)
    first, second = make_event(), make_event(author_id=8)
    kept = bench.store.add

    async def lose(event: Event, change: Any) -> bool:
        added = bool(await kept(event, change))
        if event is first:
            await bench.kept_by.edit(event.id, NO_CONTEXT)
        return added

    bench.store.add = lose
    await bench.accept(first, second)
    bench.gate.set()
    await bench.clock.advance(30)
    assert await end(bench, first) == (State.FAILED, "poison")
    assert await end(bench, second) == (State.ANSWERED, "delivered")
    assert [post.event_id for post in bench.square.posts if post.by == "notice"] == [first.id]
