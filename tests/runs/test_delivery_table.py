"""What reaches the person, over all that an agent can do with its texts and tools.

A row is what the agent did, in order, and how its run ended; beside it stands which sentence of
the contract decides, and what people see. The contract stands in `aurora/chat/record.py` as a
table; here it is walked through worker, tools and ledger, with a Discord and a server that fail.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from aurora.agents.protocol import (
    Accepted,
    Finished,
    ModelCalled,
    Text,
    ToolCalled,
    ToolHost,
    ToolReturned,
)
from aurora.reasons import Outcome
from tests.support.scripts import NEVER, ScriptedBackend
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench

WORD, ANSWER, NOTE = "One moment.", "It opened in the year 1932.", "I have sent it."
BOOK = "It was a long story. " * 15
"""Longer than 200 characters, and than twice the answer."""
BROKEN = Finished(Outcome.FAILED)


class Row(NamedTuple):
    """One history: `acts` in order, `end`, the sentence, what is said, and the event's reason.

    `said` are the agent's words that people read, in order. A reason that ends in `*` may have
    anything in the place of that.
    """

    sentence: str
    acts: Sequence[str]
    end: str
    said: Sequence[str]
    reason: str
    marks: Sequence[str] = ()
    notices: int = 0


def history(bench: Bench, acts: Sequence[str], end: str) -> Iterator[Any]:
    """Play acts as a server tells of them: a call, its run, its return; texts under new ids."""
    yield Accepted()
    yield ModelCalled()
    last = ""
    for number, act in enumerate(acts):
        what, _, text = act.partition(":")
        if what == "text":
            last = text
            yield Text(f"m{number}", text)
            continue
        last = ""
        if what == "trouble":
            yield _trouble(bench, text)
            continue
        if what == "both":
            yield from _both(f"c{number}", text.split("|"))
        else:
            yield from _call(f"c{number}", *CALLS[what](text))
        yield ModelCalled()
    if end == "done":
        yield Finished(Outcome.COMPLETED, last)
    elif end == "broken":
        yield BROKEN
    else:
        yield NEVER


def _call(call_id: str, name: str, arguments: dict[str, Any]) -> Iterator[Any]:
    failed: list[bool] = []

    async def act(tools: ToolHost) -> None:
        failed.append((await tools.call(name, arguments)).is_error)

    yield ToolCalled(call_id, name, arguments)
    yield act
    yield ToolReturned(call_id, failed[0])


def _both(call_id: str, texts: Sequence[str]) -> Iterator[Any]:
    """Make two calls in one step: neither knows what becomes of the other."""
    calls = [CALLS["send"](text) for text in texts]

    async def act(tools: ToolHost) -> None:
        await asyncio.gather(*(tools.call(*one) for one in calls))

    for number, one in enumerate(calls):
        yield ToolCalled(f"{call_id}-{number}", *one)
    yield act
    for number in range(len(calls)):
        yield ToolReturned(f"{call_id}-{number}", False)


def _trouble(bench: Bench, what: str) -> Callable[[ToolHost], Awaitable[None]]:
    """Let Discord refuse: for longer than a tool waits (503), or this once and for good (403).

    If `later`, it begins after the next message.
    """

    def begin(status: int = 503) -> None:
        times, code = (3, 0) if status == 503 else (1, 50013)
        faults = bench.square.local.faults
        faults.add("POST", "/channels/1/messages$", status=status, times=times, code=code)

    async def act(_tools: ToolHost) -> None:
        if what == "later":
            bench.square.when_posted(begin)
        else:
            begin(int(what))

    return act


def _send(channel: int, **more: Any) -> Callable[[str], tuple[str, dict[str, Any]]]:
    return lambda text: ("discord_send", {"channelId": str(channel), "message": text, **more})


CALLS: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "send": _send(1),
    "word": _send(1, interim=True),
    "away": _send(ELSEWHERE),
    "read": lambda _text: ("discord_read_messages", {"channelId": "1"}),
    "react": lambda text: ("discord_add_reaction", {"channelId": "1", "messageId": text}),
    "ask": lambda text: ("discord_ask", {"question": text, "options": ["Yes", "No"]}),
    "bad": lambda _text: ("discord_send", {"channelId": "99", "message": "x"}),
}

FULL_SENDS = {
    "a full send": [f"send:{ANSWER}"],
    "a full send after a first word": [f"word:{WORD}", f"send:{ANSWER}"],
    "a full send after a read": [f"send:{WORD}", "read:", f"send:{ANSWER}"],
    "a full send after texts": ["text:Let me see.", "read:", "text:So.", f"send:{ANSWER}"],
    "a full send after a refused one": ["bad:", f"send:{ANSWER}"],
    "a full send and one elsewhere": [f"send:{ANSWER}", "away:psst"],
    "two full sends": [f"send:{WORD}", f"send:{ANSWER}"],
    "the same text twice": [f"send:{ANSWER}", "send:it opened  in the year **1932**."],
}
INTERIM_SENDS = {
    "a first word": [f"word:{WORD}"],
    "a send before a read": [f"send:{WORD}", "read:"],
    "a first word, and a read": [f"word:{WORD}", "read:"],
    "a first word after a text": ["text:I'll look.", f"word:{WORD}"],
    "a send before two reads": [f"send:{WORD}", "read:", "text:Hm.", "read:"],
    "a first word and a send elsewhere": [f"word:{WORD}", "away:psst"],
}
NO_SENDS = {
    "nothing": [],
    "a read": ["read:"],
    "a text before a read": ["text:Let me see.", "read:"],
    "a send elsewhere": ["away:psst"],
    "a refused send": ["bad:"],
}
RESTS = {
    "none": [],
    "narration": [f"text:{NOTE}"],
    "long": [f"text:{BOOK}"],
    "reasoning": ["text:<think>plan"],
    "silence": ["text:NO_REPLY"],
}


def sent(acts: Sequence[str]) -> list[str]:
    """Return the texts that go out by tool, in the event's place."""
    texts = [act.partition(":")[2] for act in acts if act.split(":")[0] in ("send", "word")]
    return [one for one in texts if "**" not in one]


def rows_of_questions() -> Iterator[Row]:
    """Write out what follows once the agent has asked back: nothing."""
    asked = "Do you mean the old one?"
    for before, rest in itertools.product(([], [f"word:{WORD}"], [f"send:{NOTE}"]), RESTS):
        told = [*before, f"ask:{asked}", *RESTS[rest]]
        said = [*sent(before), asked]
        for end in ("done", "broken", "crash"):
            yield Row(f"{rest} after a question, {end}: it asks", told, end, said, "asked")
    more = [f"ask:{asked}", f"send:{ANSWER}", "read:"]
    yield Row("what is called after a question is not done", more, "done", [asked], "asked")
    late = ["trouble:503", f"ask:{asked}"]
    yield Row("a delayed question is posted", late, "done", [asked], "asked")


def reads(rest: str) -> list[str]:
    """Return what people may read of a rest."""
    return [one.partition(":")[2].strip() for one in RESTS[rest] if rest in ("narration", "long")]


def rows_of_full_sends() -> Iterator[Row]:
    """Write out what follows once there is an answer."""
    for (name, acts), rest in itertools.product(FULL_SENDS.items(), RESTS):
        told = [*acts, *RESTS[rest]]
        if rest == "long":
            said = [*sent(acts), BOOK.strip()]
            yield Row(f"longer than twice {name}: delivered", told, "done", said, "delivered")
        else:
            yield Row(f"{rest} after {name} is dropped", told, "done", sent(acts), "sent")
        went_on = rest != "none" or "elsewhere" in name
        marks = ["⚠️"] if went_on else []
        why = f"{name}, {rest}, then an error: answered"
        yield Row(why, told, "broken", sent(acts), "sent_before_failed", marks)
        why = f"{name}, {rest}, then a crash: answered"
        yield Row(why, told, "crash", sent(acts), "sent_before_crash")


def rows_of_interim_sends() -> Iterator[Row]:
    """Write out what follows on a first word."""
    for (name, acts), rest in itertools.product(INTERIM_SENDS.items(), RESTS):
        told = [*acts, *RESTS[rest]]
        if reads(rest):
            said = [*sent(acts), *reads(rest)]
            yield Row(f"the rest after {name} is delivered", told, "done", said, "delivered")
        else:
            why = f"without a rest ({rest}) {name} is the answer"
            yield Row(why, told, "done", sent(acts), "sent")
        for end, reason in (("broken", "failed"), ("crash", "crashed")):
            why = f"{name}, {rest}, then {end}: one notice"
            yield Row(why, told, end, sent(acts), reason, notices=1)


def rows_without_sends() -> Iterator[Row]:
    """Write out what follows where nothing was sent."""
    for (name, acts), rest in itertools.product(NO_SENDS.items(), RESTS):
        told = [*acts, *RESTS[rest]]
        if reads(rest):
            why = f"nothing sent but {name}: the rest is delivered"
            yield Row(why, told, "done", reads(rest), "delivered")
        elif name == "a text before a read" and rest != "silence":
            why = f"no rest ({rest}): the last text that is not empty"
            yield Row(why, told, "done", ["Let me see."], "delivered")
        elif name == "a send elsewhere":
            why = f"only elsewhere ({rest}): a mark, and it is said"
            yield Row(why, told, "done", [], "answered_elsewhere", ["💤"], 1)
        elif name == "a refused send":
            why = f"refused ({rest}): a warning"
            yield Row(why, told, "done", [], "unknown_channel", ["⚠️"])
        else:
            why = f"nothing at all ({name}, {rest})"
            yield Row(why, told, "done", [], "no_answer", ["💤"])


def late_rows() -> Iterator[Row]:
    """Write out what becomes of a send that Discord did not take."""
    late, other = ["trouble:503", f"send:{ANSWER}"], "Closed on Mondays, as ever."
    parts = ["a" * 1900, "b" * 1900]
    book = "\n\n".join(parts)
    for end, reason in (
        ("done", "sent"),
        ("broken", "sent_before_failed"),
        ("crash", "sent_before_crash"),
    ):
        yield Row(f"delayed, {end}: it is posted", late, end, [ANSWER], reason)
        yield Row(
            f"delayed and another text, {end}: the later voids it",
            [*late, f"send:{other}"],
            end,
            [other],
            reason,
        )
        yield Row(
            f"delayed, and made at once with another, {end}: both are posted",
            ["trouble:503", f"both:{ANSWER}|{other}"],
            end,
            [ANSWER, other],
            reason,
        )
        yield Row(
            f"delayed in the middle of a long text, {end}: the rest follows",
            ["trouble:later", f"send:{book}"],
            end,
            parts,
            reason,
        )
    yield Row(
        "narration after a delayed send is dropped",
        [*late, f"text:{NOTE}"],
        "done",
        [ANSWER],
        "sent",
    )
    refused = ["trouble:403", f"send:{ANSWER}"]
    yield Row("refused, and nothing written: a warning", refused, "done", [], "forbidden", ["⚠️"])
    yield Row(
        "refused, and written: delivered",
        [*refused, f"text:{ANSWER}"],
        "done",
        [ANSWER],
        "delivered",
    )


def rows_of_repetitions() -> Iterator[Row]:
    """Write out what becomes of what is said again, and of messages written out as calls."""
    written, other = f'text:discord_send(channelId="1", message="{ANSWER}")', "away:psst"
    twice = [f"text:{ANSWER}", other, "text:it opened in **the year** 1932."]
    yield Row("the same text again is left out", twice, "done", [ANSWER], "delivered")
    longer = f"{ANSWER} It closes at six."
    for texts in ((ANSWER, longer), (longer, ANSWER)):
        acts = [f"text:{texts[0]}", other, f"text:{texts[1]}"]
        yield Row(f"of {texts} the longer one", acts, "done", [longer], "delivered")
    short = ["text:Yes.", other, "text:Yes. It does."]
    yield Row("a short one stays", short, "done", ["Yes.\n\nYes. It does."], "delivered")
    checked = [f"send:{ANSWER}", "read:"]
    again = [*checked, f"text:{ANSWER}", other, f"text:{NOTE}"]
    yield Row("of a rest what was sent is left out", again, "done", [ANSWER, NOTE], "delivered")
    yield Row("what was sent, written as a call", [*checked, written], "done", [ANSWER], "sent")
    beside = [f"text:{NOTE}", other, written]
    yield Row("a message as a call, after a text", beside, "done", [ANSWER], "delivered")
    before = [written, other, f"text:{NOTE}"]
    yield Row("a message as a call, before a text", before, "done", [ANSWER], "delivered")
    second = [f"send:{WORD}", written]
    yield Row("a message as a call is a second one", second, "done", [WORD, ANSWER], "delivered")
    nothing = [f"word:{WORD}", written.replace(ANSWER, "NO_REPLY")]
    yield Row("silence as a call, after a first word", nothing, "done", [WORD], "sent")
    elsewhere = [f"send:{ANSWER}", written.replace('"1"', '"7"')]
    yield Row("a call for elsewhere, after an answer", elsewhere, "done", [ANSWER], "sent")
    away = [f"text:{ANSWER}", other, written.replace('"1"', '"7"')]
    yield Row("a call for elsewhere is not done", away, "done", [ANSWER], "delivered")


def rows_of_refusals() -> Iterator[Row]:
    """Write out what people see of an agent that had more to say, and was not let."""
    word, refused = [f"word:{WORD}"], ["trouble:403", "send:It closes at six."]
    lost = [*word, "bad:"]
    yield Row("a first word, no channel", lost, "done", [WORD], "unknown_channel", ["⚠️"])
    for name, acts in (("a first word", word), ("a full send", [f"send:{ANSWER}"])):
        told = [*acts, *refused]
        yield Row(f"{name}, and one refused", told, "done", sent(acts), "forbidden", ["⚠️"])
        made_good = [*told, "send:It closes at six."]
        said = [*sent(acts), "It closes at six."]
        yield Row(f"{name}, and one at the second try", made_good, "done", said, "sent")


ROWS = [
    *rows_of_questions(),
    *rows_of_repetitions(),
    *rows_of_refusals(),
    *rows_of_full_sends(),
    *rows_of_interim_sends(),
    *rows_without_sends(),
    *late_rows(),
]


def test_the_table_is_long_enough() -> None:
    """Sends, gathering, texts, failures and crashes are all in it."""
    assert len(ROWS) >= 120


async def play(benches: list[Bench], row: Row) -> tuple[Bench, Any]:
    """Let a history happen; where it crashes, another Aurora finds what it left."""
    bench = Bench(backend := ScriptedBackend())
    played: Any = history(bench, row.acts, row.end)
    backend.turns.append(played)
    benches.append(bench)
    await bench.start()
    event = await bench.ask()
    if row.end == "crash":
        bench = await bench.again()
        benches.append(bench)
    await bench.clock.advance(2)
    return bench, event


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence for row in ROWS])
async def test_delivery(benches: list[Bench], row: Row) -> None:
    """Each sentence of the contract, as people see it."""
    bench, event = await play(benches, row)
    kept = await bench.kept(event)
    words = [post for post in bench.square.posts if post.by in ("tool", "delivery", "mcp")]
    assert [post.text for post in words if post.channel_id == 1] == list(row.said)
    assert kept.reason == row.reason
    assert bench.square.of("mark") == list(row.marks)
    assert len(bench.square.notices) == row.notices
    assert isinstance(bench.backend, ScriptedBackend)
    assert len(bench.backend.seen) == 1
